import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, hasRecordedMarket, RECORDED, startProgram, stopPrograms } from "../../test/support/program.ts";
import { type Counts, countsOf, difference } from "../orchestration/counts.ts";
import { type Durability, startRedis } from "../orchestration/servers.ts";
import { scheduledOf, usedBetween } from "./scheduled.ts";
import { type SlotCounts, slotsDuring } from "./slots.ts";

/** What one whole scan of the program, and one status read of it, cost over HTTP: evaluation, queue and all. */
export interface LiveCosts {
	market: string;
	rows: number;
	/** Start to complete, ms. */
	duration_ms: number;
	/** Processor time of the program for one scan, ms: the event loop, and the threads that evaluate. */
	main_ms: number;
	threads_ms: number;
	redis: Counts;
	status: { main_ms: number; redis: Counts };
	slots: SlotCounts;
}

const PASSWORD = "bench only, loopback only";
const WARM_UP_SCANS = 3;
const POLLS = 300;

const per = (total: number, count: number): number => total / count;
const eachOf = (counts: Counts, count: number): Counts =>
	Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, per(value, count)])) as unknown as Counts;

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
			LOG_LEVEL: "warn",
			RATE_DISCOVER_MAX: "1000000",
			RATE_OTHER_MAX: "10000000",
		});
		const pid = Number(program.process.pid);
		const client = new Client([program.url]);
		await client.login("admin@lookout.local", PASSWORD);
		let last = { scan_id: "", total_opportunities: 0, execution_time_ms: 0 };
		const scan = async () => {
			const { body } = await client.post("/opportunities/discover?wait=30", { force_refresh: true });
			if (body.status !== "complete") throw new Error(`a scan ended as ${body.status}`);
			last = body;
		};
		for (let n = 0; n < WARM_UP_SCANS; n++) await scan();

		const [cpu, counts] = [scheduledOf(pid), await countsOf(redis.client)];
		let duration = 0;
		for (let n = 0; n < scans; n++) {
			await scan();
			duration += last.execution_time_ms;
		}
		const used = usedBetween(cpu, scheduledOf(pid));
		const ofScans = difference(counts, await countsOf(redis.client));

		const [pollCpu, pollCounts] = [scheduledOf(pid), await countsOf(redis.client)];
		for (let n = 0; n < POLLS; n++) await client.get(`/opportunities/status/${last.scan_id}`);
		const polled = usedBetween(pollCpu, scheduledOf(pid));
		const ofPolls = difference(pollCounts, await countsOf(redis.client));

		return {
			market: market.MARKET.split(":")[0] ?? "",
			rows: last.total_opportunities,
			duration_ms: per(duration, scans),
			main_ms: per(used.main_ms, scans),
			threads_ms: per(used.all_ms - used.main_ms, scans),
			redis: eachOf(ofScans, scans),
			status: { main_ms: per(polled.main_ms, POLLS), redis: eachOf(ofPolls, POLLS) },
			slots: await slotsDuring(redis.client, scan),
		};
	} finally {
		await stopPrograms();
		await redis.stop();
		await rm(directory, { recursive: true, force: true });
	}
}
