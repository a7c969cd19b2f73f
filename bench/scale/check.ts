import type { Values } from "./inputs.ts";
import { planFor } from "./model.ts";
import { mmc } from "./queueing.ts";
import { type Outcome, type Spread, simulate, type Work } from "./simulate.ts";

/** The work of a scan on stations, as the model counts it and as the simulation plays it. */

/** A message from a process to Redis and back, both idle, on one machine, ms. */
export const ROUND_TRIP_MS = 0.065;
const STRATEGIES = 14;

/** What a trivial scan, run where it is started, is made of. */
export interface Orchestration {
	/** CPU of the process and of Redis's thread for one scan, ms. */
	node_ms: number;
	redis_ms: number;
	/** Part of the time in which each had a core when it was ready. */
	node_share: number;
	redis_share: number;
	round_trips: number;
	/** How times scatter, as measured; their mean does not matter. */
	spread: Spread;
}

/** The closed loop of bench:orchestration: steps of the process and of Redis in turn. */
export function orchestrationAt(scan: Orchestration, clients: number, seed: number): Outcome {
	const { round_trips: trips, spread } = scan;
	const burst = { at: "loop", mean_ms: scan.node_ms / scan.node_share / (trips + 1), spread };
	const script = { at: "redis", mean_ms: scan.redis_ms / scan.redis_share / trips, spread };
	const message = { at: null, mean_ms: ROUND_TRIP_MS, spread: "fixed" as const };
	return simulate({
		stations: { loop: { servers: 1 }, redis: { servers: 1 } },
		visits: [...Array.from({ length: trips }, () => [burst, message, script]).flat(), burst],
		arrivals: { kind: "closed", clients },
		jobs: 3_000,
		warm_up: 300,
		seed,
	});
}

/** What the model and the simulation say of one installation at a rate. */
export interface Compared {
	per_s: number;
	workers: number;
	loop: [model: number, simulated: number];
	redis: [model: number, simulated: number];
	/** Claim to end of a scan whose data are at hand, ms. */
	response_ms: [model: number, simulated: number];
}

/** Open arrivals at the workers and the Redis that the model plans for this rate. */
export function compareCell(per_s: number, v: Values, jobs: number, seed: number): Compared {
	const plan = planFor(per_s, v);
	const threads = Math.max(2, Math.ceil(plan.busy.threads / v.core_load_max));
	const trips = v.scan_round_trips;
	const burst_ms = v.scan_main_ms / trips;
	// Reads, watchdogs and messages come between the scans' own commands and are counted as their work.
	const script_ms = (plan.redis.busy * 1_000) / (per_s * trips);
	const task_ms = v.scan_threads_ms / STRATEGIES;
	const step = [
		{ at: "loop", mean_ms: burst_ms, spread: "exponential" as const },
		{ at: null, mean_ms: ROUND_TRIP_MS, spread: "fixed" as const },
		{ at: "redis", mean_ms: script_ms, spread: "exponential" as const },
	];
	const half = Math.floor(trips / 2);
	const steps = (count: number) => Array.from({ length: count }, () => step).flat();
	const work: Work = {
		stations: {
			loop: { servers: plan.workers, pinned: true },
			redis: { servers: 1 },
			threads: { servers: threads },
		},
		visits: [
			...steps(half),
			{ at: "threads", mean_ms: task_ms, spread: "exponential", tasks: STRATEGIES },
			...steps(trips - half),
		],
		arrivals: { kind: "open", per_s },
		places: plan.workers * v.worker_places,
		jobs,
		warm_up: Math.floor(jobs / 10),
		seed,
	};
	const found = simulate(work);
	const services_ms = v.scan_main_ms + trips * (ROUND_TRIP_MS + script_ms);
	return {
		per_s,
		workers: plan.workers,
		loop: [mmc(per_s * trips, burst_ms, plan.workers).utilisation, found.utilisation["loop"] ?? 0],
		redis: [plan.redis.busy, found.utilisation["redis"] ?? 0],
		response_ms: [services_ms + plan.waits_ms + batchMs(per_s, task_ms, threads), found.mean_ms],
	};
}

/**
 * Time until fourteen tasks that come together are done: on idle threads all rounds but the last are full and the last
 * one shrinks (a sum of the mean times to the next end), and before them the wait of a batch as an M/M/c customer.
 */
export function batchMs(per_s: number, task_ms: number, threads: number): number {
	let alone = 0;
	for (let left = STRATEGIES; left > 0; left--) alone += task_ms / Math.min(left, threads);
	const batch = mmc(
		per_s,
		(STRATEGIES * task_ms) / Math.min(threads, STRATEGIES),
		Math.max(1, Math.floor(threads / STRATEGIES)),
	);
	return alone + batch.wait_ms;
}
