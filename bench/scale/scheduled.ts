import { readdirSync, readFileSync } from "node:fs";

/** Processor time of a process by thread, and how long its threads waited for a core, ms. */
export interface Scheduled {
	/** The thread of the event loop. */
	main_ms: number;
	all_ms: number;
	/** Ready to run, but other work had the cores: what makes wall times of a busy machine longer. */
	waited_ms: number;
}

const MS_PER_NS = 1e-6;

/** Zeros where the system does not tell (only Linux does); threads that have ended are not counted. */
export function scheduledOf(pid: number): Scheduled {
	const sum: Scheduled = { main_ms: 0, all_ms: 0, waited_ms: 0 };
	try {
		for (const thread of readdirSync(`/proc/${pid}/task`)) {
			const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8")
				.split(" ")
				.map(Number);
			sum.all_ms += ran * MS_PER_NS;
			sum.waited_ms += waited * MS_PER_NS;
			if (Number(thread) === pid) sum.main_ms = ran * MS_PER_NS;
		}
	} catch {
		// Another system, or the process has ended.
	}
	return sum;
}

export const usedBetween = (before: Scheduled, after: Scheduled): Scheduled => ({
	main_ms: after.main_ms - before.main_ms,
	all_ms: after.all_ms - before.all_ms,
	waited_ms: after.waited_ms - before.waited_ms,
});

/** Part of the time in which a thread was ready that it had a core; 1 where nothing is known. */
export const shareOf = ({ all_ms, waited_ms }: Scheduled): number =>
	all_ms + waited_ms > 0 ? all_ms / (all_ms + waited_ms) : 1;
