import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { provideRedis, type RedisProvision } from "../../src/redis/provide.ts";
import { Client, isEnded, type Program, startProgram, stopPrograms } from "../support/program.ts";
import { testLogger } from "../support/store.ts";

const monitoring = suite("program: one process answers for what others did");

const ADMIN_PASSWORD = "correct horse";
/** Far below what the rate limit lets through, however fast the machine. */
const LOOK_MS = 20;
let dataDir: string;
let provision: RedisProvision;
let shared: Record<string, string>;
let api: Program;
let worker: Program;

monitoring.before(async () => {
	dataDir = await mkdtemp(join(tmpdir(), "lp-"));
	provision = await provideRedis({ redisUrl: null, dataDir, path: process.env.PATH ?? "", logger: testLogger() });
	shared = {
		REDIS_URL: `unix://${(provision.connection as { path: string }).path}`,
		JWT_SECRET: "0123456789abcdef0123456789abcdef",
		ADMIN_PASSWORD,
		MARKET: "simulated:1",
		MARKET_AS_OF: "2026-03-19T19:00:00Z",
	};
	[api, worker] = await Promise.all([
		startProgram({ ...shared, ROLE: "api" }),
		startProgram({ ...shared, ROLE: "worker" }),
	]);
});
monitoring.after(async () => {
	await stopPrograms();
	await provision.close();
	await rm(dataDir, { recursive: true, force: true });
});

const scrape = async (program: Program): Promise<string> => {
	const response = await fetch(`${program.url}/metrics`);
	assert.is(response.status, 200);
	return response.text();
};

/** The value of the first sample whose name and labels match. */
const sampled = (text: string, sample: RegExp): number =>
	Number(
		text
			.split("\n")
			.find((line) => sample.test(line))
			?.split(" ")
			.at(-1),
	);

monitoring("an API process shows the cache, the sources and the totals of its workers", async () => {
	const client = new Client([api.url]);
	await client.login("admin@lookout.local", ADMIN_PASSWORD);
	const { scan_id } = (await client.post("/opportunities/discover", { strategy_ids: "spot_momentum" })).body;
	await client.poll(scan_id, isEnded);
	const signal = AbortSignal.timeout(20_000);
	// The worker tells of itself every two seconds.
	while ((await client.get("/opportunities/metrics")).body.cache_hit_rate === null) {
		if (signal.aborted) throw new Error("the worker's reads are never told");
		await pause(LOOK_MS);
	}
	const { cache_hit_rate } = (await client.get("/opportunities/metrics")).body;
	assert.ok(cache_hit_rate >= 0 && cache_hit_rate <= 1);
	const { sources, workers } = (await client.get("/scan-diagnostics/system")).body;
	assert.equal(sources, [{ source: "simulated:1", ok: true, breaker_open: false }]);
	assert.is(workers.length, 1);
	let text = await scrape(api);
	while (!(sampled(text, /^source_requests_total\{source="simulated:1",outcome="ok"\}/) > 0)) {
		if (signal.aborted) throw new Error(`the worker's requests are never counted:\n${text}`);
		await pause(LOOK_MS);
		text = await scrape(api);
	}
	// An ended scan is taken off the index of active ones last, in a round that comes within 25 ms of its counts.
	while (sampled(text, /^scans_active /) !== 0) {
		if (signal.aborted) throw new Error(`the ended scan stays active:\n${text}`);
		await pause(LOOK_MS);
		text = await scrape(api);
	}
	assert.is(sampled(text, /^scans_started_total /), 1);
	assert.is(sampled(text, /^scans_terminal_total\{status="complete",/), 1);
	assert.is(sampled(text, /^scan_duration_seconds_count /), 1);
	assert.is(sampled(text, /^strategy_verdicts_total\{strategy_id="ai_spot_momentum_strategy",/), 1);
	assert.is(sampled(text, /^scans_active /), 0);
	assert.is(sampled(text, /^lease_takeovers_total /), 0);
	assert.ok(sampled(text, /^market_cache_hit_ratio /) >= 0);
	assert.not.match(text, /scan_[0-9a-f]{32}/);
	const own = /^http_request_duration_seconds_count\{route="\/api\/v1\/opportunities\/discover"/;
	assert.is(sampled(text, own), 1);
});

monitoring("a worker that listens serves its health and the same totals, and nothing else", async () => {
	const text = await scrape(worker);
	assert.is(sampled(text, /^scans_started_total /), 1);
	for (const path of ["/livez", "/readyz"]) assert.is((await fetch(`${worker.url}${path}`)).status, 200, path);
	assert.is((await fetch(`${worker.url}/api/v1/auth/login`, { method: "POST" })).status, 401);
	const silent = await startProgram({ ...shared, ROLE: "worker", PORT: "" });
	assert.is(silent.url, "", "without PORT a worker does not listen");
});

monitoring.run();
