import type { Values } from "./inputs.ts";
import { mmc } from "./queueing.ts";

/**
 * What one installation needs for so many scans a second: processes, one Redis, one queue, one cache of the market. Pure
 * arithmetic over the inputs; docs/scale.md gives the formulas in words.
 */
export interface Plan {
	per_s: number;
	/** Scans that are being carried out at a moment (Little's law). */
	running: number;
	workers: number;
	apis: number;
	/** Busy cores: event loops of workers, their evaluation threads, event loops of API processes. */
	busy: { workers: number; threads: number; apis: number };
	/** What a process does when nobody asks: its watchdog, presence, queue; part of one core. */
	overhead: number;
	streams: number;
	reads_per_s: number;
	redis: {
		commands_per_s: number;
		/** Busy part of its one thread. */
		busy: number;
		/** Of that: its watchdogs' share, and that of telling the processes in which scans are watched of their commits. */
		watching: number;
		telling: number;
		in_mb_per_s: number;
		out_mb_per_s: number;
	};
	memory_gb: { kept: number; tombstones: number };
	/** Mean time that all steps of a scan wait for its event loop and for Redis, ms. */
	waits_ms: number;
}

const SECONDS_A_DAY = 86_400;
const SECONDS_A_MONTH = 30 * SECONDS_A_DAY;
const KB_PER_GB = 1_000_000;
const MS_PER_S = 1_000;
const US_PER_S = 1_000_000;
/** One more than is needed, so that the loss of one is no outage. */
const SPARE = 1;

export const usPerCommand = (v: Values): number => (1_000 * v.scan_redis_ms) / v.scan_redis_commands;

/** @param per_s scans accepted by this installation in a second */
export function planFor(per_s: number, v: Values): Plan {
	const running = per_s * v.scan_hold_s;
	const streams = per_s * v.watched_share * v.watch_s;
	const reads_per_s = per_s * v.polls_per_scan;
	const events_per_s = per_s * v.watched_share * v.scan_events;
	// A process is told of the scans that are watched in it, and of no others.
	const told_per_s = per_s * v.scan_commits * v.watched_share;
	const telling_ms = (told_per_s * v.message_main_us) / 1_000;
	const busy = {
		workers: (per_s * v.scan_main_ms) / MS_PER_S,
		threads: (per_s * v.scan_threads_ms) / MS_PER_S,
		apis: (reads_per_s * v.status_main_ms + events_per_s * v.event_main_ms + telling_ms) / MS_PER_S,
	};
	const overhead = v.process_idle_main_ms / MS_PER_S;
	const room = Math.max(0, v.core_load_max - overhead);
	const places = running / (v.worker_places * v.core_load_max);
	const workers = Math.ceil(Math.max(busy.workers / room, places)) + SPARE;
	const apis = Math.ceil(Math.max(busy.apis / room, streams / v.streams_per_process)) + SPARE;
	const processes = workers + apis;

	const watched_per_s = processes * v.process_watch_commands;
	const watching = (watched_per_s * usPerCommand(v)) / US_PER_S;
	const telling = (told_per_s * v.message_redis_us) / US_PER_S;
	const scans = (per_s * v.scan_redis_ms + reads_per_s * v.status_redis_ms) / MS_PER_S;
	const steps_per_s = per_s * v.scan_round_trips;
	const loop = mmc(steps_per_s, v.scan_main_ms / v.scan_round_trips, workers);
	const redis = mmc(steps_per_s, ((scans + watching + telling) * MS_PER_S) / steps_per_s, 1);
	return {
		per_s,
		running,
		workers,
		apis,
		busy,
		overhead,
		streams,
		reads_per_s,
		redis: {
			commands_per_s: per_s * v.scan_redis_commands + reads_per_s * v.status_redis_commands + watched_per_s,
			busy: scans + watching + telling,
			watching,
			telling,
			in_mb_per_s: (per_s * v.scan_in_kb) / 1_000,
			out_mb_per_s: (per_s * v.scan_out_kb) / 1_000,
		},
		memory_gb: memoryFor(per_s, v),
		waits_ms: v.scan_round_trips * (loop.wait_ms + redis.wait_ms),
	};
}

/** Memory of finished scans and of ids past retention, GB, fragmentation included, one copy. */
export function memoryFor(per_s: number, v: Values): Plan["memory_gb"] {
	const kept = (per_s * SECONDS_A_DAY * v.retention_days * v.scan_kept_kb) / KB_PER_GB;
	const tombstones = (per_s * SECONDS_A_DAY * v.tombstone_days * v.tombstone_bytes) / 1_000 / KB_PER_GB;
	return { kept: kept * v.memory_overhead, tombstones: tombstones * v.memory_overhead };
}

/** Scans a second that one Redis carries, by its processor and by its memory. */
export interface Limits {
	processor: number;
	memory: number;
}

const LIMIT_MAX_PER_S = 100_000;
const HALVINGS = 60;

export function limitsFor(v: Values): Limits {
	const { kept, tombstones } = memoryFor(1, v);
	// Watchdogs grow with the processes, which grow with the scans: found by halving, for want of a formula.
	let [low, high] = [0, LIMIT_MAX_PER_S];
	for (let n = 0; n < HALVINGS; n++) {
		const middle = (low + high) / 2;
		if (planFor(middle, v).redis.busy <= v.redis_load_max) low = middle;
		else high = middle;
	}
	return { processor: low, memory: v.redis_node_gb / (kept + tombstones) };
}

/** Installations side by side ("cells"), each with users of its own: what the program can do as it is. */
export interface Fleet {
	per_s: number;
	cells: number;
	cell: Plan;
	processes: number;
	busy_cores: number;
	/** Cores to buy at the load that is planned for, Redis and its replicas included. */
	cores: number;
	/** All copies. */
	memory_gb: number;
	/** Request weight a minute of all cells, as part of what one address may use. */
	exchange_addresses: number;
	network_mb_per_s: number;
	cost_usd: { cores: number; memory: number; egress: number; total: number };
}

export function fleetFor(per_s: number, v: Values): Fleet {
	const limits = limitsFor(v);
	const cells = Math.ceil(per_s / Math.min(limits.processor, limits.memory));
	const cell = planFor(per_s / cells, v);
	const processes = cells * (cell.workers + cell.apis);
	const busy_cores = cells * (cell.busy.workers + cell.busy.threads + cell.busy.apis) + processes * cell.overhead;
	const cores = busy_cores / v.core_load_max + cells * v.copies;
	const memory_gb = cells * (cell.memory_gb.kept + cell.memory_gb.tombstones) * v.copies;
	const egress_gb = (per_s * v.polls_per_scan * v.answer_kb * SECONDS_A_MONTH) / KB_PER_GB;
	const cost = {
		cores: cores * v.core_month_usd,
		memory: memory_gb * v.memory_gb_month_usd,
		egress: egress_gb * v.egress_gb_usd,
	};
	return {
		per_s,
		cells,
		cell,
		processes,
		busy_cores,
		cores,
		memory_gb,
		exchange_addresses: (cells * v.exchange_cycle_weight * v.moving_share) / v.exchange_weight_per_min,
		network_mb_per_s: per_s * ((v.scan_in_kb + v.scan_out_kb) / 1_000),
		cost_usd: { ...cost, total: cost.cores + cost.memory + cost.egress },
	};
}

/** Scans a second at which the one slot that gets `commands` of each scan fills its node to the planned load. */
export const slotLimit = (commands: number, v: Values): number =>
	(US_PER_S * v.redis_load_max) / (commands * usPerCommand(v));
