/**
 * Two hundred users of the built program who scan a live exchange at once cost it the calls of one; `LIVE_CROWD_USERS=1000`
 * for more.
 */
import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createUsers } from "../../src/accounts/users.ts";
import { CATALOGUE } from "../../src/catalogue.ts";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { PAST_SLICE_MS } from "../../src/market/live-rules.ts";
import { Client, isEnded, type Reply } from "../support/program.ts";
import { type RecordedFixture, writeRecordedFixture } from "../support/recorded-fixture.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";
import { replaySet, SET_END_MS } from "../support/replay-set.ts";
import { type Cluster, JWT_SECRET, startCluster } from "./cluster.ts";

const test = suite("program: a crowd on a live exchange");
const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: two workers on one live exchange, no redis-server on PATH\n");

const USERS = Number(process.env["LIVE_CROWD_USERS"] ?? 200);
const STRATEGIES = CATALOGUE.map(({ id }) => id);
const LATENCY_MS = 50;
const COINS =
	"BTC,ETH,SOL,XRP,BNB,DOGE,SUI,ADA,LINK,AVAX,TRX,LTC,BCH,DOT,ATOM,NEAR,APT,ARB,OP,UNI,AAVE,INJ,FIL,XLM".split(",");
const PERPS = 8;
/** Fewer would not tell much. */
const CALLS_OF_ONE_MIN = 40;
/** A clock that moves does so far from the close of a bar, and where there are data to come. */
const MOVING_FROM_MS = SET_END_MS - 100 * 60_000;
/** All scans of a crowd are accepted within this time. */
const STARTS_WITHIN_MS = 20_000;
/** By then each process knows how the exchange's clock moves. */
const SETTLED_MS = 3_000;

let fixture: RecordedFixture;
test.before(async () => {
	const coins = COINS.map((base) => `${base}USDT`);
	const set = replaySet({ seed: 5, hours: 60, days: 520, spot: coins, perps: coins.slice(0, PERPS) });
	fixture = await writeRecordedFixture(set);
});
test.after(() => fixture.remove());

/** Calls by endpoint and what was asked. */
type Calls = Map<string, number>;

/**
 * All but the looks at the exchange's time, which processes make once a minute whether anybody scans or not. `whole`: with
 * what was asked, which names instants where the clock moves.
 */
function callsOf(exchange: ReplayExchange, whole: boolean): Calls {
	const calls: Calls = new Map();
	for (const { endpoint, query } of exchange.stats().log) {
		if (endpoint.endsWith("/time")) continue;
		const call = whole ? `${endpoint}?${query}` : endpoint;
		calls.set(call, (calls.get(call) ?? 0) + 1);
	}
	return calls;
}

const more = (calls: Calls, than: Calls): string[] =>
	[...calls].filter(([call, count]) => count > (than.get(call) ?? 0)).map(([call, count]) => `${count} ${call}`);
const sum = (calls: Calls): number => [...calls.values()].reduce((total, count) => total + count, 0);

/** Users with one password, made beside the program: two hundred of them would hash theirs for a minute. */
async function signUp(cluster: Cluster, count: number): Promise<Client[]> {
	const users = createUsers({
		redis: cluster.redis.admin,
		clock: systemClock,
		entropy: systemEntropy,
		jwtSecrets: [JWT_SECRET],
		refreshGraceMs: 10_000,
	});
	const password_hash = await users.passwords.hash("another horse");
	const one = async (_: unknown, i: number): Promise<Client> => {
		const profile = { email: `user${i}@lookout.local`, full_name: null, role: "trader" } as const;
		const account = await users.accounts.create({ ...profile, password_hash });
		const { access_token } = await users.logins.open(account, password_hash);
		return new Client(cluster.urls()).withToken(access_token);
	};
	return Promise.all(Array.from({ length: count }, one));
}

/** How it ended, and what it found. */
async function scanOf(client: Client): Promise<string> {
	const started = await client.post("/opportunities/discover", { strategy_ids: STRATEGIES });
	assert.is(started.status, 200, JSON.stringify(started.body));
	// A poll waits a minute; on a busy machine the last of two hundred takes longer.
	// A refusal of a busy moment has a status too, which is a number.
	const isOver = (body: Reply["body"]) => typeof body.status === "string" && isEnded(body);
	const ended = () => client.poll(started.body.scan_id, isOver);
	await ended().catch(ended);
	const { body } = await client.get(`/opportunities/results/${started.body.scan_id}`);
	return JSON.stringify([body.status, body.total_opportunities]);
}

/** The calls that so many users' scans at once make, in a program and at an exchange that know nothing yet. */
async function callsOfUsers(
	count: number,
	clock: "standing" | "moving",
): Promise<{ calls: Calls; ends: string[]; seconds: number }> {
	const moving = clock === "moving";
	const asOfMs = moving ? MOVING_FROM_MS : null;
	const exchange = await createReplayExchange({ dir: fixture.dir, latencyMs: LATENCY_MS, asOfMs });
	const startedMs = performance.now();
	const tick = () => exchange.setNow(MOVING_FROM_MS + performance.now() - startedMs);
	const ticking = moving ? setInterval(tick, 20) : null;
	const env = { MARKET: "ccxt:binance", MARKET_BASE_URL: exchange.baseUrl, QUEUE_LIMIT: String(USERS + 1000) };
	let cluster: Cluster | null = null;
	try {
		cluster = await startCluster({ apis: 1, workers: 2, fsync: "everysec", env, direct: true });
		const clients = await signUp(cluster, count);
		await pause(SETTLED_MS);
		// What is asked about the past is asked for by the five minutes: two of them are two questions.
		const leftMs = PAST_SLICE_MS - (exchange.now() % PAST_SLICE_MS);
		if (moving && leftMs < STARTS_WITHIN_MS) await pause(leftMs);
		exchange.resetStats();
		const begun = performance.now();
		const ends = await Promise.all(clients.map(scanOf));
		const seconds = (performance.now() - begun) / 1000;
		return { calls: callsOf(exchange, !moving), ends, seconds };
	} finally {
		if (ticking) clearInterval(ticking);
		await cluster?.close();
		await exchange.close();
	}
}

for (const clock of ["standing", "moving"] as const) {
	withServer(
		`${USERS} scans of as many users at once make exactly the calls of one, the exchange's clock ${clock}`,
		async () => {
			const one = await callsOfUsers(1, clock);
			const crowd = await callsOfUsers(USERS, clock);
			const [ofOne, ofCrowd] = [sum(one.calls), sum(crowd.calls)];
			process.stdout.write(
				`  one scan: ${ofOne} calls in ${one.seconds.toFixed(1)} s; ${USERS}: ${ofCrowd} in ${crowd.seconds.toFixed(1)} s\n`,
			);
			assert.ok(ofOne >= CALLS_OF_ONE_MIN, `${ofOne} calls of one scan`);
			assert.equal([...new Set(crowd.ends)], one.ends);
			assert.is(ofCrowd, ofOne, more(crowd.calls, one.calls).join("\n"));
		},
	);
}

test.run();
