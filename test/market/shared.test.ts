import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { withCache } from "../../src/market/cached.ts";
import { MarketError, type StaleNote } from "../../src/market/contract.ts";
import { discoverUniverse } from "../../src/market/discovery.ts";
import { withSharedCache } from "../../src/market/shared.ts";
import { createMarketAnswers } from "../../src/store/market-answers.ts";
import { createLiveExchange, createLiveSource, type LiveExchange } from "../support/live-source.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { type SharedProcess, type SharedProcessOptions, sharedProcess } from "../support/shared-process.ts";

const test = suite("market/shared");
const HOUR_MS = 3_600_000;
let redis: TestRedis;
test.before(async () => {
	redis = await startRedis();
});
test.after(() => redis.stop());
test.before.each(async () => {
	await redis.client().flushall();
});

const processOf = (exchange: LiveExchange, options: SharedProcessOptions = {}): SharedProcess =>
	sharedProcess(redis, exchange, options);
type Process = SharedProcess;

const read = (exchange: LiveExchange, as_of_ms = exchange.nowMs) => ({ signal: AbortSignal.timeout(20_000), as_of_ms });

/** What one scan asks of the market. */
async function scan({ market }: Process, exchange: LiveExchange, as_of_ms = exchange.nowMs): Promise<void> {
	const options = read(exchange, as_of_ms);
	await market.markets("live", options);
	await Promise.all(
		exchange.symbols.flatMap((symbol): Promise<unknown>[] => [
			market.candles(symbol, "1h", options),
			market.candles(symbol, "1d", { ...options, limit: 20 }),
			market.funding(symbol, options),
			market.orderBook(symbol, options),
			market.openInterest(symbol, options),
			market.openInterest(symbol, { ...options, as_of_ms: as_of_ms - 3 * 24 * HOUR_MS }),
			market.tickers([...exchange.symbols], options),
			market.tickers([...exchange.symbols].reverse(), options),
		]),
	);
}
const outcome = (work: Promise<unknown>) =>
	work.then(
		() => "ok",
		(error: unknown) => error,
	);

test("200 scans in four processes make exactly the calls of one", async () => {
	const alone = createLiveExchange();
	await scan(processOf(alone), alone);
	assert.ok(alone.calls.length >= 14, `${alone.calls.length} calls`);
	assert.is(new Set(alone.calls).size, alone.calls.length);

	await redis.client().flushall();
	const exchange = createLiveExchange();
	const processes = Array.from({ length: 4 }, () => processOf(exchange));
	// Pinned within the time that one answer of each kind serves.
	await Promise.all(
		Array.from({ length: 200 }, (_, i) => scan(processes[i % 4] as Process, exchange, exchange.nowMs + i * 20)),
	);
	assert.equal([...exchange.calls].sort(), [...alone.calls].sort());
});

