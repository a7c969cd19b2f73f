import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { provideRedis, type RedisProvision } from "../../src/redis/provide.ts";
import { Client, type Program, type Reply, startProgram, stopPrograms } from "../support/program.ts";
import { testLogger } from "../support/store.ts";

/** Workers that are frozen or dead for real: processes, signals, and an API process that has to tell and to act. */
const frozen = suite("stuck: frozen and dead workers as processes");

const ADMIN_PASSWORD = "correct horse";
const LEASE_MS = 3_000;
const STUCK_AFTER_MS = 1_500;
let dataDir: string;
let provision: RedisProvision;
let client: Client;
let worker: Program;

frozen.before(async () => {
	dataDir = await mkdtemp(join(tmpdir(), "lp-"));
	provision = await provideRedis({ redisUrl: null, dataDir, path: process.env.PATH ?? "", logger: testLogger() });
	const { path } = provision.connection as { path: string };
	const shared = {
		REDIS_URL: `unix://${path}`,
		JWT_SECRET: "0123456789abcdef0123456789abcdef",
		ADMIN_PASSWORD,
		MARKET: "simulated:1",
		// Every read takes so long that the scan is still at work whenever the test looks.
		MARKET_LATENCY_MS: "2000",
		MARKET_AS_OF: "2026-03-19T19:00:00Z",
		LEASE_MS: String(LEASE_MS),
		HEARTBEAT_MS: "500",
		STUCK_AFTER_MS: String(STUCK_AFTER_MS),
		RATE_DISCOVER_MAX: "1000",
		RATE_OTHER_MAX: "100000",
	};
	const [api, started] = await Promise.all([
		startProgram({ ...shared, ROLE: "api" }),
		startProgram({ ...shared, ROLE: "worker", PORT: "" }),
	]);
	worker = started;
	client = new Client([api.url]);
	assert.is((await client.login("admin@lookout.local", ADMIN_PASSWORD)).status, 200);
});
frozen.after(async () => {
	await stopPrograms();
	await provision.close();
	await rm(dataDir, { recursive: true, force: true });
});

/** A new scan in the hands of the only worker. */
async function startedScan(symbols: string): Promise<string> {
	const start = await client.post("/opportunities/discover", { strategy_ids: "spot_momentum", symbols });
	const id = start.body.scan_id;
	await client.poll(id, ({ phase }) => phase === "asset_discovery" || phase === "strategies_scan");
	return id;
}

const lifecycle = async (id: string): Promise<Reply["body"]> =>
	(await client.get(`/scan-diagnostics/scan-lifecycle/${id}`)).body;

async function cancelWithinASecond(id: string): Promise<void> {
	const startedAt = performance.now();
	const reply = await client.post(`/opportunities/scans/${id}/cancel`);
	const tookMs = performance.now() - startedAt;
	assert.is(reply.body.state, "cancelled", JSON.stringify(reply.body));
	assert.ok(tookMs < 1_000, `${Math.round(tookMs)} ms`);
}

frozen(
	"a frozen worker: seen by lifecycle and the operators' list, cancelled in a second, powerless when it wakes",
	async () => {
		const id = await startedScan("BTC");
		worker.kill("SIGSTOP");
		const signal = AbortSignal.timeout(20_000);
		let told = await lifecycle(id);
		while (!told.is_stuck && !signal.aborted) told = await lifecycle(id);
		assert.is(told.is_stuck, true);
		assert.is(told.stuck.waiting_on.kind, "worker");
		assert.match(told.stuck.waiting_on.id, /^worker-/);
		assert.ok(told.stuck.evidence.heartbeat_age_ms < 2 * STUCK_AFTER_MS + 500, "seen within twice the threshold");
		assert.ok(told.stuck.evidence.lease_expires_at);
		const { scans } = (await client.get("/scan-diagnostics/stuck-scans")).body;
		assert.ok(scans.some(({ scan_id, stuck }: Reply["body"]) => scan_id === id && stuck.waiting_on.kind === "worker"));
		await cancelWithinASecond(id);
		worker.kill("SIGCONT");
		// It takes the next scan, so it has had every chance to write about the old one.
		const next = await startedScan("SOL");
		await cancelWithinASecond(next);
		const after = await client.get(`/opportunities/status/${id}`);
		assert.is(after.body.state, "cancelled");
		assert.is((await lifecycle(id)).is_stuck, false);
	},
);

frozen("a dead worker: cancelled in a second by a process that runs no scans", async () => {
	const id = await startedScan("ETH");
	worker.kill("SIGKILL");
	await worker.ended();
	await cancelWithinASecond(id);
	const after = await client.get(`/opportunities/status/${id}`);
	assert.is(after.body.reason, "user_request");
});

frozen.run();
