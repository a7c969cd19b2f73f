import type { Clock } from "../../src/clock.ts";
import type { Dice } from "./random.ts";

/**
 * Time and order of a simulation. Everything that happens is a task at a simulated moment; of the tasks of
 * one moment the seed picks the next. A task belongs to a process: a process that crashed loses its tasks,
 * one that is frozen gets them when it wakes. After each task all microtasks run, so between two tasks no
 * code of anybody is in the middle of something but waiting.
 */
export interface Process {
	readonly name: string;
	/** Grows at each restart; tasks of an earlier life never run. */
	life: number;
	alive: boolean;
	/** Frozen until this moment. */
	frozenUntilMs: number;
	/** Local clock: simulated time, running at `rate` since the start, plus the skew. */
	skewMs: number;
	rate: number;
	/** Its clock as the program gets it. */
	readonly clock: Clock;
}

export interface Task {
	atMs: number;
	order: number;
	number: number;
	owner: Process | null;
	life: number;
	run: (() => void) | null;
}

export interface World {
	readonly dice: Dice;
	now(): number;
	/** The process whose task is being run. */
	current(): Process | null;
	process(name: string): Process;
	/** Runs `run` after `delayMs` in `owner` (null: nobody's, never lost). */
	after(delayMs: number, owner: Process | null, run: () => void): Task;
	cancel(task: Task | null): void;
	crash(process: Process): void;
	restart(process: Process): void;
	freeze(process: Process, durationMs: number): void;
	/** Runs tasks until `done`, nothing is left, or `limit` tasks have run. */
	run(done: () => boolean, untilMs: number, limit: number): Promise<"done" | "idle" | "late" | "limit">;
	tasksRun(): number;
}

/** Real turn of the event loop, kept before anything replaces it: lets all microtasks run. */
const realSetImmediate = globalThis.setImmediate;

/** Moments lie a thousandth apart at least, so that a sum of delays never comes out before its parts. */
const TICK_MS = 0.001;

export function createWorld(dice: Dice, startMs: number): World {
	const heap = new TaskHeap();
	let now = startMs;
	let current: Process | null = null;
	let number = 0;
	let ran = 0;
	const order = dice.fork("order");

	const after = (delayMs: number, owner: Process | null, run: () => void): Task => {
		const atMs = now + Math.max(0, delayMs);
		const task: Task = { atMs, order: order.next(), number: number++, owner, life: owner?.life ?? 0, run };
		heap.push(task);
		return task;
	};
	const cancel = (task: Task | null) => {
		if (task) task.run = null;
	};
	const runOne = async (task: Task): Promise<void> => {
		now = Math.max(now, task.atMs);
		const { run, owner } = task;
		if (!run || (owner && (!owner.alive || owner.life !== task.life))) return;
		if (owner && owner.frozenUntilMs > now) {
			task.atMs = owner.frozenUntilMs + TICK_MS;
			task.order = order.next();
			heap.push(task);
			return;
		}
		task.run = null;
		ran += 1;
		current = owner;
		run();
		await new Promise<void>((resolve) => realSetImmediate(resolve));
		current = null;
	};
	return {
		dice,
		now: () => now,
		current: () => current,
		process: (name) => processOf(name, startMs, { now: () => now, after, cancel }),
		after,
		cancel,
		crash(process) {
			process.alive = false;
			process.frozenUntilMs = 0;
		},
		restart(process) {
			process.alive = true;
			process.life += 1;
		},
		freeze(process, durationMs) {
			process.frozenUntilMs = Math.max(process.frozenUntilMs, now + durationMs);
		},
		async run(done, untilMs, limit) {
			const stopAt = ran + limit;
			for (let task = heap.pop(); task; task = heap.pop()) {
				if (task.atMs > untilMs) {
					heap.push(task);
					return "late";
				}
				await runOne(task);
				if (done()) return "done";
				if (ran >= stopAt) return "limit";
			}
			return "idle";
		},
		tasksRun: () => ran,
	};
}

function processOf(name: string, startMs: number, world: Pick<World, "now" | "after" | "cancel">): Process {
	const process: Process = {
		name,
		life: 0,
		alive: true,
		frozenUntilMs: 0,
		skewMs: 0,
		rate: 1,
		clock: {
			now: () => Math.floor(startMs + (world.now() - startMs) * process.rate + process.skewMs),
			setTimeout: (callback, delayMs) => world.after(Math.max(1, delayMs) / process.rate, process, callback),
			clearTimeout: (handle) => world.cancel((handle ?? null) as Task | null),
		},
	};
	return process;
}

/** Binary heap by moment, then by the seed's order. */
class TaskHeap {
	private readonly items: Task[] = [];

	private static before(a: Task, b: Task): boolean {
		if (a.atMs !== b.atMs) return a.atMs < b.atMs;
		return a.order !== b.order ? a.order < b.order : a.number < b.number;
	}

	push(task: Task): void {
		const { items } = this;
		let at = items.push(task) - 1;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			const above = items[parent] as Task;
			if (!TaskHeap.before(task, above)) break;
			items[at] = above;
			at = parent;
		}
		items[at] = task;
	}

	pop(): Task | undefined {
		const { items } = this;
		const top = items[0];
		const last = items.pop();
		if (!top || !last || items.length === 0) return top;
		let at = 0;
		for (;;) {
			let child = 2 * at + 1;
			if (child >= items.length) break;
			if (child + 1 < items.length && TaskHeap.before(items[child + 1] as Task, items[child] as Task)) child += 1;
			if (!TaskHeap.before(items[child] as Task, last)) break;
			items[at] = items[child] as Task;
			at = child;
		}
		items[at] = last;
		return top;
	}
}

/**
 * Puts `setImmediate` under the world's order while `work` runs: the runtime uses it to let one turn of the
 * loop pass, and that turn is then one more place where the seed decides who goes first.
 */
export async function withWorldImmediates<T>(world: World, work: () => Promise<T>): Promise<T> {
	const patched = ((callback: (...args: unknown[]) => void, ...args: unknown[]) =>
		world.after(0, world.current(), () => callback(...args))) as unknown as typeof setImmediate;
	globalThis.setImmediate = patched;
	try {
		return await work();
	} finally {
		globalThis.setImmediate = realSetImmediate;
	}
}
