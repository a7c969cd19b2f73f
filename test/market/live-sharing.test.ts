/** Real ccxt over real HTTP against the replay exchange: several processes' worth of caches, one exchange. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import type { StaleNote } from "../../src/market/contract.ts";
import { type CachedMarketData, createMarketData, discoverUniverse } from "../../src/market/index.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";
import { createMarketAnswers } from "../../src/store/market-answers.ts";
import { createMarketBudget } from "../../src/store/market-budget.ts";
import { type RecordedFixture, writeRecordedFixture } from "../support/recorded-fixture.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";
import { replaySet, SET_END_MS } from "../support/replay-set.ts";

const test = suite("market/live-sharing");
const HOUR_MS = 3_600_000;
let redis: TestRedis;
let fixture: RecordedFixture;
let exchange: ReplayExchange;
const opened: CachedMarketData[] = [];
/** Two workers, for all tests: opening one loads ccxt in a thread of its own. */
let pair: [Worker, Worker];

test.before(async () => {
	redis = await startRedis();
	fixture = await writeRecordedFixture(replaySet());
	exchange = await createReplayExchange({ dir: fixture.dir, asOfMs: SET_END_MS - 2 * HOUR_MS });
});
test.after(async () => {
	await Promise.all(opened.map((market) => market.close()));
	await exchange.close();
	await fixture.remove();
	await redis.stop();
});

async function openProcess() {
	const connection = redis.client({ maxRetriesPerRequest: 1 });
	const gate = createSourceGate({
		budget: createMarketBudget(connection),
		clock: systemClock,
		entropy: systemEntropy,
	});
	const market = await createMarketData({
		market: "ccxt:binance",
		asOfMs: null,
		latencyMs: 0,
		baseUrl: exchange.baseUrl,
		gate,
		sharing: { answers: createMarketAnswers(connection), entropy: systemEntropy },
		clock: systemClock,
	});
	opened.push(market);
	return { market, gate };
}

type Worker = Awaited<ReturnType<typeof openProcess>>;

const read = (market: CachedMarketData, onStale?: (note: StaleNote) => void) => ({
	signal: AbortSignal.timeout(30_000),
	as_of_ms: market.now(),
	...(onStale ? { onStale } : {}),
});

/** What one scan reads. */
async function scan(market: CachedMarketData): Promise<number> {
	const options = read(market);
	const universe = await discoverUniverse(market, {
		signal: options.signal,
		asOfMs: options.as_of_ms,
		clock: systemClock,
	});
	const markets = universe.assets.flatMap(({ markets: own }) => own);
	const absent = () => null;
	await Promise.all(
		markets.flatMap(({ symbol, venue, type }): Promise<unknown>[] => {
			const named = { ...options, venue };
			return [
				market.candles(symbol, "1h", named).catch(absent),
				market.candles(symbol, "1d", named).catch(absent),
				market.orderBook(symbol, named).catch(absent),
				...(type === "perp" ? [market.funding(symbol, named), market.openInterest(symbol, named)] : []),
			];
		}),
	);
	return markets.length;
}

/** Requests by endpoint, without those for the exchange's time, which each process asks for at its start. */
const dataRequests = (): Record<string, number> =>
	Object.fromEntries(
		Object.entries(exchange.stats().by_endpoint)
			.filter(([endpoint]) => !/time$/.test(endpoint))
			.map(([endpoint, { requests }]) => [endpoint, requests] as const)
			.sort(),
	);

test("200 scans at once on two workers make the requests of one", async () => {
	const first = await openProcess();
	assert.ok((await scan(first.market)) >= 4);
	const ofOne = dataRequests();
	const allOfOne = exchange.stats().requests;
	assert.ok(Object.values(ofOne).reduce((a, b) => a + b, 0) >= 10, JSON.stringify(ofOne));

	await redis.client().flushall();
	exchange.resetStats();
	pair = await Promise.all([openProcess(), openProcess()]);
	await Promise.all(Array.from({ length: 200 }, (_, i) => scan((pair[i % 2] as Worker).market)));
	assert.equal(dataRequests(), ofOne);
	assert.ok(exchange.stats().requests <= 2 * allOfOne);
});

test("a new bar asks for one page of each history, whichever process asks", async () => {
	const [first, second] = pair;
	const symbol = "AAA/USDT";
	const before = await first.market.candles(symbol, "1h", { ...read(first.market), venue: "binance" });
	exchange.resetStats();
	exchange.setNow(SET_END_MS);
	const as_of_ms = SET_END_MS;
	const after = await second.market.candles(symbol, "1h", { ...read(second.market), as_of_ms, venue: "binance" });
	assert.is(after.length, before.length + 2);
	assert.equal([...after.close.subarray(0, before.length)], [...before.close]);
	const klines = exchange.stats().log.filter(({ endpoint }) => endpoint.endsWith("klines"));
	assert.is(klines.length, 1);
});

test("5xx and cut answers: the last good answer, marked, in every process", async () => {
	for (const [i, fault] of (["server_error", "truncated"] as const).entries()) {
		const { market } = pair[i] as Worker;
		exchange.setNow(SET_END_MS);
		const at = (as_of_ms: number, more = {}) => ({ ...read(market), venue: "binance", as_of_ms, ...more });
		// Read by the other process, as of the bar before.
		const good = await (pair[1 - i] as Worker).market.candles("BBB/USDT", "1h", at(SET_END_MS - (2 - i) * HOUR_MS));
		exchange.addFaults({ kind: fault, endpoint: "klines" });
		const notes: StaleNote[] = [];
		const onStale = (note: StaleNote) => notes.push(note);
		const stale = await market.candles("BBB/USDT", "1h", at(SET_END_MS + HOUR_MS, { onStale }));
		exchange.clearFaults();
		assert.is(stale.length, good.length, fault);
		assert.is(notes.length, 1, fault);
		assert.match(notes[0]?.error ?? "", /^fetch_failed: /);
		await redis.client().del("market_failure:{ccxt:binance}:candles:BBB/USDT@binance:1h");
	}
});

test("a ban of one process ends the calls of all at once", async () => {
	const [first, second] = pair;
	exchange.addFaults({ kind: "banned", endpoint: "klines" });
	const end = (market: CachedMarketData, timeframe: "15m" | "5m") =>
		market
			.candles("BBB/USDT", timeframe, { ...read(market), venue: "binance", as_of_ms: SET_END_MS + 48 * HOUR_MS })
			.then(
				() => "ok",
				(error: Error) => error.message,
			);
	assert.is.not(await end(first.market, "15m"), "ok");
	exchange.clearFaults();
	const { requests } = exchange.stats();
	assert.match(await end(second.market, "5m"), /binance wants no request for \d+ s/);
	assert.is(exchange.stats().requests, requests);
	assert.ok(second.gate.states().some(({ blocked_until_ms }) => blocked_until_ms !== null));
});

test.run();
