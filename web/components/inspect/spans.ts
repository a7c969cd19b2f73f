import type { JournalEvent } from "../../lib/events.ts";
import { words } from "../../lib/format.ts";
import { namesIn } from "./fold.ts";

/** A stretch of time in the picture of a scan, ms since the epoch. */
export interface Bar {
	from_ms: number;
	to_ms: number;
	/** wait, phase, running, or a verdict. */
	kind: string;
	text: string;
	/** Nothing has ended it yet. */
	open: boolean;
}

export interface Lane {
	label: string;
	group: "scan" | "strategy";
	bars: Bar[];
	/** How it ended, in words. */
	end: string;
}

export interface Mark {
	at_ms: number;
	text: string;
}

const WORKER = "worker";
const isOpen = ({ bars }: Lane): boolean => bars.at(-1)?.open ?? false;
const msOf = (entry: JournalEvent): number => Date.parse(entry.at);

class Lanes {
	readonly all: Lane[] = [];
	readonly #byKey = new Map<string, Lane>();
	of(key: string, label: string, group: Lane["group"]): Lane {
		let lane = this.#byKey.get(key);
		if (!lane) {
			lane = { label, group, bars: [], end: "" };
			this.#byKey.set(key, lane);
			this.all.push(lane);
		}
		return lane;
	}
}

function close(lane: Lane, at_ms: number, kind?: string): void {
	const bar = lane.bars.at(-1);
	if (!bar?.open) return;
	bar.to_ms = at_ms;
	bar.open = false;
	if (kind) bar.kind = kind;
}

function begin(lane: Lane, at_ms: number, kind: string, text: string): void {
	close(lane, at_ms);
	lane.bars.push({ from_ms: at_ms, to_ms: at_ms, kind, text, open: true });
}

/**
 * Phases and strategies as lanes of bars, waits between them, who held the scan, and the moments a worker took it.
 * `seenMs`: a moment at which the scan was still seen alive, later than its last entry; null when there is none.
 */
export function lanesOf(
	entries: readonly JournalEvent[],
	seenMs: number | null,
): {
	lanes: Lane[];
	marks: Mark[];
	from_ms: number;
	to_ms: number;
} {
	const lanes = new Lanes();
	const marks: Mark[] = [];
	const names = namesIn(entries);
	for (const entry of entries) {
		const at = msOf(entry);
		const { type, payload } = entry;
		const phase = typeof payload.phase === "string" ? payload.phase : "";
		const queue = () => lanes.of("wait", "Queue", "scan");
		const strategy = (id: string) => lanes.of(`s:${id}`, names.get(id) ?? id, "strategy");
		if (type === "scan.created") begin(queue(), at, "wait", "waits for a worker");
		if (type === "scan.claimed") close(queue(), at);
		if (type === "scan.claimed" || type === "scan.resumed") {
			marks.push({ at_ms: at, text: `${words(type.slice(5))} by ${String(payload.worker_id)}` });
			begin(lanes.of(WORKER, "Worker", "scan"), at, "phase", `held by ${String(payload.worker_id)}`);
		}
		if (type === "phase.started") begin(lanes.of(`p:${phase}`, words(phase), "scan"), at, "phase", words(phase));
		if (type === "phase.completed") close(lanes.of(`p:${phase}`, words(phase), "scan"), at);
		if (type === "phase.failed") {
			const lane = lanes.of(`p:${phase}`, words(phase), "scan");
			close(lane, at, "failed");
			lane.end = "failed";
		}
		if (type === "strategies.resolved" && Array.isArray(payload.strategy_ids)) {
			for (const id of payload.strategy_ids) begin(strategy(String(id)), at, "wait", "waits for its turn");
		}
		if (type.startsWith("scan.") && ["completed", "failed", "cancelled"].includes(type.slice(5))) {
			for (const lane of lanes.all) close(lane, at);
		}
		if (entry.strategy_id === null) continue;
		const lane = strategy(entry.strategy_id);
		const attempt = entry.attempt ?? 1;
		if (type === "strategy.started") begin(lane, at, "running", `attempt ${attempt}`);
		if (type === "strategy.retried") {
			close(lane, at, "failed");
			begin(lane, at, "wait", `waits before attempt ${attempt + 1}`);
		}
		if (type === "strategy.settled") {
			const verdict = String(payload.verdict);
			close(lane, at, lane.bars.at(-1)?.kind === "wait" ? "wait" : verdict);
			lane.end = words(verdict);
		}
	}
	const first = entries[0];
	const last = entries.at(-1);
	const from_ms = first ? msOf(first) : 0;
	const to_ms = Math.max(last ? msOf(last) : 0, lanes.all.some(isOpen) ? (seenMs ?? 0) : 0);
	for (const lane of lanes.all) {
		for (const bar of lane.bars) if (bar.open) bar.to_ms = to_ms;
		// A wait that took no time is none.
		lane.bars = lane.bars.filter((bar) => bar.kind !== "wait" || bar.open || bar.to_ms > bar.from_ms);
	}
	return { lanes: lanes.all, marks, from_ms, to_ms };
}
