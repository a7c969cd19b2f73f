/** Two hundred users of the built program who scan a live exchange at once cost it the calls of one. */
import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writeLiveSet } from "../support/live-program.ts";
import { Client, isEnded } from "../support/program.ts";
import type { RecordedFixture } from "../support/recorded-fixture.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";
import { ADMIN, type Cluster, startCluster } from "./cluster.ts";

const test = suite("program: a crowd on a live exchange");
const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: two workers on one live exchange, no redis-server on PATH\n");

const USERS = 200;
/** Of the calls of one scan. */
const CALLS_SHARE_MAX = 1.05;
const LATENCY_MS = 50;
/** By then each process knows how the exchange's clock moves. */
const SETTLED_MS = 3_000;
const SIGN_UPS_AT_ONCE = 8;
const PASSWORD = "another horse";

let fixture: RecordedFixture;
test.before(async () => {
	fixture = await writeLiveSet();
});
test.after(() => fixture.remove());

/** Calls by endpoint and what was asked, so that a difference can be read. */
type Calls = Map<string, number>;

function callsOf(exchange: ReplayExchange): Calls {
	const calls: Calls = new Map();
	for (const { endpoint, query } of exchange.stats().log) {
		const call = `${endpoint}?${query}`;
		calls.set(call, (calls.get(call) ?? 0) + 1);
	}
	return calls;
}

const more = (calls: Calls, than: Calls): string[] =>
	[...calls].filter(([call, count]) => count > (than.get(call) ?? 0)).map(([call, count]) => `${count} ${call}`);

async function signUp(cluster: Cluster, count: number): Promise<Client[]> {
	const chief = new Client(cluster.urls());
	assert.is((await chief.login(ADMIN.email, ADMIN.password)).status, 200);
	const clients: Client[] = [];
	let next = 0;
	const one = async (): Promise<void> => {
		for (let i = next++; i < count; i = next++) {
			const email = `user${i}@lookout.local`;
			const made = await chief.post("/admin/users", { email, password: PASSWORD, role: "trader" });
			assert.is(made.status, 201, JSON.stringify(made.body));
			const client = new Client(cluster.urls());
			assert.is((await client.login(email, PASSWORD)).status, 200);
			clients.push(client);
		}
	};
	await Promise.all(Array.from({ length: SIGN_UPS_AT_ONCE }, one));
	return clients;
}

/** How it ended, and what it found. */
async function scanOf(client: Client): Promise<string> {
	const started = await client.post("/opportunities/discover", {});
	assert.is(started.status, 200, JSON.stringify(started.body));
	const end = async (): Promise<void> => {
		await client.poll(started.body.scan_id, isEnded).catch(async () => {
			await client.poll(started.body.scan_id, isEnded);
		});
	};
	await end();
	const { body } = await client.get(`/opportunities/results/${started.body.scan_id}`);
	return JSON.stringify([body.status, body.total_opportunities]);
}

/** The calls that so many users' scans at once make, in a program and at an exchange that know nothing yet. */
async function callsOfUsers(
	count: number,
): Promise<{ calls: Calls; requests: number; ends: string[]; seconds: number }> {
	const exchange = await createReplayExchange({ dir: fixture.dir, latencyMs: LATENCY_MS });
	const env = { MARKET: "ccxt:binance", MARKET_BASE_URL: exchange.baseUrl };
	let cluster: Cluster | null = null;
	try {
		cluster = await startCluster({ apis: 1, workers: 2, fsync: "everysec", env });
		const clients = await signUp(cluster, count);
		await pause(SETTLED_MS);
		exchange.resetStats();
		const begun = performance.now();
		const ends = await Promise.all(clients.map(scanOf));
		const seconds = (performance.now() - begun) / 1000;
		return { calls: callsOf(exchange), requests: exchange.stats().requests, ends, seconds };
	} finally {
		await cluster?.close();
		await exchange.close();
	}
}

withServer(
	`${USERS} scans of as many users at once make at most ${CALLS_SHARE_MAX} times the calls of one`,
	async () => {
		const one = await callsOfUsers(1);
		const crowd = await callsOfUsers(USERS);
		process.stdout.write(
			`  one scan: ${one.requests} calls in ${one.seconds.toFixed(1)} s; ${USERS}: ${crowd.requests} in ${crowd.seconds.toFixed(1)} s\n`,
		);
		assert.ok(one.requests > 30, `${one.requests} calls of one scan`);
		assert.equal([...new Set(crowd.ends)], one.ends);
		const extra = more(crowd.calls, one.calls).join("\n");
		assert.ok(
			crowd.requests <= one.requests * CALLS_SHARE_MAX,
			`${crowd.requests} of ${one.requests} calls:\n${extra}`,
		);
	},
);

test.run();
