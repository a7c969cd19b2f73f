import type { Json } from "./client.ts";
import type { ScanEvent } from "./events.ts";
import { harmless } from "./terminal.ts";

/** What the live view knows of a strategy. */
export interface LiveStrategy {
	id: string;
	state: "waiting" | "running" | "retrying" | "ended";
	verdict: string | null;
	startedMs: number | null;
	endedMs: number | null;
	found: number;
}

export interface LiveScan {
	phase: string;
	strategies: Map<string, LiveStrategy>;
	found: number;
	ended: { type: string; message: string } | null;
}

export const newLiveScan = (): LiveScan => ({ phase: "queued", strategies: new Map(), found: 0, ended: null });

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The view after one more entry of the journal. */
export function applyEvent(scan: LiveScan, { type, at, payload, strategy_id }: ScanEvent): LiveScan {
	const strategies = new Map(scan.strategies);
	const change = (changes: Partial<LiveStrategy>) => {
		const held = strategies.get(strategy_id ?? "");
		if (held) strategies.set(held.id, { ...held, ...changes });
	};
	const atMs = Date.parse(at);
	switch (type) {
		case "phase.started":
			return { ...scan, phase: textOf(payload.phase) };
		case "strategies.resolved":
			for (const id of (payload.strategy_ids as string[]) ?? [])
				strategies.set(id, { id, state: "waiting", verdict: null, startedMs: null, endedMs: null, found: 0 });
			break;
		case "strategy.started":
			change({ state: "running", startedMs: strategies.get(strategy_id ?? "")?.startedMs ?? atMs });
			break;
		case "strategy.retried":
			change({ state: "retrying" });
			break;
		case "strategy.row_found":
			change({ found: (strategies.get(strategy_id ?? "")?.found ?? 0) + 1 });
			return { ...scan, strategies, found: scan.found + 1 };
		case "strategy.settled":
			change({ state: "ended", verdict: textOf(payload.verdict), endedMs: atMs });
			break;
		case "scan.completed":
		case "scan.failed":
		case "scan.cancelled":
			return {
				...scan,
				phase: textOf(payload.phase) || type.slice(5),
				ended: { type, message: textOf(payload.message) },
			};
	}
	return { ...scan, strategies };
}

/** One line for logs and pipes; null for entries that say nothing new to a reader. */
export function plainLine({ type, at, payload, strategy_id }: ScanEvent): string | null {
	const time = at.slice(11, 23);
	const row = payload.opportunity as Json | undefined;
	switch (type) {
		case "phase.started":
			return `${time} phase ${textOf(payload.phase)}`;
		case "strategy.retried":
			return `${time} ${strategy_id} tries again`;
		case "strategy.row_found":
			return harmless(`${time} ${strategy_id} found ${textOf(row?.symbol)} ${textOf(row?.side)}`);
		case "strategy.settled": {
			const counts = `${payload.published} published, ${payload.evaluated} looked at`;
			const reason = payload.reason ? ` (${payload.reason})` : "";
			return harmless(`${time} ${strategy_id} ${payload.verdict}${reason}: ${counts}`);
		}
		case "scan.completed":
		case "scan.failed":
		case "scan.cancelled":
			return harmless(`${time} ${type.slice(5)}: ${textOf(payload.message)}`);
		default:
			return null;
	}
}

const elapsed = ({ startedMs, endedMs }: LiveStrategy, nowMs: number): string =>
	startedMs === null ? "" : `${(Math.max(0, (endedMs ?? nowMs) - startedMs) / 1000).toFixed(1)} s`;

const MARKS = { waiting: "·", running: "▸", retrying: "↻", ended: "✓" } as const;

/** The whole view as lines, at most `columns` wide. */
export function drawLive(scan: LiveScan, nowMs: number, columns: number): string[] {
	const all = [...scan.strategies.values()];
	const done = all.filter(({ state }) => state === "ended").length;
	const width = Math.max(10, Math.min(40, columns - 50));
	const filled = all.length === 0 ? 0 : Math.round((width * done) / all.length);
	const bar = `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
	const head = `${scan.phase.padEnd(16)} ${bar} ${done}/${all.length || "?"}  ${scan.found} found`;
	const lines = all.map((entry) => {
		const mark = entry.verdict === "failed" || entry.verdict === "timed_out" ? "✗" : MARKS[entry.state];
		return `  ${mark} ${entry.id.padEnd(30)} ${(entry.verdict ?? entry.state).padEnd(10)} ${elapsed(entry, nowMs).padStart(8)}  ${entry.found || ""}`;
	});
	return [head, ...lines].map((line) => line.slice(0, columns).trimEnd());
}
