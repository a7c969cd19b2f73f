import { onAbort } from "./abortable.ts";

/** Where a run stands among those that wait. */
export interface Standing {
	/** Behind those that are not. */
	later: boolean;
	/** Set by the queue while the run waits: now it is not behind any more. */
	raise?: () => void;
}

/** A bounded number of concurrent runs with a bounded queue before them. */
export interface Slots {
	/**
	 * Runs `work` when a slot is free, first come first served. Rejects with the signal's reason when it
	 * aborts first, and with `full()` when the queue holds its limit.
	 */
	run<T>(signal: AbortSignal, work: () => Promise<T>, standing?: Standing): Promise<T>;
	readonly running: number;
	readonly waiting: number;
}

/** Throws RangeError for bounds below one. */
export function createSlots(runningMax: number, waitingMax: number, full: () => Error): Slots {
	if (!(runningMax >= 1) || !(waitingMax >= 1))
		throw new RangeError("slots and their queue need a bound of at least 1");
	const first = new Set<() => void>();
	const behind = new Set<() => void>();
	let running = 0;

	const acquire = (signal: AbortSignal, standing: Standing | null): Promise<void> => {
		if (signal.aborted) return Promise.reject(signal.reason);
		if (running < runningMax) {
			running++;
			return Promise.resolve();
		}
		if (first.size + behind.size >= waitingMax) return Promise.reject(full());
		return new Promise((resolve, reject) => {
			const enter = () => {
				forget();
				resolve();
			};
			const forget = onAbort(signal, () => {
				first.delete(enter);
				behind.delete(enter);
				reject(signal.reason);
			});
			(standing?.later ? behind : first).add(enter);
			if (standing?.later) {
				standing.raise = () => {
					if (!behind.delete(enter)) return;
					standing.later = false;
					first.add(enter);
				};
			}
		});
	};

	/** The slot passes to the next in the queue without being given back in between. */
	const release = () => {
		const queue = first.size > 0 ? first : behind;
		const [next] = queue;
		if (next === undefined) {
			running--;
			return;
		}
		queue.delete(next);
		next();
	};

	return {
		async run(signal, work, standing) {
			await acquire(signal, standing ?? null);
			try {
				return await work();
			} finally {
				release();
			}
		},
		get running() {
			return running;
		},
		get waiting() {
			return first.size + behind.size;
		},
	};
}
