/**
 * What waits for the turn of the event loop to go on, and what is done when all of it has: steps of many scans that
 * become due in one turn run one after the other, and what they send leaves together at the end of that very turn.
 */
export interface LoopTurns {
	/** Resolves when all that has already arrived in this turn of the event loop has been handled. */
	next(): Promise<void>;
	/** Resolves when what `next` lets go on in this turn has done so; what is sent then still leaves with it. */
	over(): Promise<void>;
	/** Calls `task` behind everything that `next` lets go on in this turn. */
	atEnd(task: () => void): void;
}

type Tasks = (() => void)[];

export function createLoopTurns(): LoopTurns {
	const [steps, looksBack, ends]: [Tasks, Tasks, Tasks] = [[], [], []];
	let isScheduled = false;

	function schedule(): void {
		if (isScheduled) return;
		isScheduled = true;
		// Callbacks of one phase of the loop: before the next one runs all that follows from the one before.
		setImmediate(() => carryOut(steps));
		setImmediate(() => carryOut(looksBack));
		setImmediate(() => {
			isScheduled = false;
			if (steps.length > 0 || looksBack.length > 0) schedule();
			carryOut(ends);
		});
	}
	const add = (tasks: Tasks, task: () => void): void => {
		tasks.push(task);
		schedule();
	};
	return {
		next: () => new Promise((resolve) => add(steps, resolve)),
		over: () => new Promise((resolve) => add(looksBack, resolve)),
		atEnd: (task) => add(ends, task),
	};
}

/** Does all of them that are there by now; one that breaks does so as in a callback of its own. */
function carryOut(tasks: Tasks): void {
	for (const task of tasks.splice(0)) {
		try {
			task();
		} catch (error) {
			queueMicrotask(() => {
				throw error;
			});
		}
	}
}

/** Those of this process. */
export const loopTurns: LoopTurns = createLoopTurns();
