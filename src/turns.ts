/**
 * What waits for the turn of the event loop to go on, and what is done when all of it has: steps of many scans that
 * become due in one turn run one after the other, and what they send leaves together at the end of that very turn.
 */
export interface Turns {
	/** Resolves when all that has already arrived in this turn of the event loop has been handled. */
	next(): Promise<void>;
	/** Resolves when what `next` lets go on in this turn has done so; what is sent then still leaves with it. */
	over(): Promise<void>;
	/** Calls `task` behind everything that `next` lets go on in this turn. */
	atEnd(task: () => void): void;
}

export function createTurns(): Turns {
	let waiting: (() => void)[] = [];
	let lookingBack: (() => void)[] = [];
	let ends: (() => void)[] = [];
	let isScheduled = false;

	function schedule(): void {
		if (isScheduled) return;
		isScheduled = true;
		// Callbacks of one phase of the loop: before the next one runs all that follows from the one before.
		setImmediate(goOn);
		setImmediate(lookBack);
		setImmediate(end);
	}

	function goOn(): void {
		const due = waiting;
		waiting = [];
		for (const resume of due) resume();
	}

	function lookBack(): void {
		const due = lookingBack;
		lookingBack = [];
		for (const resume of due) resume();
	}

	function end(): void {
		isScheduled = false;
		const due = ends;
		ends = [];
		if (waiting.length > 0 || lookingBack.length > 0) schedule();
		for (const task of due) {
			try {
				task();
			} catch (error) {
				// As of a callback of its own, so that the other tasks are done.
				queueMicrotask(() => {
					throw error;
				});
			}
		}
	}

	const joined = (list: () => (() => void)[]): Promise<void> =>
		new Promise((resolve) => {
			list().push(resolve);
			schedule();
		});
	return {
		next: () => joined(() => waiting),
		over: () => joined(() => lookingBack),
		atEnd(task) {
			ends.push(task);
			schedule();
		},
	};
}

/** Those of this process. */
export const turns: Turns = createTurns();
