import { readdirSync, readFileSync } from "node:fs";

/** Processor time of a process's first thread, and how long it waited for a core, ms: Node's event loop, Redis's commands. */
export interface Scheduled {
	main_ms: number;
	/** Ready to run, but other work had the cores: what makes wall times of a busy machine longer. */
	waited_ms: number;
}

const MS_PER_NS = 1e-6;

/** Zeros where the system does not tell (only Linux does). */
export function scheduledOf(pid: number, thread: number = pid): Scheduled {
	try {
		const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
		const [ran = 0, waited = 0] = text.split(" ").map(Number);
		return { main_ms: ran * MS_PER_NS, waited_ms: waited * MS_PER_NS };
	} catch {
		return { main_ms: 0, waited_ms: 0 };
	}
}

/** Processor time of all threads that live, µs; 0 where the system does not tell. Finer than the ticks of the whole process. */
export function threadsCpuUs(pid: number): number {
	try {
		const threads = readdirSync(`/proc/${pid}/task`);
		return threads.reduce((sum, thread) => sum + scheduledOf(pid, Number(thread)).main_ms * 1_000, 0);
	} catch {
		return 0;
	}
}

export const usedBetween = (before: Scheduled, after: Scheduled): Scheduled => ({
	main_ms: after.main_ms - before.main_ms,
	waited_ms: after.waited_ms - before.waited_ms,
});

/** Part of the time in which the thread was ready that it had a core; 1 where nothing is known. */
export const shareOf = ({ main_ms, waited_ms }: Scheduled): number =>
	main_ms + waited_ms > 0 ? main_ms / (main_ms + waited_ms) : 1;
