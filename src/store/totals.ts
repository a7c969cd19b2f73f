import type { Redis } from "ioredis";
import { PHASES } from "../../machines/types.ts";
import type { ScanRecord } from "./contract.ts";
import { globalKeys, scanKeys } from "./keys.ts";

/**
 * Running totals over all processes, for operators' monitoring. They only grow, outlive every process and
 * are never read back as authority. A field is a name and its label values, joined by `|`.
 */
export type Totals = Record<string, number>;

/** Upper ends of a histogram's buckets, seconds; what is longer counts as `+Inf`. */
export const SCAN_SECONDS = [1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 150] as const;
export const STRATEGY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

export const PHASE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;

export const TOTAL = {
	started: "scans_started",
	takeovers: "lease_takeovers",
	terminal: "scans_terminal",
	verdicts: "strategy_verdicts",
	scanSeconds: "scan_seconds",
	strategySeconds: "strategy_seconds",
	requests: "source_requests",
	phaseSeconds: "phase_seconds",
	commits: "scan_commits",
	heals: "scan_heals",
	scheduleRuns: "schedule_runs",
	deliveries: "webhook_deliveries",
} as const;

export const totalField = (...parts: readonly string[]): string => parts.join("|");

/** Running scans looked at for the oldest heartbeat: those whose lease ends first. */
const HEARTBEATS_READ_MAX = 100;

export interface MonitoringReader {
	totals(): Promise<Totals>;
	/** Epoch ms of the oldest heartbeat among scans that a worker has claimed; null when there is none. */
	oldestHeartbeatMs(): Promise<number | null>;
	/** Epoch ms of the acceptance of the scan that has waited longest for a worker; null when none waits. */
	oldestUnclaimedMs(): Promise<number | null>;
	/** Epoch ms of the end of the last whole watchdog pass of any process. */
	lastSweepMs(): Promise<number | null>;
}

export function createMonitoringReader(redis: Redis): MonitoringReader {
	return {
		async totals() {
			const held = await redis.hgetall(globalKeys.totals);
			return Object.fromEntries(Object.entries(held).map(([field, text]) => [field, Number(text)]));
		},
		async oldestHeartbeatMs() {
			const ids = await redis.zrange(globalKeys.leases, 0, String(HEARTBEATS_READ_MAX - 1));
			const read = await Promise.all(ids.map((id) => redis.hmget(scanKeys(id).scan, "hb", "end")));
			const beats = read.filter(([hb, end]) => hb && end !== "1").map(([hb]) => Number(hb));
			return beats.length === 0 ? null : Math.min(...beats);
		},
		async oldestUnclaimedMs() {
			const [, score] = await redis.zrange(globalKeys.unclaimed, 0, "0", "WITHSCORES");
			return score === undefined ? null : Number(score);
		},
		async lastSweepMs() {
			const text = await redis.get(globalKeys.sweep);
			return text === null ? null : Number(text);
		},
	};
}

/** Adds to totals that are counted where they happen; a failure costs a count and nothing else. */
export async function addTotals(redis: Redis, amounts: Totals): Promise<void> {
	const fields = Object.entries(amounts).filter(([, amount]) => amount > 0);
	if (fields.length === 0) return;
	const pipeline = redis.pipeline();
	for (const [field, amount] of fields) pipeline.hincrby(globalKeys.totals, field, amount);
	const replies = await pipeline.exec();
	const failed = replies?.find(([error]) => error !== null);
	if (failed?.[0]) throw failed[0];
}

/** The fields of one histogram: a count for each bucket, and the sum of all. */
interface Histogram {
	ends: readonly number[];
	counts: string[];
	sum: string;
}

const histogram = (name: readonly string[], ends: readonly number[]): Histogram => ({
	ends,
	counts: [...ends.map(String), "+Inf"].map((end) => totalField(...name, "le", end)),
	sum: totalField(...name, "sum_ms"),
});

const SCANS = histogram([TOTAL.scanSeconds], SCAN_SECONDS);

/** Names are few and told with every scan; a store full of unknown ones must not fill the memory. */
const NAMES_MAX = 1_000;

function remembered<T>(make: (name: string) => T): (name: string) => T {
	const held = new Map<string, T>();
	return (name) => {
		let value = held.get(name);
		if (value === undefined) {
			value = make(name);
			if (held.size >= NAMES_MAX) held.clear();
			held.set(name, value);
		}
		return value;
	};
}

const phaseHistogram = remembered((phase) => histogram([TOTAL.phaseSeconds, phase], PHASE_SECONDS));
const strategyFields = remembered((strategyId) => ({
	seconds: histogram([TOTAL.strategySeconds, strategyId], STRATEGY_SECONDS),
	verdict: remembered((verdict) => totalField(TOTAL.verdicts, strategyId, verdict)),
}));

/**
 * Adds what one ended scan counts for to `sums`. Strategies that were carried over were counted by the scan that ran
 * them. A map, because the fields of an object that grows by names are looked for one by one.
 */
export function addAmounts(sums: Map<string, number>, { position, context, progress_at_ms }: ScanRecord): void {
	const add = (field: string, amount = 1) => {
		sums.set(field, (sums.get(field) ?? 0) + amount);
	};
	const observe = ({ ends, counts, sum }: Histogram, durationMs: number) => {
		let bucket = 0;
		while (bucket < ends.length && durationMs / 1000 > (ends[bucket] as number)) bucket += 1;
		add(counts[bucket] as string);
		add(sum, Math.round(durationMs));
	};
	const { end, outcome } = context;
	const state = position === "completed" ? "complete" : position;
	const reason = position === "completed" ? outcome : position === "failed" ? end?.error?.code : end?.reason;
	add(totalField(TOTAL.terminal, state, reason ?? "unknown"));
	observe(SCANS, Math.max(0, (end?.at_ms ?? progress_at_ms) - context.input.accepted_at_ms));
	for (const phase of PHASES) {
		const span = context.phases[phase];
		if (!span || span.ended_at_ms === null) continue;
		observe(phaseHistogram(phase), Math.max(0, span.ended_at_ms - span.started_at_ms));
	}
	for (const entry of context.strategies) {
		if (entry.carried_over_from !== null) continue;
		const { verdict, seconds } = strategyFields(entry.strategy_id);
		add(verdict(entry.verdict ?? "unknown"));
		if (entry.started_at_ms === null || entry.ended_at_ms === null) continue;
		observe(seconds, Math.max(0, entry.ended_at_ms - entry.started_at_ms));
	}
}

/**
 * Amounts by field, each as one word: how many characters the field shares with the one before, the amount, and the rest
 * of the field. The names are long and most of one says what its neighbour says (front coding, as in sorted dictionaries).
 */
export function frontCoded(amounts: ReadonlyMap<string, number>): string[] {
	let before = "";
	return [...amounts].sort(byField).map(([field, amount]) => {
		let shared = 0;
		// Beyond ASCII the server's bytes are no characters.
		for (; shared < before.length; shared++) {
			const code = before.charCodeAt(shared);
			if (code !== field.charCodeAt(shared) || code > 127) break;
		}
		before = field;
		return `${shared} ${amount} ${field.slice(shared)}`;
	});
}

const byField = ([a]: [string, number], [b]: [string, number]): number => (a < b ? -1 : 1);
