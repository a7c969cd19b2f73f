/**
 * What waits for the turn of the event loop to go on, and what is done when all of it has: steps of many scans that
 * become due in one turn run one after the other, and what they send leaves together at the end of that very turn.
 */

let waiting: (() => void)[] = [];
let lookingBack: (() => void)[] = [];
let atEnd: (() => void)[] = [];
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
	const due = atEnd;
	atEnd = [];
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

/** Resolves when all that has already arrived in this turn of the event loop has been handled. */
export const nextTurn = (): Promise<void> =>
	new Promise((resolve) => {
		waiting.push(resolve);
		schedule();
	});

/** Resolves when what `nextTurn` lets go on in this turn has done so; what is sent then still leaves with it. */
export const turnOver = (): Promise<void> =>
	new Promise((resolve) => {
		lookingBack.push(resolve);
		schedule();
	});

/** Calls `task` behind everything that `nextTurn` lets go on in this turn. */
export function atTurnEnd(task: () => void): void {
	atEnd.push(task);
	schedule();
}
