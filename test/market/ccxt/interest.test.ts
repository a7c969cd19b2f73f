/** Open interest that is read contract by contract: as old as it says, or a failure that others can mark. */
import type { Exchange } from "ccxt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createInterests, INTEREST_FRESH_MS } from "../../../src/market/ccxt/interest.ts";
import type { ListedMarket } from "../../../src/market/ccxt/listing.ts";
import { profileOf } from "../../../src/market/ccxt/profiles.ts";
import type { TickerTable } from "../../../src/market/ccxt/tickers.ts";

const test = suite("market/ccxt/interest");
const START_MS = Date.UTC(2026, 2, 19, 12);
const none: TickerTable = new Map();
const tickers = async () => none;
const marketOf = (base: string) =>
	({ symbol: `${base}/USDT:USDT`, swap: true, quote: "USDT", contractSize: 1 }) as unknown as ListedMarket;

/** A Binance of which requests for the failing symbols fail, and for the silent ones bring nothing. */
function world() {
	const clock = { ms: START_MS, now: () => clock.ms, setTimeout: () => null, clearTimeout: () => undefined };
	const failing = new Set<string>();
	const silent = new Set<string>();
	let calls = 0;
	const exchange = {
		id: "binanceusdm",
		has: {},
		async fetchOpenInterestHistory(symbol: string) {
			calls++;
			if (failing.has(symbol)) throw new Error("down");
			if (silent.has(symbol)) return [];
			return [{ symbol, openInterestValue: 5e8, openInterestAmount: 10, timestamp: clock.ms }];
		},
	} as unknown as Exchange;
	const interests = createInterests(exchange, profileOf("binanceusdm"), clock);
	return { clock, failing, silent, interests, calls: () => calls };
}

test("one that is no longer fresh is not given in place of one that cannot be read", async () => {
	const { clock, failing, interests, calls } = world();
	const market = marketOf("X");
	const read = () => interests.read(market, clock.ms, true, tickers);
	assert.is((await read())?.at_ms, START_MS);
	failing.add(market.symbol);
	clock.ms += INTEREST_FRESH_MS - 1;
	assert.is((await read())?.at_ms, START_MS);
	assert.is(calls(), 1);
	for (const laterMs of [1, 3_600_000]) {
		clock.ms += laterMs;
		assert.is(await read().catch((error: Error) => error.message), "down");
	}
	failing.clear();
	assert.is((await read())?.at_ms, clock.ms);
});

test("of many those that fail are marked as unread; when most fail, all do", async () => {
	const { clock, failing, interests } = world();
	const markets = ["A", "B", "C", "D"].map(marketOf);
	const volumes = new Map(markets.map(({ symbol }) => [symbol, 1e9]));
	const all = () => interests.all(markets, volumes, none, clock.ms);
	const whole = await all();
	assert.equal([whole.found.size, whole.missing.size], [4, 0]);
	clock.ms += INTEREST_FRESH_MS;
	for (const { symbol } of markets.slice(0, 2)) failing.add(symbol);
	const { found, missing } = await all();
	assert.equal([...found.keys()], ["C/USDT:USDT", "D/USDT:USDT"]);
	assert.equal(
		[...missing],
		[
			["A/USDT:USDT", "unread"],
			["B/USDT:USDT", "unread"],
		],
	);
	clock.ms += INTEREST_FRESH_MS;
	failing.add("C/USDT:USDT");
	assert.is(
		await all().then(
			() => "found",
			(error: Error) => error.message,
		),
		"down",
	);
});

test("what is beyond the calls is unread, what an exchange never tells is unpublished, what it answers without a value is neither", async () => {
	const { clock, interests, silent } = world();
	const max = profileOf("binanceusdm").interest_calls_max;
	const markets = Array.from({ length: max + 1 }, (_, i) => marketOf(`C${i}`));
	const volumes = new Map(markets.map(({ symbol }, i) => [symbol, 1e12 - i]));
	silent.add("C0/USDT:USDT");
	const { found, missing } = await interests.all(markets, volumes, none, clock.ms);
	assert.is(found.size, max - 1);
	assert.equal([...missing], [[`C${max}/USDT:USDT`, "unread"]]);
	const mute = createInterests({ id: "mute", has: {} } as unknown as Exchange, profileOf("mute"), clock);
	const told = await mute.all([marketOf("A")], volumes, none, clock.ms);
	assert.equal([[...told.found], [...told.missing]], [[], [["A/USDT:USDT", "unpublished"]]]);
});

test.run();
