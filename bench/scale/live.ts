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
import { type Scheduled, scheduledOf, shareOf, usedBetween } from "./scheduled.ts";
import { type SlotCounts, slotsDuring } from "./slots.ts";

/** What so much of something cost: processor time of the program, and what its Redis did. */
export interface Used {
	/** The thread of the event loop, ms. */
	main_ms: number;
	/** The other threads: evaluation, compression. */
	threads_ms: number;
	redis: Counts;
}

/**
 * What whole scans cost over HTTP, evaluation, queue and all, with an API process and a worker: one process alone runs what
 * it starts past the queue, many machines do not. What stands still is included nowhere.
 */
export interface LiveCosts {
	market: string;
	rows: number;
	/** Start to complete of a scan that is alone, ms. */
	duration_ms: number;
	/** A second of a process when nobody asks for anything: its watchdog, presence, queue. */
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

/** Of all the processes' event loops together. */
function scheduledOfAll(pids: readonly number[]): Scheduled {
	const each = pids.map((pid) => scheduledOf(pid));
	const sum = (of: (one: Scheduled) => number) => each.reduce((total, one) => total + of(one), 0);
	return { main_ms: sum(({ main_ms }) => main_ms), waited_ms: sum(({ waited_ms }) => waited_ms) };
}

/** What `work` cost, and how long it took, s. Threads that end meanwhile count too. */
async function usedBy(
	pids: readonly number[],
	redis: Redis,
	work: () => Promise<unknown>,
): Promise<{ used: Used; seconds: number }> {
	const now = async () => ({
		main_ms: scheduledOfAll(pids).main_ms,
		all_ms: pids.reduce((total, pid) => total + (processCpuUs(pid) ?? 0), 0) / 1_000,
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

async function measure(api: Program, worker: Program, redis: Redis, scans: number): Promise<Omit<LiveCosts, "market">> {
	const pids = [api, worker].map((program) => Number(program.process.pid));
	const { scan, poll, held } = await signedIn(api.url);
	await times(SCANS_AT_ONCE, SCANS_AT_ONCE, scan);
	await times(POLLS, POLLS_AT_ONCE, poll);

	const resting = await usedBy(pids, redis, () => delay(IDLE_MS));
	const idle = scaled(resting.used, 1 / resting.seconds);
	const each = async (count: number, atOnce: number, work: () => Promise<unknown>) => {
		const { used, seconds } = await usedBy(pids, redis, () => times(count, atOnce, work));
		return { used: scaled(without(used, scaled(idle, seconds)), 1 / count), per_s: count / seconds };
	};
	held.duration_ms = 0;
	await times(ALONE, 1, scan);
	const alone_ms = held.duration_ms / ALONE;
	const before = scheduledOfAll(pids);
	const together = await each(scans, SCANS_AT_ONCE, scan);
	const share = shareOf(usedBetween(before, scheduledOfAll(pids)));
	return {
		rows: held.rows,
		duration_ms: alone_ms,
		idle: scaled(idle, 1 / pids.length),
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
		const settings = {
			...market,
			REDIS_URL: `unix://${redis.path}`,
			ADMIN_PASSWORD: PASSWORD,
			JWT_SECRET: "0123456789abcdef0123456789abcdef",
			RATE_DISCOVER_MAX: "1000000",
			RATE_OTHER_MAX: "10000000",
		};
		const [api, worker] = await Promise.all([
			startProgram({ ...settings, ROLE: "api" }),
			startProgram({ ...settings, ROLE: "worker", PORT: "" }),
		]);
		return { market: market.MARKET.split(":")[0] ?? "", ...(await measure(api, worker, redis.client, scans)) };
	} finally {
		await stopPrograms();
		await redis.stop();
		await rm(directory, { recursive: true, force: true });
	}
}
