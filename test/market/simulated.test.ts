import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ASSET_TIERS } from "../../src/catalogue.ts";
import { systemClock } from "../../src/clock.ts";
import type { MarketData, Series, Timeframe } from "../../src/market/contract.ts";
import { MarketError, TIMEFRAME_MS } from "../../src/market/contract.ts";
import { discoverUniverse } from "../../src/market/discovery.ts";
import { resampleBars } from "../../src/market/series.ts";
import { createSimulatedMarketData } from "../../src/market/simulated.ts";
import { SIMULATION_START_MS } from "../../src/market/simulated-world.ts";

const test = suite("market/simulated");
const HOUR = TIMEFRAME_MS["1h"];
const DAY = TIMEFRAME_MS["1d"];
const AS_OF = Date.UTC(2026, 2, 19, 19, 7, 31, 5);
const open = (asOfMs: number | null = AS_OF, seed = 1): MarketData =>
	createSimulatedMarketData({ seed, asOfMs, latencyMs: 0, clock: systemClock });
const read = (as_of_ms = AS_OF) => ({ signal: new AbortController().signal, as_of_ms });
const columns = (series: Series) =>
	[series.open_time, series.open, series.high, series.low, series.close, series.volume, series.quote_volume].map(
		(column) => [...column],
	);

test("the same seed gives the same data, whichever instance, order or time they are asked in", async () => {
	const symbols = ["BTC/USDT", "MANA/USDT", "WIF/USDT:USDT", "WBTC/USDT"];
	const [first, second, later] = [open(), open(), open(AS_OF + 700 * DAY)];
	// The later one has already made a longer world; the second is asked backwards.
	await later.candles("ETH/USDT", "1d", read(AS_OF + 700 * DAY));
	const ask = async (market: MarketData, symbol: string) => [
		columns(await market.candles(symbol, "1d", read())),
		columns(await market.candles(symbol, "1h", { ...read(), limit: 60 })),
		columns(await market.candles(symbol, "1m", { ...read(), limit: 90 })),
		await market.funding(symbol, read()).then((funding) => [...(funding?.rate_e8 ?? [])]),
		await market.orderBook(symbol, read()),
		await market.openInterest(symbol, read()),
		await market.tickers([symbol], read()),
	];
	const forward = new Map<string, unknown>();
	for (const symbol of symbols) forward.set(symbol, await ask(first, symbol));
	for (const symbol of [...symbols].reverse()) {
		assert.equal(await ask(second, symbol), forward.get(symbol));
		assert.equal(await ask(later, symbol), forward.get(symbol));
	}
	assert.equal(await second.markets("simulated_perp", read()), await later.markets("simulated_perp", read()));
	const other = await open(AS_OF, 2).candles("BTC/USDT", "1d", read());
	assert.not.equal([...other.close.slice(-5)], (forward.get("BTC/USDT") as number[][][])[0]?.[4]?.slice(-5));
});

test("a closed bar never changes as time goes on, and no bar is shown before it closes", async () => {
	const market = open(AS_OF + 200 * DAY);
	const timeframes: Timeframe[] = ["1m", "5m", "15m", "1h", "4h", "1d"];
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom(...timeframes),
			fc.integer({ min: 0, max: 190 * DAY }),
			fc.integer({ min: 0, max: 3 * DAY }),
			async (timeframe, at, after) => {
				const [early, late] = [AS_OF + at, AS_OF + at + after];
				const before = await market.candles("SOL/USDT:USDT", timeframe, { ...read(early), limit: 300 });
				const now = await market.candles("SOL/USDT:USDT", timeframe, { ...read(late), limit: 6000 });
				const closeOf = (series: Series) => (series.open_time[series.length - 1] as number) + TIMEFRAME_MS[timeframe];
				assert.ok(closeOf(before) <= early && early - closeOf(before) < TIMEFRAME_MS[timeframe]);
				const start = now.open_time.indexOf(before.open_time[0] as number);
				assert.ok(start >= 0);
				assert.equal([...now.close.subarray(start, start + 300)], [...before.close]);
				assert.equal([...now.volume.subarray(start, start + 300)], [...before.volume]);
				assert.is(before.missing, 0);
			},
		),
		{ numRuns: 40 },
	);
});

test("what lies after its clock cannot be asked for", async () => {
	let nowMs = AS_OF;
	const market = createSimulatedMarketData({
		seed: 1,
		asOfMs: null,
		latencyMs: 0,
		clock: { ...systemClock, now: () => nowMs },
	});
	assert.is(market.now(), AS_OF);
	const tomorrow = read(AS_OF + DAY);
	assert.is((await market.candles("BTC/USDT", "1d", tomorrow)).open_time.at(-1), Date.UTC(2026, 2, 18));
	nowMs += DAY;
	assert.is((await market.candles("BTC/USDT", "1d", tomorrow)).open_time.at(-1), Date.UTC(2026, 2, 19));
	assert.is(open(AS_OF).now(), AS_OF);
});

test("bars of all timeframes add up to one another", async () => {
	const market = open();
	for (const symbol of ["BTC/USDT", "1000PEPE/USDT:USDT", "STEEM/USDT"]) {
		for (const [fine, coarse] of [
			["1h", "1d"],
			["5m", "1h"],
			["1m", "5m"],
		] as const) {
			const [small, large] = [await market.candles(symbol, fine, read()), await market.candles(symbol, coarse, read())];
			const built = resampleBars({ ...small, duplicates: 0 }, TIMEFRAME_MS[fine], TIMEFRAME_MS[coarse]);
			assert.ok(built.length > 100);
			const offset = large.open_time.indexOf(built.open_time[0] as number);
			for (let i = 0; i < built.length; i++) {
				for (const name of ["open_time", "open", "high", "low", "close"] as const)
					assert.is(built[name][i], large[name][offset + i], `${symbol} ${coarse} ${name}`);
				assert.ok(Math.abs((built.quote_volume[i] as number) / (large.quote_volume[offset + i] as number) - 1) < 1e-9);
			}
		}
	}
});

