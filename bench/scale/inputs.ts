import { readMeasured } from "./measured.ts";

/**
 * What the capacity model is fed with, in one table, so that every figure can be replaced by one's own. `measured`
 * figures come from the command named; `setting` is a default of the program; `assumed` is nobody's measurement.
 */
export interface Input {
	value: number;
	unit: string;
	kind: "measured" | "setting" | "assumed";
	/** The command, the setting, or why so much is assumed. */
	source: string;
}

const measured = (value: number, unit: string, source: string): Input => ({ value, unit, kind: "measured", source });
const setting = (value: number, unit: string, source: string): Input => ({ value, unit, kind: "setting", source });
const assumed = (value: number, unit: string, source: string): Input => ({ value, unit, kind: "assumed", source });

/** What `bench:scale --live --write` has measured last. */
export const MEASURED = readMeasured();

const live = (name: string, unit: string): Input =>
	measured(MEASURED.inputs[name] ?? Number.NaN, unit, "bench:scale --live");
const WATCHERS = "bench:watchers";
const GROWTH = "bench:growth";
const MARKET = "bench:market";

export const INPUTS = {
	scan_main_ms: live("scan_main_ms", "CPU ms of the event loop a scan"),
	scan_threads_ms: live("scan_threads_ms", "CPU ms of other threads a scan, evidence known"),
	scan_redis_ms: live("scan_redis_ms", "CPU ms of Redis's one thread a scan"),
	scan_redis_commands: live("scan_redis_commands", "commands executed a scan, scripts' own included"),
	scan_in_kb: live("scan_in_kb", "KB to Redis a scan"),
	scan_out_kb: live("scan_out_kb", "KB from Redis a scan"),
	scan_kept_kb: live("scan_kept_kb", "KB of Redis's memory that a finished scan keeps"),
	scan_hold_s: live("scan_hold_s", "s that a warm scan holds its worker's place"),
	scan_round_trips: measured(14, "writes of a scan that wait for one another", "bench:orchestration"),
	scan_commits: live(
		"scan_commits",
		"commits of a warm scan, a message each to whoever watches it; one a second more while data arrive",
	),
	status_main_ms: live("status_main_ms", "CPU ms of the event loop a status read"),
	status_redis_ms: live("status_redis_ms", "CPU ms of Redis a status read"),
	status_redis_commands: live("status_redis_commands", "commands a status read: admission, limiter, head"),
	watcher_kb: measured(44, "KB of memory an event stream", WATCHERS),
	event_main_ms: measured(0.012, "CPU ms for an event to one watcher", WATCHERS),
	scan_events: live("scan_events", "journal entries that a watcher of a scan is sent"),
	process_idle_main_ms: live("process_idle_main_ms", "CPU ms a second of a process that nobody asks"),
	message_redis_us: live("message_redis_us", "CPU µs of Redis to tell one process of one commit"),
	message_main_us: live("message_main_us", "CPU µs of the event loop that is told"),
	process_watch_commands: measured(220, "commands a second of one watchdog among many records", GROWTH),
	tombstone_bytes: measured(475, "bytes of an id past retention, in its user's and the common indexes", GROWTH),
	exchange_cycle_weight: measured(2_595, "request weight of reading a whole universe once", MARKET),
	exchange_cycle_requests: measured(1_319, "requests of the same", MARKET),

	retention_days: setting(7, "days a finished scan is kept", "RETENTION_MS"),
	tombstone_days: setting(30, "days its id is remembered after that", "TOMBSTONE_MS"),
	worker_places: setting(16, "scans at once in a worker", "WORKER_CONCURRENCY"),
	streams_per_process: setting(2_000, "event streams of a process", "SSE_LIMIT"),
	exchange_weight_per_min: setting(
		7_140,
		"weight a minute, 85 % of what Binance allows an address, spot and futures",
		"built in",
	),

	polls_per_scan: assumed(6, "status reads a scan", "a client that polls every second or two until a scan ends"),
	watched_share: assumed(0.2, "event streams for each scan started", "dashboards; clients of the API poll"),
	watch_s: assumed(30, "s that a stream stays open", "a page is left open for a while"),
	answer_kb: assumed(2.5, "KB sent to a client for a status read", "2.2 KB of JSON and headers; less when compressed"),
	moving_share: assumed(
		0.4,
		"part of a cycle's weight that is read again each minute",
		"27 books and all prices every 10 s, 40 open interests a minute; bars and settlements when one closes",
	),
	core_load_max: assumed(
		0.6,
		"load of a core that is planned for",
		"beyond it queues grow quickly: see the waits below",
	),
	redis_load_max: assumed(
		0.5,
		"load of Redis's thread that is planned for",
		"half of it is kept for takeovers, rewrites of the file and spikes",
	),
	redis_node_gb: assumed(
		100,
		"GB of data on a Redis node",
		"a machine of 128 GB with room for a rewrite's copied pages",
	),
	copies: assumed(2, "copies of the data, the first included", "one replica a node"),
	memory_overhead: assumed(1.15, "memory used over memory counted", "fragmentation and buffers"),
	core_month_usd: assumed(25, "USD a month for a core with 4 GB", "list prices of large clouds, reserved for a year"),
	memory_gb_month_usd: assumed(3, "USD a month for a GB on a machine with much memory", "the same"),
	egress_gb_usd: assumed(0.08, "USD for a GB to clients", "the same"),
	object_gb_month_usd: assumed(0.023, "USD a month for a GB of object storage", "the same"),
} as const satisfies Record<string, Input>;

export type InputName = keyof typeof INPUTS;
export type Values = Record<InputName, number>;

export const valuesOf = (inputs: Record<InputName, Input>): Values =>
	Object.fromEntries(Object.entries(inputs).map(([name, { value }]) => [name, value])) as Values;

/** Slots that scans and users share out between them. */
export const SPREAD_SLOTS: readonly string[] = ["of the scan", "of the user"];
