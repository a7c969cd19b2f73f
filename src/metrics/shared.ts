import { type Metric, Registry } from "prom-client";
import { SCAN_ERROR_CODES } from "../../machines/types.ts";
import { HEALS } from "../store/commit-tally.ts";
import type { SourceHealth } from "../store/contract.ts";
import { PHASE_SECONDS, SCAN_SECONDS, STRATEGY_SECONDS, TOTAL, type Totals, totalField } from "../store/totals.ts";

/** What concerns all processes, read from Redis at the moment of the question. */
export interface SharedFigures {
	totals: Totals;
	active: number;
	queued: number;
	/** Age of the oldest heartbeat among running scans, ms; null when no scan runs. */
	heartbeat_age_ms: number | null;
	/** Time that the oldest scan has waited for a worker, ms; null when none waits. */
	queue_age_ms: number | null;
	/** Since the last whole watchdog pass of any process, ms; null before the first. */
	sweep_age_ms: number | null;
	/** Round trip of a small write, ms. */
	redis_ms: number | null;
	/** Scans with a verdict of being stuck; null when they could not be looked at in time. */
	stuck: number | null;
	hit_rate: number | null;
	sources: readonly SourceHealth[];
}

interface Value {
	value: number;
	labels: Record<string, string>;
	metricName?: string;
}

/** Totals of one name with their label values. */
function labelled(totals: Totals, name: string, labelNames: readonly string[]): Value[] {
	return Object.entries(totals)
		.map(([field, value]) => ({ parts: field.split("|"), value }))
		.filter(({ parts }) => parts[0] === name && parts.length === labelNames.length + 1)
		.map(({ parts, value }) => ({
			value,
			labels: Object.fromEntries(labelNames.map((label, i) => [label, parts[i + 1] ?? ""])),
		}));
}

/** Buckets are stored each for itself; here each holds what is at most its upper end. */
function histogram(
	totals: Totals,
	field: string,
	metric: string,
	bounds: readonly number[],
	labels: Record<string, string>,
): Value[] {
	let count = 0;
	const buckets = [...bounds.map(String), "+Inf"].map((le) => {
		count += totals[`${field}|le|${le}`] ?? 0;
		return { value: count, labels: { ...labels, le }, metricName: `${metric}_bucket` };
	});
	return [
		...buckets,
		{ value: (totals[`${field}|sum_ms`] ?? 0) / 1000, labels, metricName: `${metric}_sum` },
		{ value: count, labels, metricName: `${metric}_count` },
	];
}

const one = (value: number | null): Value[] => (value === null ? [] : [{ value, labels: {} }]);

/** One histogram for each value of the label that the totals hold. */
function histograms(totals: Totals, name: string, metric: string, bounds: readonly number[], label: string): Value[] {
	const values = new Set(
		Object.keys(totals).flatMap((field) => (field.startsWith(`${name}|`) ? [field.split("|")[1] ?? ""] : [])),
	);
	return [...values]
		.sort()
		.flatMap((value) => histogram(totals, `${name}|${value}`, metric, bounds, { [label]: value }));
}

const seconds = (ms: number | null): Value[] => one(ms === null ? null : ms / 1000);

/**
 * What alerts look for stands at 0 until it happens: a counter that appears with its first event would not
 * have grown, so the first event would raise no alarm.
 */
const NOT_YET: Totals = Object.fromEntries(
	[
		...["ok", "duplicate", "fenced", "missing"].map((result) => totalField(TOTAL.commits, result)),
		...HEALS.map((cause) => totalField(TOTAL.heals, cause)),
		...SCAN_ERROR_CODES.map((code) => totalField(TOTAL.terminal, "failed", code)),
		...["started", "joined", "skipped", "queued", "refused"].map((result) => totalField(TOTAL.scheduleRuns, result)),
		...["delivered", "retried", "dead"].map((result) => totalField(TOTAL.deliveries, result)),
	].map((field) => [field, 0]),
);

type Row = [name: string, type: "counter" | "gauge" | "histogram", help: string, values: Value[]];

