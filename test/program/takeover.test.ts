import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createRedisClient } from "../../src/redis/clients.ts";
import { provideRedis, type RedisProvision } from "../../src/redis/provide.ts";
import { scanKeys } from "../../src/store/keys.ts";
import {
	Client,
	isEnded,
	PATH_WITHOUT_REDIS,
	type Program,
	type Reply,
	startProgram,
	stopPrograms,
} from "../support/program.ts";
import { testLogger } from "../support/store.ts";

const takeover = suite("program: two APIs, two workers, one Redis");

let dataDir: string;
let provision: RedisProvision;
let apis: Program[];
let workers: Program[];
let client: Client;
let shared: Record<string, string>;

/** Slow enough that a scan can be disturbed, quick enough for a test. */
const LATENCY_MS = "150";
/** A few are enough: this test is about processes, not about what they compute. */
const STRATEGIES = "spot_momentum,spot_mean_reversion,spot_breakout,funding_arbitrage,risk_management";
const ADMIN_PASSWORD = "correct horse";

takeover.before(async () => {
	dataDir = await mkdtemp(join(tmpdir(), "lp-"));
	provision = await provideRedis({ redisUrl: null, dataDir, path: process.env.PATH ?? "", logger: testLogger() });
	const { path } = provision.connection as { path: string };
	shared = {
		REDIS_URL: `unix://${path}`,
		JWT_SECRET: "0123456789abcdef0123456789abcdef",
		ADMIN_PASSWORD,
		MARKET: "simulated:1",
		MARKET_LATENCY_MS: LATENCY_MS,
		MARKET_AS_OF: "2026-03-19T19:00:00Z",
		LEASE_MS: "3000",
		RATE_DISCOVER_MAX: "1000",
		RATE_OTHER_MAX: "100000",
	};
	[apis, workers] = await Promise.all([
		Promise.all([startProgram({ ...shared, ROLE: "api" }), startProgram({ ...shared, ROLE: "api" })]),
		Promise.all([startWorker(), startWorker()]),
	]);
	client = new Client(apis.map(({ url }) => url));
	assert.is((await client.login("admin@lookout.local", ADMIN_PASSWORD)).status, 200);
});
takeover.after(async () => {
	await stopPrograms();
	await provision.close();
	await rm(dataDir, { recursive: true, force: true });
});

const startWorker = (): Promise<Program> => startProgram({ ...shared, ROLE: "worker", PORT: "" });

/**
 * Two workers with an empty cache. One that has read the market before is done with a scan in 100 ms, which
 * no poll is sure to see; with nothing read yet the latency of the market holds every scan for seconds.
 */
async function freshWorkers(): Promise<void> {
	for (const worker of workers) worker.kill("SIGKILL");
	await Promise.all(workers.map((worker) => worker.ended()));
	workers = await Promise.all([startWorker(), startWorker()]);
}

const inFlight = ({ phase, progress }: Reply["body"]): boolean =>
	phase === "strategies_scan" && progress.strategies_completed < progress.total_strategies;

/** The worker process that holds the scan, by what it wrote into the record. */
async function holder(scanId: string): Promise<Program> {
	const redis = createRedisClient(provision.connection, "commands", testLogger());
	const worker = await redis.hget(scanKeys(scanId).scan, "worker");
	await redis.quit();
	const found = workers.find(({ process }) => worker?.split("-")[1] === String(process.pid));
	if (!found) throw new Error(`no worker of ours holds ${scanId}: ${worker}`);
	return found;
}

/** Fails when a reply is behind one that was already seen, or does not know the scan. */
function monotone(): (reply: Reply) => void {
	let seen: Reply["body"] | null = null;
	return ({ status, body }) => {
		assert.is(status, 200, JSON.stringify(body));
		if (seen) {
			assert.ok(body.revision >= seen.revision, "revision");
			for (const counter of ["strategies_completed", "opportunities_found_so_far", "percentage"]) {
				assert.ok(body.progress[counter] >= seen.progress[counter], counter);
			}
			assert.ok(seen.status === "scanning" || body.status === seen.status, "an end is final");
		}
		seen = body;
	};
}

const verdicts = (results: Reply): unknown =>
	results.body.strategy_results.map(
		({ strategy_id, verdict, evaluated, published, unproven, rejected }: Reply["body"]) => [
			strategy_id,
			verdict,
			evaluated,
			published,
			unproven,
			rejected,
		],
	);

takeover(
	"SIGKILL in the middle of a scan: another worker goes on, the result is that of an undisturbed run",
	async () => {
		const start = await client.post("/opportunities/discover", { strategy_ids: STRATEGIES, force_refresh: true });
		const id = start.body.scan_id;
		const see = monotone();
		await client.poll(id, inFlight, see);
		const victim = await holder(id);
		victim.kill("SIGKILL");
		const done = await client.poll(id, isEnded, see);
		assert.is(done.body.status, "complete");
		const results = await client.get(`/opportunities/results/${id}`);
		const calm = await client.post("/opportunities/discover", { strategy_ids: STRATEGIES, force_refresh: true });
		assert.is.not(calm.body.scan_id, id);
		await client.poll(calm.body.scan_id, isEnded, monotone());
		const expected = await client.get(`/opportunities/results/${calm.body.scan_id}`);
		assert.is(expected.status, 200, JSON.stringify(expected.body));
		assert.equal(verdicts(results), verdicts(expected));
		const ids = ({ body }: Reply) =>
			body.opportunities.map(({ opportunity_id }: { opportunity_id: string }) => opportunity_id);
		assert.equal(ids(results), ids(expected));
		const attempts = results.body.strategy_results.map(({ attempts }: Reply["body"]) => attempts);
		assert.ok(Math.max(...attempts) === 2, `what was in flight ran again: ${attempts}`);
	},
);

