import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, hasRecordedMarket, RECORDED, startProgram, stopPrograms } from "../../test/support/program.ts";
import { processCpuUs } from "../http/load.ts";
import { type Counts, countsOf, difference } from "../orchestration/counts.ts";
import { type Durability, startRedis } from "../orchestration/servers.ts";
import { scheduledOf } from "./scheduled.ts";
import { type SlotCounts, slotsDuring } from "./slots.ts";

/** What so much of something cost: processor time of the program, and what its Redis did. */
export interface Used {
	/** The thread of the event loop, ms. */
	main_ms: number;
	/** The other threads: evaluation, compression. */
	threads_ms: number;
	redis: Counts;
}

/** What whole scans of the program cost over HTTP, evaluation, queue and all; what stands still included nowhere. */
export interface LiveCosts {
	market: string;
	rows: number;
	/** Start to complete, ms. */
	duration_ms: number;
	/** A second of the process when nobody asks for anything: its watchdog, presence, queue. */
	idle: Used;
	/** One warm scan. */
	scan: Used;
	/** One status read of a finished scan. */
	status: Used;
	/** Commands of one scan, by slot. */
	slots: SlotCounts;
}

const PASSWORD = "bench only, loopback only";
const WARM_UP_SCANS = 3;
const POLLS = 1_000;
const IDLE_MS = 5_000;

function scaled({ main_ms, threads_ms, redis }: Used, factor: number): Used {
	const counts = Object.fromEntries(Object.entries(redis).map(([name, value]) => [name, value * factor]));
	return { main_ms: main_ms * factor, threads_ms: threads_ms * factor, redis: counts as unknown as Counts };
}

const without = (used: Used, idle: Used): Used => ({
	main_ms: Math.max(0, used.main_ms - idle.main_ms),
	threads_ms: Math.max(0, used.threads_ms - idle.threads_ms),
	redis: difference(idle.redis, used.redis),
});

/** Runs `scans` warm scans one after another on the recorded market where it lies beside the project. */
export async function liveCosts(scans: number, durability: Durability): Promise<LiveCosts> {
	const directory = await mkdtemp(join(tmpdir(), "scale-"));
	const redis = await startRedis(directory, durability);
	const market = hasRecordedMarket() ? RECORDED : { MARKET: "simulated:42", MARKET_AS_OF: "2026-03-19T19:00:00Z" };
	try {
		const program = await startProgram({
			...market,
			REDIS_URL: `unix://${redis.path}`,
			ADMIN_PASSWORD: PASSWORD,
			JWT_SECRET: "0123456789abcdef0123456789abcdef",
			RATE_DISCOVER_MAX: "1000000",
			RATE_OTHER_MAX: "10000000",
		});
		const pid = Number(program.process.pid);
		const client = new Client([program.url]);
		await client.login("admin@lookout.local", PASSWORD);

		/** What `work` cost, and how long it took, s. Threads that end meanwhile count too. */
		async function usedBy(work: () => Promise<unknown>): Promise<{ used: Used; seconds: number }> {
			const at = async () => ({
				main_ms: scheduledOf(pid).main_ms,
				all_ms: (processCpuUs(pid) ?? 0) / 1_000,
				redis: await countsOf(redis.client),
				ms: performance.now(),
			});
			const before = await at();
			await work();
			const after = await at();
			const main_ms = after.main_ms - before.main_ms;
			const threads_ms = Math.max(0, after.all_ms - before.all_ms - main_ms);
			const used = { main_ms, threads_ms, redis: difference(before.redis, after.redis) };
			return { used, seconds: (after.ms - before.ms) / 1_000 };
		}

		let last = { scan_id: "", total_opportunities: 0, execution_time_ms: 0 };
		let duration_ms = 0;
		const scan = async () => {
			const { body } = await client.post("/opportunities/discover?wait=30", { force_refresh: true });
			if (body.status !== "complete") throw new Error(`a scan ended as ${body.status}`);
			last = body;
			duration_ms += last.execution_time_ms;
		};
		const poll = () => client.get(`/opportunities/status/${last.scan_id}`, { "accept-encoding": "identity" });
		const times = async (count: number, work: () => Promise<unknown>) => {
			for (let n = 0; n < count; n++) await work();
		};
		await times(WARM_UP_SCANS, scan);
		await times(POLLS, poll);

		const resting = await usedBy(() => delay(IDLE_MS));
		const idle = scaled(resting.used, 1 / resting.seconds);
		const each = async (count: number, work: () => Promise<unknown>): Promise<Used> => {
			const { used, seconds } = await usedBy(() => times(count, work));
			return scaled(without(used, scaled(idle, seconds)), 1 / count);
		};
		duration_ms = 0;
		const ofScan = await each(scans, scan);
		const duration = duration_ms / scans;
		return {
			market: market.MARKET.split(":")[0] ?? "",
			rows: last.total_opportunities,
			duration_ms: duration,
			idle,
			scan: ofScan,
			status: await each(POLLS, poll),
			slots: await slotsDuring(redis.client, scan),
		};
	} finally {
		await stopPrograms();
		await redis.stop();
		await rm(directory, { recursive: true, force: true });
	}
}
