import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildLookout } from "../orchestration/build.ts";
import type { Durability } from "../orchestration/servers.ts";
import { LOOKOUT_DIRECT, openSide, type Run, SIDES } from "../orchestration/sides.ts";
import { quantile } from "../orchestration/table.ts";
import { type Orchestration, orchestrationAt } from "./check.ts";
import { type Scheduled, scheduledOf, shareOf, usedBetween } from "./scheduled.ts";

/** A figure that was measured, and what the simulation had said. */
export interface Point {
	what: string;
	measured: number;
	predicted: number;
	/** Part of the time in which the process had a core when it was ready, told to the simulation; null: not kept. */
	core_share: number | null;
}

export const errorOf = ({ measured, predicted }: Pick<Point, "measured" | "predicted">): number =>
	predicted / measured - 1;

const CONCURRENCIES = [1, 16, 128];
/**
 * Costs are taken here; what happens with more is foretold from them. A scan that is alone shares no turn of the event
 * loop, no packet and no wake-up with another, so it costs more; what it costs is taken when it is alone.
 */
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
	const side = await openSide(kind, durability, directory, null, null);
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

/** Waits of a trivial scan for Redis: what its start asks, record, acceptance, four commits, booking. */
const ROUND_TRIPS = 8;

type TrivialCosts = Pick<Orchestration, "node_ms" | "redis_ms">;

/**
 * Scans a second and latencies of trivial scans at each concurrency: measured, and foretold by the simulation from the
 * costs of a scan at one of them.
 */
export async function orchestrationPoints(
	durability: Durability,
	window_ms: number,
): Promise<{ costs: { alone: TrivialCosts; together: TrivialCosts }; points: Point[] }> {
	const measured = await measure(durability, window_ms);
	const costly = measured.find(({ at }) => at === COSTS_AT);
	const alone = measured[0];
	if (!costly || !alone) throw new Error("nothing was measured");
	const costsOf = ({ node, redis, run }: Measured): TrivialCosts => ({
		node_ms: node.main_ms / run.scans,
		redis_ms: redis.main_ms / run.scans,
	});
	const costs = { alone: costsOf(alone), together: costsOf(costly) };
	const points = measured.flatMap(({ at, run, node, redis }): Point[] => {
		const [node_share, redis_share] = [shareOf(node), shareOf(redis)];
		// How one scan differs from another when none waits for another.
		const scan = {
			...(at === 1 ? costs.alone : costs.together),
			node_share,
			redis_share,
			round_trips: ROUND_TRIPS,
			spread: alone.run.latencies,
		};
		const foretold = orchestrationAt(scan, at, at);
		const point = (what: string, measured: number, predicted: number): Point => ({
			what: `${what} at ${at}`,
			measured,
			predicted,
			core_share: node_share,
		});
		return [
			point("scans/s", (run.scans * 1_000) / run.wall_ms, foretold.per_s),
			point("p50 ms", quantile(run.latencies, 0.5), foretold.p50_ms),
			point("p99 ms", quantile(run.latencies, 0.99), foretold.p99_ms),
		];
	});
	return { costs, points };
}
