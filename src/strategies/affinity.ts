/** Who computes what: a thread is quick at what it has computed before, since evidence and compiled code are its own. */
export interface Affinity {
	/**
	 * A thread for work of this kind: one that knows the kind, or any when none does or none became free in time. First
	 * come first served among those that a thread may take. Rejects with the signal's reason, or with `full()`.
	 */
	enter(kind: string, signal: AbortSignal): Promise<number>;
	/** The thread goes on with the next. */
	leave(thread: number): void;
	/** The thread was ended; the one in its place knows nothing. */
	forget(thread: number): void;
	waiting(): number;
	/** Nothing that waits is let in any more. */
	refuse(reason: unknown): void;
}

interface AffinityOptions {
	threads: number;
	waitingMax: number;
	/** So long it waits for a thread that knows its kind while others are free, ms. */
	patienceMs: number;
	arm(callback: () => void, delayMs: number): () => void;
	full(): Error;
}

interface Waiter {
	kind: string;
	isPatient: boolean;
	enter(thread: number): void;
	refuse(reason: unknown): void;
}

export function createAffinity({ threads, waitingMax, patienceMs, arm, full }: AffinityOptions): Affinity {
	const queue = new Set<Waiter>();
	const places = Array.from({ length: threads }, () => ({ free: true, known: new Set<string>() }));

	const mayTake = (known: ReadonlySet<string>, { kind, isPatient }: Waiter): boolean =>
		known.has(kind) || !isPatient || !places.some((place) => place.known.has(kind));

	function dispatch(): void {
		for (const [thread, place] of places.entries()) {
			if (!place.free) continue;
			for (const waiter of queue) {
				if (!mayTake(place.known, waiter)) continue;
				place.free = false;
				place.known.add(waiter.kind);
				waiter.enter(thread);
				break;
			}
		}
	}

	return {
		waiting: () => queue.size,
		enter(kind, signal) {
			return new Promise((resolve, reject) => {
				const done = () => {
					queue.delete(waiter);
					disarm();
					signal.removeEventListener("abort", onAbort);
				};
				const onAbort = () => waiter.refuse(signal.reason);
				let disarm = () => {};
				const waiter: Waiter = {
					kind,
					isPatient: true,
					enter(thread) {
						done();
						resolve(thread);
					},
					refuse(reason) {
						done();
						reject(reason);
					},
				};
				queue.add(waiter);
				dispatch();
				if (!queue.has(waiter)) return;
				if (queue.size > waitingMax) return waiter.refuse(full());
				signal.addEventListener("abort", onAbort, { once: true });
				disarm = arm(() => {
					waiter.isPatient = false;
					dispatch();
				}, patienceMs);
			});
		},
		leave(thread) {
			const place = places[thread];
			if (place) place.free = true;
			dispatch();
		},
		forget: (thread) => places[thread]?.known.clear(),
		refuse(reason) {
			for (const waiter of [...queue]) waiter.refuse(reason);
		},
	};
}