const rows = ({
	totals,
	active,
	queued,
	heartbeat_age_ms,
	queue_age_ms,
	sweep_age_ms,
	redis_ms,
	stuck,
	hit_rate,
	sources,
}: SharedFigures): Row[] => [
	["scans_started_total", "counter", "Scans that were accepted", one(totals[TOTAL.started] ?? 0)],
	[
		"scans_terminal_total",
		"counter",
		"Scans that ended: state, and outcome, error code or cancel reason",
		labelled({ ...NOT_YET, ...totals }, TOTAL.terminal, ["status", "reason"]),
	],
	[
		"scan_duration_seconds",
		"histogram",
		"Time from acceptance to end",
		histogram(totals, TOTAL.scanSeconds, "scan_duration_seconds", SCAN_SECONDS, {}),
	],
	["scans_active", "gauge", "Scans that have not ended, waiting ones included", one(active)],
	["scans_queued", "gauge", "Scans that no worker has taken yet", one(queued)],
	[
		"scan_heartbeat_age_seconds",
		"gauge",
		"Age of the oldest heartbeat among running scans, 0 without any",
		one((heartbeat_age_ms ?? 0) / 1000),
	],
	[
		"strategy_verdicts_total",
		"counter",
		"How strategies of ended scans ended",
		labelled(totals, TOTAL.verdicts, ["strategy_id", "verdict"]),
	],
	[
		"strategy_duration_seconds",
		"histogram",
		"Time that a strategy of an ended scan took",
		histograms(totals, TOTAL.strategySeconds, "strategy_duration_seconds", STRATEGY_SECONDS, "strategy_id"),
	],
	[
		"scan_phase_duration_seconds",
		"histogram",
		"Time that a phase of an ended scan took",
		histograms(totals, TOTAL.phaseSeconds, "scan_phase_duration_seconds", PHASE_SECONDS, "phase"),
	],
	[
		"source_requests_total",
		"counter",
		"Requests that workers sent to market sources",
		labelled(totals, TOTAL.requests, ["source", "outcome"]),
	],
	[
		"source_breaker_open",
		"gauge",
		"1 while some worker's breaker of the source is open",
		sources.map(({ source, breaker_open }) => ({ value: breaker_open ? 1 : 0, labels: { source } })),
	],
	["market_cache_hit_ratio", "gauge", "Share of the workers' market reads answered from memory", one(hit_rate)],
	[
		"scan_queue_oldest_seconds",
		"gauge",
		"Time that the oldest scan has waited for a worker, 0 when none waits",
		seconds(queue_age_ms ?? 0),
	],
	[
		"scan_commits_total",
		"counter",
		"Commits to scans: ok, duplicate (sent again), fenced (an old holder, refused), missing (the scan is gone)",
		labelled({ ...NOT_YET, ...totals }, TOTAL.commits, ["result"]),
	],
	[
		"scan_heals_total",
		"counter",
		"What was healed, by its cause",
		labelled({ ...NOT_YET, ...totals }, TOTAL.heals, ["cause"]),
	],
	["scans_stuck", "gauge", "Running scans whose verdict is that they are stuck", one(stuck)],
	["sweep_age_seconds", "gauge", "Time since a watchdog of any process made a whole pass", seconds(sweep_age_ms)],
	["redis_latency_seconds", "gauge", "Round trip of a small write to Redis, from this process", seconds(redis_ms)],
	[
		"schedule_runs_total",
		"counter",
		"Runs of schedules that were due: started, joined (an equal scan ran), skipped or queued (overlap), refused",
		labelled({ ...NOT_YET, ...totals }, TOTAL.scheduleRuns, ["result"]),
	],
	[
		"webhook_deliveries_total",
		"counter",
		"Attempts at deliveries by how they ended: delivered, retried (failed, to be tried again), dead (given up)",
		labelled({ ...NOT_YET, ...totals }, TOTAL.deliveries, ["result"]),
	],
	["lease_takeovers_total", "counter", "Scans taken over after a lost lease", one(totals[TOTAL.takeovers] ?? 0)],
];

/** The shared metrics in the text format. `figures` null: Redis did not answer, so names stand without values. */
export function sharedMetrics(figures: SharedFigures | null): Promise<string> {
	const registry = new Registry();
	const empty: SharedFigures = {
		totals: {},
		active: 0,
		queued: 0,
		heartbeat_age_ms: null,
		queue_age_ms: null,
		sweep_age_ms: null,
		redis_ms: null,
		stuck: null,
		hit_rate: null,
		sources: [],
	};
	for (const [name, type, help, values] of rows(figures ?? empty)) {
		// The library has no metric whose histogram is given; what it asks of one is this.
		const given = { name, get: async () => ({ name, type, help, values: figures ? values : [], aggregator: "sum" }) };
		registry.registerMetric(given as unknown as Metric);
	}
	return registry.metrics();
}
