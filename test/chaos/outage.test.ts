/** Outages of Redis, whole and partial: honest answers in time, nothing lost, and back without a restart. */
import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { entriesOf } from "../../src/store/journal-codec.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { WAIT_MS } from "../support/wait.ts";
import type { Caller } from "./caller.ts";
import { ADMIN, type Cluster, type Member, startCluster } from "./cluster.ts";
import { adminOf, holderOf } from "./recovery.ts";

const test = suite("outages of Redis");
const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer())
	process.stdout.write("  skipped: outages of Redis under real processes, no redis-server on PATH\n");

/** What a client waits at most for the news that the store is away; the best of a few, on a busy machine. */
const REFUSED_MS_MAX = 2_000;
const TRIES = 3;
const PATIENCE_MS = 100_000;
const STRATEGIES = "spot_momentum,funding_arbitrage,risk_management";

let cluster: Cluster;
let caller: Caller;
test.before(async () => {
	if (!hasRedisServer()) return;
	const env = {
		MARKET: "simulated:1",
		MARKET_LATENCY_MS: "1000",
		MARKET_AS_OF: "2026-03-19T19:00:00Z",
		LEASE_MS: "1500",
		MAX_RESUMES: "9",
	};
	cluster = await startCluster({ apis: 1, workers: 2, env });
	caller = await adminOf(cluster);
});
test.after(() => cluster?.close());

let symbolSet = 0;
/** One set for each scan: what has been read for an earlier one takes no time. */
const SYMBOLS = ["BTC,ETH", "SOL,XRP", "DOGE,ADA", "LINK,AVAX", "DOT,LTC"];

async function startScan(): Promise<string> {
	const symbols = SYMBOLS[symbolSet++];
	assert.ok(symbols, "a set for each scan");
	const started = await caller.start(ADMIN.email, { strategy_ids: STRATEGIES, symbols, force_refresh: true });
	if (!started) throw new Error("the scan was not started");
	return started.scan_id;
}

/** Asks until it is so; a scan takes seconds, this only stops a hang. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
	const giveUpAt = performance.now() + PATIENCE_MS;
	while (!(await isSo())) {
		if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
		await pause(50);
	}
}

async function untilComplete(scanId: string): Promise<void> {
	let state = "";
	await until("the scan's end", async () => {
		const body = await caller.status(scanId, 1);
		state = body?.ended_at_ms ? body.state : "";
		return state !== "";
	});
	assert.is(state, "complete", (await caller.results(scanId))?.reason ?? "");
}

/** A worker is in the phase that bears long outages: a portfolio must be read within 10 s, a strategy has 60 s. */
async function inStrategies(scanId: string): Promise<Member> {
	await until("the strategies", async () => {
		const position = await cluster.redis.admin.hget(scanKeys(scanId).scan, "position");
		assert.ok(position !== "completed" && position !== "failed", `${position} before it could be disturbed`);
		return position === "strategies_scan";
	});
	return holderOf(cluster, scanId);
}

const resumes = async (scanId: string): Promise<number> => {
	const entries = await cluster.redis.admin.xrange(scanKeys(scanId).journal, "-", "+");
	return entries.flatMap(entriesOf).filter(({ type }) => type === "scan.resumed").length;
};

const readiness = async (): Promise<number> => {
	const answer = await fetch(`${cluster.urls()[0]}/readyz`, { signal: AbortSignal.timeout(WAIT_MS) });
	return answer.status;
};

const ask = async (
	method: string,
	path: string,
	body?: unknown,
): Promise<{ http: number; code: string; ms: number }> => {
	const answer = await caller.call(method, path, body);
	if (!answer) throw new Error(`${method} ${path}: no answer`);
	return { http: answer.http, code: answer.body?.code, ms: answer.done_ms - answer.sent_ms };
};

/** Every kind of call is refused with 503, in time, for as long as `broken` holds. */
async function allRefused(scanId: string): Promise<void> {
	const calls: [method: string, path: string, body?: unknown][] = [
		["GET", `/opportunities/status/${scanId}`],
		["POST", "/opportunities/discover", { symbols: "BCH" }],
		["POST", `/opportunities/scans/${scanId}/cancel`, {}],
		["POST", "/auth/login", ADMIN],
	];
	await Promise.all(
		calls.map(async ([method, path, body]) => {
			const times: number[] = [];
			for (let i = 0; i < TRIES; i++) {
				const { http, code, ms } = await ask(method, path, body);
				assert.equal([http, code], [503, "store_unavailable"], `${method} ${path}`);
				times.push(ms);
			}
			assert.ok(Math.min(...times) <= REFUSED_MS_MAX, `${method} ${path}: refused after ${times} ms`);
		}),
	);
}

const untilAnswered = () =>
	until("an answer", async () => (await ask("GET", "/opportunities/user-status")).http === 200);

withServer("Redis killed and back: 503 at once, then every scan goes on and ends", async () => {
	const scanId = await startScan();
	await inStrategies(scanId);
	await cluster.redis.kill();
	await allRefused(scanId);
	assert.is(await readiness(), 503);
	await cluster.redis.start();
	await untilAnswered();
	await untilComplete(scanId);
	assert.is(await readiness(), 200);
});

withServer("an API process whose connections are dead says so in time and finds new ones", async () => {
	const scanId = await startScan();
	const link = cluster.apis[0]?.link;
	link?.set({ kind: "half_open" });
	await allRefused(scanId);
	assert.is(await readiness(), 503);
	link?.set({ kind: "pass" });
	await untilAnswered();
	await untilComplete(scanId);
});

withServer("a worker that is cut off lets go, another goes on, and it serves again later", async () => {
	const scanId = await startScan();
	const holder = await inStrategies(scanId);
	const letGo = () => (holder.program?.output().match(/lease ran out unanswered/g) ?? []).length;
	const before = letGo();
	holder.link.set({ kind: "half_open" });
	await until("another worker's first entry", async () => (await resumes(scanId)) > 0);
	assert.is.not((await holderOf(cluster, scanId)).name, holder.name);
	await until("the cut-off worker's letting go", async () => letGo() > before);
	holder.link.set({ kind: "pass" });
	await untilComplete(scanId);
	// The only worker left is the one that was cut off.
	for (const worker of cluster.workers) if (worker !== holder) worker.program?.kill("SIGSTOP");
	const next = await startScan();
	await untilComplete(next);
	for (const worker of cluster.workers) worker.program?.kill("SIGCONT");
});

withServer("a full Redis refuses starts; scans in hand wait and end when there is room again", async () => {
	const scanId = await startScan();
	await inStrategies(scanId);
	const seq = async () => Number(await cluster.redis.admin.hget(scanKeys(scanId).scan, "seq"));
	await cluster.redis.admin.config("SET", "maxmemory", "1");
	const start = await ask("POST", "/opportunities/discover", { symbols: "TRX" });
	assert.equal([start.http, start.code], [503, "store_unavailable"]);
	assert.is(await readiness(), 503);
	await pause(3_000);
	const standing = await seq();
	await cluster.redis.admin.config("SET", "maxmemory", "0");
	await untilComplete(scanId);
	assert.ok((await seq()) >= standing);
	assert.is(await readiness(), 200);
});

test.run();
