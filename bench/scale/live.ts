import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { scanKeys } from "../../src/store/keys.ts";
import {
	Client,
	hasRecordedMarket,
	type Program,
	RECORDED,
	startProgram,
	stopPrograms,
} from "../../test/support/program.ts";
import { processCpuUs } from "../http/load.ts";
import { type Counts, countsOf, difference } from "../orchestration/counts.ts";
import { type Durability, startRedis } from "../orchestration/servers.ts";
import { scheduledOf, shareOf, usedBetween } from "./scheduled.ts";
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
	/** Start to complete of a scan that is alone, ms. */
	duration_ms: number;
	/** A second of the process when nobody asks for anything: its watchdog, presence, queue. */
	idle: Used;
	/** One warm scan among others. */
	scan: Used;
	/** How many of them were there at once, and how many ended in a second. */
	at_once: number;
	scans_per_s: number;
	/** Part of the time in which the program's threads were ready that they had a core. */
	share: number;
	/** One status read of a finished scan among others. */
	status: Used;
	/** Commands of one scan, by slot. */
	slots: SlotCounts;
	/** Journal entries of one scan. */
	entries: number;
}

const PASSWORD = "bench only, loopback only";
const ALONE = 5;
const SCANS_AT_ONCE = 8;
const POLLS = 4_000;
const POLLS_AT_ONCE = 32;
const IDLE_MS = 5_000;
const TRIES = 5;
const RETRY_MS = 1_000;

function scaled({ main_ms, threads_ms, redis }: Used, factor: number): Used {
	const counts = Object.fromEntries(Object.entries(redis).map(([name, value]) => [name, value * factor]));
	return { main_ms: main_ms * factor, threads_ms: threads_ms * factor, redis: counts as unknown as Counts };
}

const without = (used: Used, idle: Used): Used => ({
	main_ms: Math.max(0, used.main_ms - idle.main_ms),
	threads_ms: Math.max(0, used.threads_ms - idle.threads_ms),
	redis: difference(idle.redis, used.redis),
});

/** `count` times, so many at once. */
async function times(count: number, atOnce: number, work: () => Promise<unknown>): Promise<void> {
	let begun = 0;
	const place = async () => {
		while (begun++ < count) await work();
	};
	await Promise.all(Array.from({ length: atOnce }, place));
}

/** What `work` cost, and how long it took, s. Threads that end meanwhile count too. */
async function usedBy(
	pid: number,
	redis: Redis,
	work: () => Promise<unknown>,
): Promise<{ used: Used; seconds: number }> {
	const now = async () => ({
		main_ms: scheduledOf(pid).main_ms,
		all_ms: (processCpuUs(pid) ?? 0) / 1_000,
		redis: await countsOf(redis),
		ms: performance.now(),
	});
	const before = await now();
	await work();
	const after = await now();
	const main_ms = after.main_ms - before.main_ms;
	const threads_ms = Math.max(0, after.all_ms - before.all_ms - main_ms);
	const used = { main_ms, threads_ms, redis: difference(before.redis, after.redis) };
	return { used, seconds: (after.ms - before.ms) / 1_000 };
}

/** A client that starts scans of filters of their own, so that nobody's is joined, and reads the last one's status. */
async function signedIn(url: string) {
	const client = new Client([url]);
	await client.login("admin@lookout.local", PASSWORD);
	let filters = 0;
	const held = { scan_id: "", rows: 0, duration_ms: 0 };
	return {
		held,
		async scan() {
			filters += 1;
			// It lets every row through.
			const wanted = { force_refresh: true, max_required_capital: 1e9 + filters };
			const start = () => client.post("/opportunities/discover?wait=30", wanted);
			let reply = await start();
			// A store that a busy machine keeps waiting is told as 503 and asked again, as clients do.
			for (let tries = 1; reply.status === 503 && tries < TRIES; tries++) {
				await delay(RETRY_MS);
				reply = await start();
			}
			const { body } = reply;
			if (body.status !== "complete")
				throw new Error(`a scan ended as ${body.status}: ${JSON.stringify(body).slice(0, 300)}`);
			held.scan_id = body.scan_id;
			held.rows = body.total_opportunities;
			held.duration_ms += body.execution_time_ms;
		},
		poll: () => client.get(`/opportunities/status/${held.scan_id}`, { "accept-encoding": "identity" }),
	};
}

async function measure(program: Program, redis: Redis, scans: number): Promise<Omit<LiveCosts, "market">> {
	const pid = Number(program.process.pid);
	const { scan, poll, held } = await signedIn(program.url);
	await times(SCANS_AT_ONCE, SCANS_AT_ONCE, scan);
	await times(POLLS, POLLS_AT_ONCE, poll);

	const resting = await usedBy(pid, redis, () => delay(IDLE_MS));
	const idle = scaled(resting.used, 1 / resting.seconds);
	const each = async (count: number, atOnce: number, work: () => Promise<unknown>) => {
		const { used, seconds } = await usedBy(pid, redis, () => times(count, atOnce, work));
		return { used: scaled(without(used, scaled(idle, seconds)), 1 / count), per_s: count / seconds };
	};
	held.duration_ms = 0;
	await times(ALONE, 1, scan);
	const alone_ms = held.duration_ms / ALONE;
	const before = scheduledOf(pid);
	const together = await each(scans, SCANS_AT_ONCE, scan);
	const share = shareOf(usedBetween(before, scheduledOf(pid)));
	return {
		rows: held.rows,
		duration_ms: alone_ms,
		idle,
		scan: together.used,
		at_once: SCANS_AT_ONCE,
		scans_per_s: together.per_s,
		share,
		status: (await each(POLLS, POLLS_AT_ONCE, poll)).used,
		slots: await slotsDuring(redis, scan),
		entries: Number(await redis.hget(scanKeys(held.scan_id).scan, "seq")),
	};
}

/** Runs `scans` warm scans, some at once, on the recorded market where it lies beside the project. */
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
		return { market: market.MARKET.split(":")[0] ?? "", ...(await measure(program, redis.client, scans)) };
	} finally {
		await stopPrograms();
		await redis.stop();
		await rm(directory, { recursive: true, force: true });
	}
}