test("every bar is a candle, and daily history exceeds 1,500 days", async () => {
	const market = open();
	for (const symbol of ["BTC/USDT", "DOGE/USDT:USDT", "FTT/USDT", "BTC3L/USDT", "USDC/USDT"]) {
		for (const timeframe of ["1d", "1h"] as const) {
			const bars = await market.candles(symbol, timeframe, read());
			for (let i = 0; i < bars.length; i++) {
				const [o, h, l, c] = [bars.open[i], bars.high[i], bars.low[i], bars.close[i]] as [
					number,
					number,
					number,
					number,
				];
				assert.ok(l > 0 && l <= Math.min(o, c) && h >= Math.max(o, c) && (bars.volume[i] as number) > 0);
				if (i > 0) assert.is(o, bars.close[i - 1]);
			}
		}
	}
	assert.ok((await market.candles("BTC/USDT", "1d", read())).length > 1500);
});

test("discovery finds all tiers and leaves out what is no asset", async () => {
	const market = open();
	const universe = await discoverUniverse(market, {
		signal: new AbortController().signal,
		asOfMs: AS_OF,
		clock: systemClock,
	});
	const tiers = new Set(universe.assets.map((asset) => asset.tier));
	for (const { name } of ASSET_TIERS.slice(0, 6)) assert.ok(tiers.has(name), name);
	assert.equal(universe.excluded, { stale_data: 2, stablecoin: 2, pegged_or_wrapped: 3, leveraged: 1 });
	assert.ok(universe.assets.length >= 40 && universe.assets.length <= 60);
	const btc = universe.assets[0];
	assert.is(btc?.base, "BTC");
	const hours = await market.candles("BTC/USDT", "1h", { ...read(), limit: 24 });
	assert.is(
		btc?.markets.find((entry) => entry.type === "spot")?.volume_usd_24h,
		hours.quote_volume.reduce((sum, value) => sum + value),
	);
	const intervals = new Set(
		universe.assets.flatMap((asset) => asset.markets).map((entry) => entry.funding_interval_hours),
	);
	assert.equal(intervals, new Set([null, 1, 4, 8]));
});

test("listings begin and end: nothing before, stale after", async () => {
	const market = open();
	const at2021 = await market.markets("simulated_spot", read(Date.UTC(2021, 5, 1)));
	assert.ok(at2021.some((entry) => entry.base === "LUNA" && (entry.data_age_ms ?? DAY) < HOUR));
	assert.not.ok(at2021.some((entry) => entry.base === "SUI"));
	const luna = (await market.markets("simulated_spot", read())).find((entry) => entry.base === "LUNA");
	assert.is(luna?.volume_usd_24h, null);
	assert.ok((luna?.data_age_ms ?? 0) > 1000 * DAY);
	assert.is((await market.candles("LUNA/USDT", "1d", read())).open_time.at(-1), Date.UTC(2022, 4, 12));
	assert.equal(await market.markets("simulated_spot", read(SIMULATION_START_MS - DAY)), []);
	assert.is((await market.candles("BTC/USDT", "1h", read(SIMULATION_START_MS - DAY))).length, 0);
	assert.is(await market.orderBook("LUNA/USDT", read()), null);
	assert.is(await market.funding("BTC/USDT", read()), null);
});

test("books stand around the last price, apart by the tier's spread, and never cross", async () => {
	const market = open();
	const spread: Record<string, number> = {};
	for (const symbol of ["BTC/USDT", "DOT/USDT", "PHA/USDT", "币安人生/USDT:USDT"]) {
		const book = await market.orderBook(symbol, read());
		const [ticker] = await market.tickers([symbol], read());
		const [bid, ask] = [book?.bids[0]?.[0] as number, book?.asks[0]?.[0] as number];
		assert.ok(bid < (ticker?.last as number) && (ticker?.last as number) < ask);
		assert.is(ticker?.bid, bid);
		assert.ok(
			book?.bids.every(([price, quantity], i, all) => quantity > 0 && (i === 0 || price < (all[i - 1]?.[0] as number))),
		);
		assert.ok(
			book?.asks.every(([price, quantity], i, all) => quantity > 0 && (i === 0 || price > (all[i - 1]?.[0] as number))),
		);
		assert.ok((book?.at_ms ?? 0) <= AS_OF);
		spread[symbol] = (ask / bid - 1) * 10_000;
	}
	assert.ok((spread["BTC/USDT"] as number) < (spread["DOT/USDT"] as number));
	assert.ok((spread["DOT/USDT"] as number) < (spread["PHA/USDT"] as number));
});

test("errors have codes, and a seed must be one", async () => {
	const market = open();
	const code = (work: Promise<unknown>) =>
		work.then(
			() => null,
			(error: MarketError) => error.code,
		);
	assert.is(await code(market.candles("NOPE/USDT", "1d", read())), "bad_symbol");
	assert.is(await code(market.markets("kraken", read())), "not_supported");
	const reason = new Error("cancelled");
	assert.is(
		await market
			.markets("simulated_spot", { ...read(), signal: AbortSignal.abort(reason) })
			.catch((error: unknown) => error),
		reason,
	);
	for (const seed of [-1, 1.5, 2 ** 32, Number.NaN])
		assert.throws(() => open(AS_OF, seed), /the seed must be a whole number/);
	assert.equal(market.source, { kind: "simulated", name: "simulated:1" });
	assert.instance(await market.candles("NOPE/USDT", "1d", read()).catch((error: unknown) => error), MarketError);
});

test.run();
