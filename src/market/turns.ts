/** Resolves when the caller may use the thread for one piece of work; rejects with the signal's reason. */
export type Turns = (signal: AbortSignal) => Promise<void>;

/** Turns that were given are forgotten in so many steps, so that a long queue is not moved for each of them. */
const FORGET_AFTER = 1024;

/**
 * Hands out turns of the event loop, one piece of work a turn and first come first served, so that timers and
 * requests get in between however many callers are busy at once. `setImmediate` alone does not do that:
 * all immediates that were queued before a turn run within it. As many wait as there are callers, whom
 * the cache in front of a market bounds.
 */
export function createTurns(): Turns {
	let waiting: (() => void)[] = [];
	let given = 0;
	let scheduled = false;
	const next = () => {
		const start = waiting[given++];
		if (given >= FORGET_AFTER && given * 2 >= waiting.length) {
			waiting = waiting.slice(given);
			given = 0;
		}
		scheduled = given < waiting.length;
		// Set before the work starts: an immediate that is queued now runs after the next look at the network.
		if (scheduled) setImmediate(next);
		start?.();
	};
	return async (signal) => {
		signal.throwIfAborted();
		await new Promise<void>((resolve) => {
			waiting.push(resolve);
			if (scheduled) return;
			scheduled = true;
			setImmediate(next);
		});
		signal.throwIfAborted();
	};
}