takeover("SIGTERM: the worker hands its scan over and leaves in order", async () => {
	await freshWorkers();
	const start = await client.post("/opportunities/discover", {
		strategy_ids: STRATEGIES,
		force_refresh: true,
		symbols: "BTC,ETH",
	});
	const id = start.body.scan_id;
	const see = monotone();
	await client.poll(id, inFlight, see);
	const leaving = await holder(id);
	leaving.kill("SIGTERM");
	assert.is(await leaving.ended(), 0);
	const done = await client.poll(id, isEnded, see);
	assert.is(done.body.status, "complete");
});

takeover("a frozen worker can change nothing when it wakes up", async () => {
	await freshWorkers();
	const start = await client.post("/opportunities/discover", {
		strategy_ids: STRATEGIES,
		force_refresh: true,
		symbols: "BTC,SOL",
	});
	const id = start.body.scan_id;
	const see = monotone();
	await client.poll(id, inFlight, see);
	const frozen = await holder(id);
	frozen.kill("SIGSTOP");
	const done = await client.poll(id, isEnded, see);
	assert.is(done.body.status, "complete");
	const before = await client.get(`/opportunities/results/${id}`);
	frozen.kill("SIGCONT");
	const other = await client.post("/opportunities/discover", {
		strategy_ids: STRATEGIES,
		force_refresh: true,
		symbols: "BTC,ADA",
	});
	await client.poll(other.body.scan_id, isEnded);
	assert.equal((await client.get(`/opportunities/results/${id}`)).body, before.body);
});

/**
 * Whoever many ask at once: both APIs. The embedded server is for one process and serves a connection's whole burst
 * before another's, so without a redis-server it is one that does all, on a server of its own.
 */
async function manyMayAsk(): Promise<Client> {
	if (provision.kind === "private") return client;
	const { REDIS_URL: _, ...alone } = shared;
	const { url } = await startProgram({ ...alone, ROLE: "all", PATH: PATH_WITHOUT_REDIS });
	const crowd = new Client([url]);
	assert.is((await crowd.login("admin@lookout.local", ADMIN_PASSWORD)).status, 200);
	return crowd;
}

takeover("300 polls right after a start lose the scan 0 times; 20 equal starts make one scan", async () => {
	const crowd = await manyMayAsk();
	const starts = await Promise.all(
		Array.from({ length: 20 }, () =>
			crowd.post("/opportunities/discover", { strategy_ids: STRATEGIES, symbols: "DOGE" }),
		),
	);
	const ids = new Set(starts.map(({ body }) => body.scan_id));
	assert.is(ids.size, 1);
	const [id] = [...ids];
	const polls = await Promise.all(Array.from({ length: 300 }, () => crowd.get(`/opportunities/status/${id}`)));
	const refusals = polls.filter(({ status }) => status !== 200);
	assert.is(refusals.length, 0, JSON.stringify(refusals[0]?.body));
	await crowd.poll(id, isEnded, monotone());
});

takeover("cancel reaches the running worker from either API at once", async () => {
	await freshWorkers();
	const start = await client.post("/opportunities/discover", {
		strategy_ids: STRATEGIES,
		force_refresh: true,
		symbols: "XRP",
	});
	const id = start.body.scan_id;
	await client.poll(id, ({ phase }) => phase !== null && phase !== "queued");
	const reply = await client.post(`/opportunities/scans/${id}/cancel`);
	assert.is(reply.status, 200);
	assert.is(reply.body.state, "cancelled");
	const [a, b] = await Promise.all([
		client.get(`/opportunities/status/${id}`),
		client.get(`/opportunities/status/${id}`),
	]);
	assert.is(a.body.state, "cancelled");
	assert.is(b.body.state, "cancelled");
	assert.is((await client.get(`/opportunities/results/${id}`)).status, 409);
});

takeover("no secret lies in Redis or in any log", async () => {
	const redis = createRedisClient(provision.connection, "commands", testLogger());
	const keys = await redis.keys("*");
	const dumped: string[] = [];
	for (const key of keys) {
		const type = await redis.type(key);
		if (type === "string") dumped.push((await redis.get(key)) ?? "");
		if (type === "hash") dumped.push(JSON.stringify(await redis.hgetall(key)));
		if (type === "stream") dumped.push(JSON.stringify(await redis.xrange(key, "-", "+")));
	}
	await redis.quit();
	const everything = [...dumped, ...[...apis, ...workers].map(({ output }) => output())].join("\n");
	for (const secret of [ADMIN_PASSWORD, shared.JWT_SECRET ?? ""])
		assert.not.ok(everything.includes(secret), "a secret is stored or logged");
	assert.not.ok(/eyJhbGciOi/.test(everything), "a token is stored or logged");
});

takeover.run();
