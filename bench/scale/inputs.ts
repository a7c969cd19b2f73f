/**
 * What the capacity model is fed with, in one table, so that every figure can be replaced by one's own. `measured`
 * figures come from the command named, on two cores of an AMD EPYC that were nearly free for it; `setting` is a default of the
 * program; `assumed` is nobody's measurement.
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

const LIVE = "bench:scale --live";
const WATCHERS = "bench:watchers";
const GROWTH = "bench:growth";
const MARKET = "bench:market";

export const INPUTS = {
	scan_main_ms: measured(103, "CPU ms of the event loop a scan", LIVE),
	scan_threads_ms: measured(43, "CPU ms of other threads a scan, evidence known", LIVE),
	scan_redis_ms: measured(6.2, "CPU ms of Redis's one thread a scan", LIVE),
	scan_redis_commands: measured(391, "commands executed a scan, scripts' own included", LIVE),
	scan_in_kb: measured(201, "KB to Redis a scan", LIVE),
	scan_out_kb: measured(159, "KB from Redis a scan", LIVE),
	scan_kept_kb: measured(165, "KB of Redis's memory that a finished scan keeps", LIVE),
	scan_hold_s: measured(0.135, "s that a warm scan holds its worker's place", LIVE),
	scan_round_trips: measured(14, "writes of a scan that wait for one another", "bench:orchestration"),
	scan_commits: measured(
		6,
		"commits of a warm scan, a message to every process each; one a second more while data arrive",
		LIVE,
	),
	status_main_ms: measured(0.38, "CPU ms of the event loop a status read", LIVE),
	status_redis_ms: measured(0.079, "CPU ms of Redis a status read", LIVE),
	status_redis_commands: measured(10, "commands a status read: admission, limiter, head", LIVE),
	watcher_kb: measured(44, "KB of memory an event stream", WATCHERS),
	event_main_ms: measured(0.012, "CPU ms for an event to one watcher", WATCHERS),
	scan_events: measured(49, "journal entries that a watcher of a scan is sent", LIVE),
	process_idle_main_ms: measured(8.7, "CPU ms a second of a process that nobody asks", LIVE),
	message_redis_us: measured(0.16, "CPU µs of Redis to tell one process of one commit", LIVE),
	message_main_us: measured(1.8, "CPU µs of the event loop that is told", LIVE),
	process_watch_commands: measured(220, "commands a second of one watchdog among many records", GROWTH),
	tombstone_bytes: measured(475, "bytes of an id past retention, in its user's and the common indexes", GROWTH),
	exchange_cycle_weight: measured(2_634, "request weight of reading a whole universe once", MARKET),
	exchange_cycle_requests: measured(1_358, "requests of the same", MARKET),

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

/**
 * Commands of one scan that go to one slot each, whatever the number of nodes, from `bench:scale --live`; those to the
 * scan's own slot and its user's are spread over all nodes.
 */
export const SLOT_COMMANDS: Readonly<Record<string, number>> = {
	"of the scan": 150,
	"of the user": 34,
	"{scans} (queue)": 76,
	"{monitoring}": 61,
	"statistics of a day": 12,
	"scans:unclaimed": 4,
	"scans:due": 3,
	"scans:leases": 3,
	"scans:tombstones": 2,
	scans_recent: 2,
	"service_metrics:user_initiated_scans": 1,
	strategy_policies: 1,
};
/** Slots that scans and users share out between them. */
export const SPREAD_SLOTS: readonly string[] = ["of the scan", "of the user"];
