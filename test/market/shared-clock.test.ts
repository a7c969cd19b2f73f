/** A source's clock that has run ahead once: what was asked for then must not serve as fresh later. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { withCache } from "../../src/market/cached.ts";
import type { FundingSeries, MarketData, ReadOptions, Ticker } from "../../src/market/contract.ts";
import { LIVE_SLICE_MS, SHARED_FOR_MS } from "../../src/market/live-rules.ts";
import { withSharedCache } from "../../src/market/shared.ts";
import type { SharedAnswers, SharedPut } from "../../src/market/sharing.ts";
import { createMarketAnswers } from "../../src/store/market-answers.ts";
import { fakeMarketEntry } from "../support/fake-market.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const test = suite("market/shared-clock");
const HOUR_MS = 3_600_000;
let redis: TestRedis;
test.before(async () => {
	redis = await startRedis();
});
test.after(() => redis.stop());
test.before.each(async () => {
	await redis.client().flushall();
});

/** A live source of one symbol whose clock may be ahead; each answer carries the number of its fetch. */
function sourceOf() {
	const state = { nowMs: 1_800_000_000_000, aheadMs: 0, fetches: 0, funding: null as FundingSeries | null };
	const next = () => ++state.fetches;
	const ticker = (last: number) => ({ symbol: "BTC/USDT", last, at_ms: state.nowMs }) as Ticker;
	const market = {
		source: { kind: "live", name: "ccxt:x" },
		now: () => state.nowMs + state.aheadMs,
		venues: () => ["x"],
		tickers: async () => [ticker(next())],
		orderBook: async () => ({ symbol: "BTC/USDT", bids: [[next(), 1]], asks: [], at_ms: state.nowMs }),
		markets: async () => [fakeMarketEntry({ symbol: "BTC/USDT", venue: "x", volume_usd_24h: next() })],
		funding: async () => {
			next();
			return state.funding;
		},
	} as unknown as MarketData;
	const options = (): ReadOptions => ({ signal: AbortSignal.timeout(20_000), as_of_ms: market.now() });
	return { state, market, options };
}
const sharedOn = (market: MarketData, wrap = (answers: SharedAnswers) => answers): MarketData =>
	withSharedCache(market, {
		answers: wrap(createMarketAnswers(redis.client())),
		clock: systemClock,
		entropy: systemEntropy,
	});

test("what was read while the clock was ahead is read anew once it is right, by one process for all", async () => {
	const { state, market, options } = sourceOf();
	const [first, second] = [sharedOn(market), sharedOn(market)];
	const reads: ((from: MarketData) => Promise<unknown>)[] = [
		async (from) => (await from.tickers(["BTC/USDT"], options()))[0]?.last,
		async (from) => (await from.orderBook("BTC/USDT", options()))?.bids[0]?.[0],
		async (from) => (await from.markets("x", options()))[0]?.volume_usd_24h,
	];
	for (const look of reads) {
		state.aheadMs = HOUR_MS;
		assert.is(await look(first), state.fetches);
		state.aheadMs = 0;
		for (const minutes of [0, 2, 30]) {
			state.nowMs += minutes * 60_000;
			const before = state.fetches;
			assert.equal([await look(second), await look(first)], [before + 1, before + 1], `${minutes} min later`);
		}
	}
});

test("that there was no funding at an instant to come does not hide what is there now", async () => {
	const { state, market, options } = sourceOf();
	const [first, second] = [sharedOn(market), sharedOn(market)];
	state.aheadMs = 10 * HOUR_MS;
	assert.is(await first.funding("BTC/USDT:USDT", options()), null);
	state.aheadMs = 0;
	state.funding = {
		symbol: "BTC/USDT:USDT",
		venue: "x",
		interval_hours: 8,
		as_of_ms: state.nowMs,
		length: 1,
		funding_time: new Float64Array([Math.floor(state.nowMs / HOUR_MS) * HOUR_MS]),
		rate_e8: new Float64Array([10_000]),
	};
	assert.is((await first.funding("BTC/USDT:USDT", options()))?.length, 1);
	assert.is((await second.funding("BTC/USDT:USDT", options()))?.length, 1);
	assert.is(state.fetches, 2, "the answer of before has made room for the new one");
});

test("what moves serves for its time by the store's clock, whatever instant it was asked for", async () => {
	const { market, options } = sourceOf();
	const puts: SharedPut[] = [];
	const wrap = (answers: SharedAnswers): SharedAnswers => ({
		...answers,
		put: (key, put) => {
			puts.push(put);
			return answers.put(key, put);
		},
	});
	const shared = sharedOn(market, wrap);
	await shared.tickers(["BTC/USDT"], options());
	await shared.markets("x", options());
	assert.equal(
		puts.map(({ believed_ms }) => believed_ms),
		[SHARED_FOR_MS.tickers + LIVE_SLICE_MS, SHARED_FOR_MS.markets + LIVE_SLICE_MS],
	);
});

test("a process does not keep what was asked for ahead of time until that time has come", async () => {
	const { state, market, options } = sourceOf();
	let ownMs = state.nowMs;
	const clock = { now: () => ownMs, setTimeout: () => 0, clearTimeout: () => undefined };
	const cached = withCache(market, { clock });
	const look = async () => (await cached.tickers(["BTC/USDT"], options()))[0]?.last;
	state.aheadMs = HOUR_MS;
	assert.equal([await look(), await look()], [1, 1]);
	state.aheadMs = 0;
	state.nowMs += HOUR_MS;
	ownMs += HOUR_MS;
	assert.is(await look(), 2);
});

test.run();
