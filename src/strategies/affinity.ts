/** Who computes what: a thread is quick at what it has computed before, since evidence and compiled code are its own. */
export interface Affinity {
	/**
	 * A thread for work of this kind: that which did it last, or any when none did or that one is not free in time. First come
	 * first served among those that a thread may take. Rejects with the signal's reason, or with `full()`.
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
	/** So long it waits for the thread that knows its kind once another was free for it, ms. */
	patienceMs: number;
	arm(callback: () => void, delayMs: number): () => void;
	full(): Error;
}

interface Waiter {
	kind: string;
	isPatient: boolean;
	/** A thread is free that it may not take: from now on its patience is used up. */
	passOver(): void;
	enter(thread: number): void;
	refuse(reason: unknown): void;
}

export function createAffinity({ threads, waitingMax, patienceMs, arm, full }: AffinityOptions): Affinity {
	const queue = new Set<Waiter>();
	const free = new Set(Array.from({ length: threads }, (_, thread) => thread));
	/** Kinds are few: strategies of this build. */
	const homes = new Map<string, number>();

	const mayTake = (thread: number, { kind, isPatient }: Waiter): boolean =>
		!isPatient || (homes.get(kind) ?? thread) === thread;

	function dispatch(): void {
		for (const thread of [...free].sort()) {
			for (const waiter of queue) {
				if (!mayTake(thread, waiter)) continue;
				free.delete(thread);
				homes.set(waiter.kind, thread);
				waiter.enter(thread);
				break;
			}
		}
		if (free.size > 0) for (const waiter of queue) waiter.passOver();
	}

	return {
		waiting: () => queue.size,
		enter(kind, signal) {
			return new Promise((resolve, reject) => {
				const done = () => {
					queue.delete(waiter);
					disarm?.();
					signal.removeEventListener("abort", onAbort);
				};
				const onAbort = () => waiter.refuse(signal.reason);
				let disarm: (() => void) | null = null;
				const waiter: Waiter = {
					kind,
					isPatient: true,
					passOver() {
						disarm ??= arm(() => {
							waiter.isPatient = false;
							dispatch();
						}, patienceMs);
					},
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
			});
		},
		leave(thread) {
			free.add(thread);
			dispatch();
		},
		forget(thread) {
			for (const [kind, home] of homes) if (home === thread) homes.delete(kind);
		},
		refuse(reason) {
			for (const waiter of [...queue]) waiter.refuse(reason);
		},
	};
}
