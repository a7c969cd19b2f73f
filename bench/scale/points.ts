import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildLookout } from "../orchestration/build.ts";
import type { Durability } from "../orchestration/servers.ts";
import { LOOKOUT_DIRECT, openSide, type Run, SIDES } from "../orchestration/sides.ts";
import { quantile } from "../orchestration/table.ts";
import { type Orchestration, orchestrationAt } from "./check.ts";
import type { Values } from "./inputs.ts";
import { type Scheduled, scheduledOf, shareOf, usedBetween } from "./scheduled.ts";

/** A figure that was measured, and what the simulation had said. */
export interface Point {
	what: string;
	measured: number;
	predicted: number;
}

export const errorOf = ({ measured, predicted }: Point): number => predicted / measured - 1;

const CONCURRENCIES = [1, 16, 128];
/** Costs are taken here; what happens at the others is foretold from them. */
const COSTS_AT = 16;
const WARM_UP_MS = 5_000;

interface Measured {
	at: number;
	run: Run;
	/** Of the event loop and of Redis's thread: other work on the machine is no part of the model. */
	node: Scheduled;
	redis: Scheduled;
}

/** Lookout alone, as in bench:orchestration, with what the scheduler gave it. */
async function measure(durability: Durability, window_ms: number): Promise<Measured[]> {
	await buildLookout();
	const kind = SIDES.find(({ name }) => name === LOOKOUT_DIRECT);
	if (!kind) throw new Error(`no system is called ${LOOKOUT_DIRECT}`);
	const directory = await mkdtemp(join(tmpdir(), "points-"));
	const side = await openSide(kind, durability, directory, null);
	try {
		await side.run(COSTS_AT, WARM_UP_MS);
		const all: Measured[] = [];
		for (const at of CONCURRENCIES) {
			const before = { node: scheduledOf(side.pids.node), redis: scheduledOf(side.pids.server) };
			const run = await side.run(at, window_ms);
			const node = usedBetween(before.node, scheduledOf(side.pids.node));
			const redis = usedBetween(before.redis, scheduledOf(side.pids.server));
			all.push({ at, run, node, redis });
		}
		return all;
	} finally {
		await side.stop();
		await rm(directory, { recursive: true, force: true });
	}
}

/**
 * Scans a second and latencies of trivial scans at each concurrency: measured, and foretold by the simulation from the
 * costs of a scan at one of them.
 */
export async function orchestrationPoints(
	durability: Durability,
	window_ms: number,
	{ scan_round_trips }: Pick<Values, "scan_round_trips">,
): Promise<{ costs: Pick<Orchestration, "node_ms" | "redis_ms">; points: Point[] }> {
	const measured = await measure(durability, window_ms);
	const costly = measured.find(({ at }) => at === COSTS_AT);
	const alone = measured[0];
	if (!costly || !alone) throw new Error("nothing was measured");
	const costs = {
		node_ms: costly.node.main_ms / costly.run.scans,
		redis_ms: costly.redis.main_ms / costly.run.scans,
	};
	const points = measured.flatMap(({ at, run, node, redis }): Point[] => {
		const [node_share, redis_share] = [shareOf(node), shareOf(redis)];
		// How one scan differs from another when none waits for another.
		const scan = { ...costs, node_share, redis_share, round_trips: scan_round_trips, spread: alone.run.latencies };
		const foretold = orchestrationAt(scan, at, at);
		return [
			{ what: `scans/s at ${at}`, measured: (run.scans * 1_000) / run.wall_ms, predicted: foretold.per_s },
			{ what: `p50 ms at ${at}`, measured: quantile(run.latencies, 0.5), predicted: foretold.p50_ms },
			{ what: `p99 ms at ${at}`, measured: quantile(run.latencies, 0.99), predicted: foretold.p99_ms },
		];
	});
	return { costs, points };
}
