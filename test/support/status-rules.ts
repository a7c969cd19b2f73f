/** What must hold of the status bodies of one scan, wherever they were read: in a simulation or from real processes. */

export interface ShownStatus {
	state: string;
	revision: number;
	completed: number;
	total: number;
	found: number;
	percentage: number;
	verdicts: Record<string, number>;
	/** Epoch ms; null while it runs. */
	ended_at_ms: number | null;
}

/** One read: when it was sent and answered, on one clock, and what it said. */
export interface StatusRead<Body extends ShownStatus = ShownStatus> {
	sent_ms: number;
	done_ms: number;
	body: Body;
}

export type Report = (rule: "monotone" | "one end" | "counts", detail: string) => void;

const ENDS: ReadonlySet<string> = new Set(["complete", "failed", "cancelled"]);
const OPEN_COUNTS: ReadonlySet<string> = new Set(["running", "pending"]);

export const hasEnded = ({ state }: Pick<ShownStatus, "state">): boolean => ENDS.has(state);

/** A status body as the API sends it. */
export interface ApiStatus {
	state: string;
	revision: number;
	completed_at: string | null;
	progress: {
		strategies_completed: number;
		total_strategies: number;
		opportunities_found_so_far: number;
		percentage: number;
		verdicts: Record<string, number>;
	};
}

export const shownStatus = ({ state, revision, completed_at, progress }: ApiStatus): ShownStatus => ({
	state,
	revision,
	completed: progress.strategies_completed,
	total: progress.total_strategies,
	found: progress.opportunities_found_so_far,
	percentage: progress.percentage,
	verdicts: progress.verdicts,
	ended_at_ms: completed_at === null ? null : Date.parse(completed_at),
});

/** Of two reads of which one was answered before the other was sent, the later one is never behind, on any process. */
export function checkNeverGoesBack(reads: readonly StatusRead[], report: Report): void {
	const byEnd = [...reads].sort((a, b) => a.done_ms - b.done_ms);
	let ended = 0;
	let most: ShownStatus | null = null;
	let end: ShownStatus | null = null;
	for (const { sent_ms, body } of [...reads].sort((a, b) => a.sent_ms - b.sent_ms)) {
		for (; ended < byEnd.length && (byEnd[ended]?.done_ms ?? 0) < sent_ms; ended++) {
			const before = byEnd[ended]?.body as ShownStatus;
			most = most ? furthest(most, before) : before;
			if (hasEnded(before)) end ??= before;
		}
		if (!most) continue;
		for (const counter of ["revision", "completed", "found", "percentage"] as const) {
			if (body[counter] < most[counter])
				report("monotone", `${counter} fell from ${most[counter]} to ${body[counter]}`);
		}
		if (most.total > 0 && body.total !== most.total)
			report("monotone", `total went from ${most.total} to ${body.total}`);
		if (most.state !== "queued" && body.state === "queued") report("monotone", `${most.state}, then queued`);
		if (end && (body.state !== end.state || body.revision !== end.revision || body.ended_at_ms !== end.ended_at_ms)) {
			report("one end", `${end.state} at revision ${end.revision}, then ${body.state} at ${body.revision}`);
		}
	}
}

const furthest = (a: ShownStatus, b: ShownStatus): ShownStatus => ({
	...(b.revision >= a.revision ? b : a),
	revision: Math.max(a.revision, b.revision),
	completed: Math.max(a.completed, b.completed),
	found: Math.max(a.found, b.found),
	percentage: Math.max(a.percentage, b.percentage),
	total: Math.max(a.total, b.total),
});

/** The verdicts of one body account for every strategy, and an end leaves none open. */
export function checkCounts(body: ShownStatus, report: Report): void {
	const counts = Object.entries(body.verdicts);
	const sum = counts.reduce((total, [, count]) => total + count, 0);
	const open = counts.reduce((total, [word, count]) => total + (OPEN_COUNTS.has(word) ? count : 0), 0);
	if (sum !== body.total) report("counts", `${sum} verdicts of ${body.total} strategies`);
	if (sum - open !== body.completed) report("counts", `${body.completed} completed, ${sum - open} with a verdict`);
	if (hasEnded(body) && open > 0) report("counts", `${body.state} with ${open} open strategies`);
	if (body.state === "complete" && body.percentage !== 100) report("counts", `complete at ${body.percentage} %`);
}
