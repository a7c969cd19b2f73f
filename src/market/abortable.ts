const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when the signal aborts; the returned function takes the callback away. However many
 * ask, a signal gets one listener: a scan makes hundreds of reads under one signal, and an EventTarget
 * warns of a leak from the eleventh listener on. The signal must not be aborted yet.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
	let callbacks = callbacksOf.get(signal);
	if (callbacks === undefined) {
		const created = new Set<() => void>();
		callbacks = created;
		callbacksOf.set(signal, created);
		signal.addEventListener(
			"abort",
			() => {
				for (const call of created) call();
				created.clear();
			},
			{ once: true },
		);
	}
	const registered = callbacks;
	registered.add(callback);
	return () => registered.delete(callback);
}

/**
 * The promise's outcome, or a rejection with the signal's reason as soon as it aborts. The work behind
 * the promise goes on: stopping it is its owner's business.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	if (signal.aborted) {
		// A rejection of work that nobody awaits any more must not end the process.
		work.catch(() => undefined);
		return Promise.reject(signal.reason);
	}
	return new Promise((resolve, reject) => {
		const forget = onAbort(signal, () => reject(signal.reason));
		work.then(resolve, reject).finally(forget);
	});
}