test("a process that dies in mid-fetch holds the others up for a lease, and no longer", async () => {
	const exchange = createLiveExchange({ latencyMs: 40 });
	// Shorter than in the program, so that the death of a holder is soon over.
	const [dying, ...others] = Array.from({ length: 3 }, () => processOf(exchange, { leaseMs: 1_500 })) as [
		Process,
		...Process[],
	];
	const lost = outcome(dying.market.candles("A/USDT", "1h", { ...read(exchange), signal: AbortSignal.timeout(3_000) }));
	while (exchange.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
	dying.die();
	const answers = await Promise.all(
		Array.from({ length: 50 }, (_, i) => (others[i % 2] as Process).market.candles("A/USDT", "1h", read(exchange))),
	);
	assert.ok(answers.every(({ length }) => length === 300));
	// The call of the dead one and one more.
	assert.equal(exchange.calls, ["candles A/USDT 1h", "candles A/USDT 1h"]);
	assert.is.not(await lost, "ok");
});

test("a new bar fetches only what is new, in whichever process, and the histories are the same", async () => {
	const exchange = createLiveExchange();
	const [first, second] = [processOf(exchange), processOf(exchange)];
	const before = await first.market.candles("A/USDT", "1h", read(exchange));
	exchange.nowMs += 2 * HOUR_MS;
	const sent = exchange.barsSent;
	const after = await second.market.candles("A/USDT", "1h", read(exchange));
	assert.is(exchange.barsSent - sent, 3);
	assert.is(after.length, before.length + 2);
	const whole = await createLiveSource({ ...exchange, calls: [], bars: 302 }).candles("A/USDT", "1h", read(exchange));
	for (const name of ["open_time", "open", "high", "low", "close", "volume", "quote_volume"] as const)
		assert.equal([...after[name]], [...whole[name]], name);
	assert.is(after.missing, 0);
	// Scans of the bar before still get it as it was.
	const earlier = await first.market.candles("A/USDT", "1h", read(exchange, exchange.nowMs - 2 * HOUR_MS + 1));
	assert.equal([...earlier.close], [...before.close]);
	assert.is(exchange.calls.length, 2);
});

test("a source that has revised its last bar is read whole again", async () => {
	const exchange = createLiveExchange();
	const process = processOf(exchange);
	await process.market.candles("A/USDT", "1h", read(exchange));
	exchange.revised = { open_time: exchange.nowMs - HOUR_MS, close: 7 };
	exchange.nowMs += HOUR_MS;
	const after = await process.market.candles("A/USDT", "1h", read(exchange));
	assert.is(exchange.calls.length, 3);
	assert.is(after.close[after.length - 2], 7);
	assert.is(after.length, 300);
});

test("a bar that is published late is asked for again, and not by every scan", async () => {
	const exchange = createLiveExchange({ lateBars: 1 });
	const [first, second] = [processOf(exchange), processOf(exchange)];
	const late = await first.market.candles("A/USDT", "1h", read(exchange));
	await second.market.candles("A/USDT", "1h", read(exchange));
	assert.is(exchange.calls.length, 1);
	assert.is(late.open_time[late.length - 1], exchange.nowMs - 2 * HOUR_MS);
	exchange.lateBars = 0;
	// The time for which the store believes the late answer is over.
	await redis.client().hset("market_answer:{ccxt:live}:candles:A/USDT:1h", "r", "0");
	const fresh = await processOf(exchange).market.candles("A/USDT", "1h", read(exchange));
	assert.is(fresh.open_time[fresh.length - 1], exchange.nowMs - HOUR_MS);
	assert.is(exchange.calls.length, 2);
});

test("when the source fails the last good answer is given, marked with its age, and the calls stay those of one", async () => {
	const exchange = createLiveExchange();
	await scan(processOf(exchange), exchange);
	exchange.nowMs += HOUR_MS;
	exchange.failure = new MarketError("fetch_failed", "the exchange answered 503", true);
	const called = exchange.calls.length;
	const processes = Array.from({ length: 3 }, () => processOf(exchange));
	const notes: StaleNote[] = [];
	const series = await Promise.all(
		Array.from({ length: 60 }, (_, i) =>
			(processes[i % 3] as Process).market.candles("A/USDT", "1h", {
				...read(exchange),
				onStale: (note) => notes.push(note),
			}),
		),
	);
	assert.is(exchange.calls.length - called, 1);
	assert.is(notes.length, 60);
	assert.ok(notes.every(({ age_ms, error }) => age_ms >= 0 && error === "fetch_failed: the exchange answered 503"));
	// Its age is that of its newest bar: quality gates see it.
	assert.ok(series.every(({ as_of_ms, length }) => as_of_ms === exchange.nowMs && length === 300));
	const last = series[0];
	assert.is(last && last.as_of_ms - (last.open_time[last.length - 1] as number), 2 * HOUR_MS);

	const universe = await discoverUniverse((processes[0] as Process).market, {
		signal: AbortSignal.timeout(5_000),
		asOfMs: exchange.nowMs,
		clock: systemClock,
	});
	assert.is(universe.assets.length, 2);
	assert.is(universe.sources[0]?.ok, false);
	assert.match(universe.sources[0]?.error ?? "", /503.*last good markets.* of \d+ s ago/);
});

test("what was never read well fails alike for all who wait, and works when the source does", async () => {
	const failure = new MarketError("fetch_failed", "the answer was cut off", true);
	const exchange = createLiveExchange({ failure, latencyMs: 30 });
	const processes = Array.from({ length: 4 }, () => processOf(exchange));
	const ends = await Promise.all(processes.map(({ market }) => outcome(market.orderBook("A/USDT", read(exchange)))));
	assert.ok(ends.every((end) => end instanceof MarketError && end.message === failure.message && end.retryable));
	assert.is(exchange.calls.length, 1);
	exchange.failure = null;
	await redis.client().del("market_failure:{ccxt:live}:book:A/USDT");
	assert.ok(await processes[1]?.market.orderBook("A/USDT", read(exchange)));
});

test("that there is no such symbol is asked once by all", async () => {
	const exchange = createLiveExchange();
	for (const { market } of [processOf(exchange), processOf(exchange)]) {
		const end = await outcome(market.candles("X/USDT", "1h", read(exchange)));
		assert.is((end as MarketError).code, "bad_symbol");
	}
	assert.is(exchange.calls.length, 1);
});

test("market answers stay within their bound: the oldest go, and too large ones are not shared", async () => {
	const exchange = createLiveExchange({ symbols: Array.from({ length: 30 }, (_, i) => `C${i}/USDT`) });
	const process = processOf(exchange, { bytes_max: 20_000 });
	for (const symbol of exchange.symbols) await process.market.candles(symbol, "1h", read(exchange));
	const { bytes, answers } = await process.answers.size("ccxt:live");
	assert.ok(bytes <= 20_000 && bytes > 10_000, `${bytes} bytes`);
	assert.ok(answers < 30);
	const kept = await redis.client().keys("market_answer:*");
	assert.is(kept.length, answers);
	assert.ok(kept.includes("market_answer:{ccxt:live}:candles:C29/USDT:1h"));
	const ending = await Promise.all((await redis.client().keys("market_*")).map((key) => redis.client().pttl(key)));
	assert.ok(
		ending.every((ms) => ms > 0),
		"every key ends by itself",
	);

	const small = processOf(exchange, { answer_bytes_max: 10 });
	await redis.client().flushall();
	assert.is((await small.market.candles("C1/USDT", "1h", read(exchange))).length, 300);
	assert.is((await small.answers.size("ccxt:live")).answers, 0);
	assert.equal(await redis.client().keys("market_lease:*"), []);
});

test("an asker that leaves gives the lease back", async () => {
	const exchange = createLiveExchange({ latencyMs: 200 });
	const [leaving, staying] = [processOf(exchange), processOf(exchange)];
	const controller = new AbortController();
	const reason = new Error("scan cancelled");
	const left = outcome(leaving.market.candles("A/USDT", "1h", { ...read(exchange), signal: controller.signal }));
	while (exchange.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
	const stays = staying.market.candles("A/USDT", "1h", read(exchange));
	controller.abort(reason);
	assert.is(await left, reason);
	assert.is((await stays).length, 300);
	assert.is(exchange.calls.length, 2);
});

test("without Redis each process reads alone", async () => {
	const exchange = createLiveExchange();
	const own = await startRedis();
	const process = processOf(exchange);
	const source = createLiveSource(exchange);
	const connection = own.client({ maxRetriesPerRequest: 1, enableOfflineQueue: false });
	const answers = createMarketAnswers(connection);
	const market = withCache(withSharedCache(source, { answers, clock: systemClock, entropy: systemEntropy }));
	await new Promise<void>((resolve) => connection.once("ready", () => resolve()));
	await market.candles("A/USDT", "1h", read(exchange));
	await own.crash();
	const begun = performance.now();
	await Promise.all(exchange.symbols.map((symbol) => market.orderBook(symbol, read(exchange))));
	assert.ok(performance.now() - begun < 5_000);
	assert.is((await market.candles("B/USDT:USDT", "1h", read(exchange))).length, 300);
	await own.stop();
	await process.market.close();
});

test.run();
