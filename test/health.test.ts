import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { healthRoutes } from "../src/api/routes/health.ts";
import { systemClock } from "../src/clock.ts";
import type { Config } from "../src/config.ts";
import type { ApiError } from "../src/errors.ts";
import { createHealthChecks, createProbes } from "../src/health.ts";
import type { MarketData } from "../src/market/contract.ts";
import { WORKER_SILENT_MS } from "../src/presence.ts";
import type { ScanQueue } from "../src/queue/scan-queue.ts";
import { closeRedisClient, createRedisClient } from "../src/redis/clients.ts";
import type { RedisProvision } from "../src/redis/provide.ts";
import type { WorkerInfo } from "../src/store/contract.ts";
import type { ScanStore } from "../src/store/index.ts";
import { startTestRedis, type TestRedis, testLogger } from "./support/store.ts";
import { acceptedScan, untilRecord } from "./support/stuck.ts";
import { never, quickEffects, runtimeOn } from "./support/system.ts";
import { until } from "./support/wait.ts";

const health = suite("health: what /readyz and operators are told");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;

const market = {
	source: { kind: "simulated", name: "own" },
	check: async () => ({ ok: true, error: null }),
} as unknown as MarketData;

health.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
	await store.writer.noteSweep();
});
health.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

const depsOf = () => {
	const provision = { kind: "external" } as RedisProvision;
	return { store, market, provision, config: { watchdogMs: 500 } as Config };
};

async function readyz(): Promise<{ status: number; body: Record<string, unknown> }> {
	const route = healthRoutes(createHealthChecks(depsOf()), systemClock, () => false).find(
		({ path }) => path === "/readyz",
	);
	const request = { headers: {}, address: "127.0.0.1", request_id: "r", signal: new AbortController().signal };
	try {
		const reply = await route?.handler(request);
		return { status: reply?.status ?? 0, body: reply?.body as Record<string, unknown> };
	} catch (error) {
		const { http_status, extra } = error as ApiError;
		return { status: http_status, body: extra };
	}
}

const note = (id: string, silentMs: number, more: Partial<WorkerInfo> = {}) =>
	store.writer.noteWorker({
		worker_id: id,
		version: "0",
		started_at_ms: 0,
		last_seen_at_ms: store.clock.now() - silentMs,
		scans_active: 0,
		draining: false,
		...more,
	});

/** Redis that answers reads and refuses writes; undone whatever the test says. */
async function refusingWrites(set: string[], unset: string[], run: () => Promise<void>): Promise<void> {
	await client.call(...(set as [string, ...string[]]));
	try {
		await run();
	} finally {
		await client.call(...(unset as [string, ...string[]]));
	}
}

for (const [what, set, unset] of [
	["read-only", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
	["full", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
] as const) {
	health(`a ${what} Redis is not ready, though it answers every read`, async () => {
		if (redis.kind === "memory") return void process.stdout.write(`  skipped: no redis-server to make ${what}\n`);
		await note("w", 0);
		assert.is((await readyz()).status, 200);
		await refusingWrites([...set], [...unset], async () => {
			assert.is(await client.ping(), "PONG");
			const { status, body } = await readyz();
			assert.is(status, 503);
			assert.is(body.status, "not_ready");
			assert.is((body.checks as { redis: { ok: boolean } }).redis.ok, false);
		});
		assert.is((await readyz()).status, 200, "and is again when it takes writes");
	});
}

health("workers that are silent or draining do not count, nor do their markets", async () => {
	const market = (calls: number, hits: number) => ({
		calls,
		hits,
		sources: [{ source: "m", ok: calls > 0, breaker_open: false }],
	});
	await store.writer.forgetWorker("w");
	await note("alive", 0, { market: market(10, 5) });
	await note("draining", 0, { draining: true, market: market(10, 10) });
	await note("silent", WORKER_SILENT_MS + 1, { market: market(0, 0) });
	const { workers } = createHealthChecks(depsOf());
	assert.equal(await workers.run(), { ok: true, count: 1 });
	const probes = createProbes({ ...depsOf(), queue: {} as ScanQueue });
	assert.is(await probes.cacheHitRate(), 0.75, "what a draining worker has read was read");
	assert.equal(await probes.sources(), [{ source: "m", ok: true, breaker_open: false }]);
	await store.writer.forgetWorker("alive");
	await store.writer.forgetWorker("draining");
	assert.equal(await workers.run(), { ok: false, count: 0 });
	assert.is(await probes.cacheHitRate(), null);
	assert.equal(await probes.sources(), [{ source: "own", ok: true, breaker_open: false }], "nobody tells: its own");
});

health("scans that somebody has claimed are active, whether the queue has delivered them or not", async () => {
	const jobs = { waiting: async () => ({ waiting: 2, active: 0 }) } as ScanQueue;
	const probes = createProbes({ ...depsOf(), queue: jobs });
	const before = await probes.queue();
	const [scanId] = [await acceptedScan(store), await acceptedScan(store)];
	assert.is((await probes.queue()).active, before.active, "none is claimed");
	const hung = runtimeOn(store, quickEffects({ fetchPortfolio: ({ signal }) => never(signal) }));
	void hung.run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "portfolio_fetch");
	await until(async () => (await store.statistics.queuedScans()) === 1, "the claim is listed");
	assert.equal([(await probes.queue()).waiting, (await probes.queue()).active], [2, before.active + 1]);
	await hung.handOver();
});

health("of many workers some are drawn, other ones each time", async () => {
	const ids = Array.from({ length: 12 }, (_, i) => `drawn-${i}`);
	for (const id of ids) await note(id, 0);
	const drawn = new Set<string>();
	for (let look = 0; look < 60; look++) {
		const some = (await store.statistics.someWorkers(5)).map(({ worker_id }) => worker_id);
		assert.is(new Set(some).size, 5);
		for (const id of some) drawn.add(id);
	}
	assert.ok(drawn.size >= 12, `${drawn.size} of 12 in 60 draws`);
	const all = await store.statistics.someWorkers(1_000);
	assert.equal(all.length, (await store.statistics.workers()).length);
	for (const id of ids) await store.writer.forgetWorker(id);
});

health("a sweep forgets workers that have long been silent, and no other", async () => {
	await note("gone", 300_001);
	await note("quiet", 299_000);
	await store.writer.noteSweep();
	const ids = (await store.statistics.workers()).map(({ worker_id }) => worker_id);
	assert.ok(ids.includes("quiet"));
	assert.not.ok(ids.includes("gone"));
});

health.run();
