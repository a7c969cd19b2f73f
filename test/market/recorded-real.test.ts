import { existsSync } from "node:fs";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import type { FundingSeries, Market, MarketData } from "../../src/market/contract.ts";
import { type MarketError, TIMEFRAME_MS } from "../../src/market/contract.ts";
import { discoverUniverse } from "../../src/market/discovery.ts";
import { createRecordedMarketData } from "../../src/market/recorded.ts";
import { resampleBars } from "../../src/market/series.ts";
import { selectAssets } from "../../src/market/universe-filters.ts";
import { REAL_DATA_DIR } from "../support/recorded-fixture.ts";

const test = suite("market/recorded, reference snapshot");
const HOUR = TIMEFRAME_MS["1h"];
const DAY = TIMEFRAME_MS["1d"];
/** The instant at which all parts of the data set overlap. */
const AS_OF = Date.UTC(2026, 2, 19, 19);
const present = existsSync(REAL_DATA_DIR);
if (!present)
	process.stdout.write(
		"SKIPPED: market/recorded on the reference snapshot; the shared data set is not beside the project\n",
	);
const real = present ? test : test.skip;

let market: MarketData;
const read = (as_of_ms = AS_OF) => ({ signal: new AbortController().signal, as_of_ms });
const perps = (): Promise<Market[]> => market.markets("binanceusdm", read());
const countBy = <T>(list: readonly T[], keyOf: (entry: T) => unknown): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const entry of list) counts[String(keyOf(entry))] = (counts[String(keyOf(entry))] ?? 0) + 1;
	return counts;
};

test.before(async () => {
	if (present)
		market = await createRecordedMarketData({ dir: REAL_DATA_DIR, asOfMs: null, latencyMs: 0, clock: systemClock });
});
test.after(async () => {
	if (present) await market.close();
});

real("the newest common time is the reference snapshot", () => {
	assert.is(market.now(), AS_OF);
});

real("539 perps with the recorded volumes and intervals, 81 of them with daily candles", async () => {
	const all = await perps();
	assert.is(all.length, 539);
	assert.equal(
		countBy(all, (entry) => entry.funding_interval_hours),
		{ 1: 8, 4: 403, 8: 128 },
	);
	const above = (limit: number) => all.filter((entry) => (entry.volume_usd_24h ?? 0) > limit).length;
	assert.equal([1e9, 1e8, 1e7, 1e6].map(above), [3, 31, 137, 452]);
	const daily = await Promise.all(
		all.map((entry) =>
			market.candles(entry.symbol, "1d", read()).then(
				(series) => series.length,
				(error: MarketError) => error.code,
			),
		),
	);
	assert.is(daily.filter((answer) => answer === "not_supported").length, 458);
	const pegged = all.map((entry) => entry.tags.includes("pegged"));
	assert.is(daily.filter((answer, i) => typeof answer === "number" && answer >= 200 && !pegged[i]).length, 67);
	assert.is(daily.filter((answer) => typeof answer === "number" && answer < 120).length, 7);
});

real("no field of the universe is younger than as_of, and open interest is as old as it is", async () => {
	for (const asOf of [AS_OF, AS_OF - 1, AS_OF - 3 * HOUR - 1]) {
		for (const entry of await market.markets("binanceusdm", read(asOf))) {
			assert.ok((entry.data_age_ms ?? 0) >= 0);
			assert.ok(entry.open_interest_at_ms === null || entry.open_interest_at_ms <= asOf);
		}
	}
	const all = await perps();
	assert.ok(all.every((entry) => entry.open_interest_at_ms === AS_OF - 3 * HOUR));
});

real("hours built to days equal the daily collection on all 732 common days of 14 coins", async () => {
	const spot = await market.markets("binance", read());
	const hourly = spot.filter((entry) => entry.data_age_ms === 0);
	assert.is(hourly.length, 16);
	const common: number[] = [];
	for (const { symbol } of hourly) {
		const hours = await market.candles(symbol, "1h", read());
		assert.is(hours.length, 19_411);
		assert.is(hours.missing, 0);
		const built = resampleBars({ ...hours, duplicates: 0 }, HOUR, DAY);
		const merged = await market.candles(symbol, "1d", read());
		const atOpen = new Map([...merged.open_time].map((time, i) => [time, i]));
		let equal = 0;
		for (let i = 0; i < built.length; i++) {
			const at = atOpen.get(built.open_time[i] as number) as number;
			for (const name of ["open", "high", "low", "close"] as const)
				assert.is(built[name][i], merged[name][at], `${symbol} ${name}`);
			// An exact volume tells that the day comes from the daily file, whose quote volume is not estimated.
			if (built.quote_volume[i] !== merged.quote_volume[at]) equal++;
		}
		assert.is(merged.missing, 0);
		assert.is(merged.open_time[merged.length - 1], Date.UTC(2026, 2, 18));
		if (equal > 0) common.push(equal);
	}
	assert.equal(
		common,
		Array.from({ length: 14 }, () => 732),
	);
});

real("funding candidates of the snapshot: 425 illiquid, 67 below 1 bp, 14 positive, 33 negative", async () => {
	const counts: Record<string, number> = {};
	for (const entry of await perps()) {
		const liquid = (entry.open_interest_usd ?? 0) > 5e6 && (entry.volume_usd_24h ?? 0) > 1e7;
		const past = liquid ? threeDayMeanE8(await market.funding(entry.symbol, read())) : 0;
		const reason = !liquid
			? "illiquid"
			: Math.abs(past) <= 10_000
				? "below_threshold"
				: past > 0
					? "positive"
					: "negative";
		counts[reason] = (counts[reason] ?? 0) + 1;
		if (entry.base === "LYN") assert.is(Math.round(past / 1000) / 10, 21.9);
	}
	assert.equal(counts, { illiquid: 425, below_threshold: 67, positive: 14, negative: 33 });
});

/** Sum over the last 72 h / 9, as an 8 h rate in units of 1e-8. */
function threeDayMeanE8(funding: FundingSeries | null): number {
	let sum = 0;
	for (let i = 0; i < (funding?.length ?? 0); i++) {
		if ((funding?.funding_time[i] as number) >= AS_OF - 3 * DAY) sum += funding?.rate_e8[i] as number;
	}
	return sum / 9;
}

real("BTC funding reaches from 2019 to the snapshot in even steps of whole hours", async () => {
	const funding = await market.funding("BTC/USDT:USDT", read());
	assert.is(funding?.interval_hours, 8);
	assert.is(funding?.funding_time[0], Date.UTC(2019, 8, 10, 8));
	assert.is(funding?.funding_time.at(-1), Date.UTC(2026, 2, 19, 16));
	assert.ok(
		funding?.funding_time.every((time, i, all) => time % HOUR === 0 && (i === 0 || time > (all[i - 1] as number))),
	);
});

real("discovery at the snapshot: current bases in tiers, stale spot coins and pegged ones counted", async () => {
	const universe = await discoverUniverse(market, {
		signal: new AbortController().signal,
		asOfMs: AS_OF,
		clock: systemClock,
	});
	assert.equal(
		universe.sources.map(({ name, ok }) => [name, ok]),
		[
			["binance", true],
			["binanceusdm", true],
		],
	);
	assert.equal(
		universe.assets.slice(0, 3).map((asset) => asset.base),
		["BTC", "ETH", "SOL"],
	);
	const spot = universe.assets.flatMap((asset) => asset.markets).filter((entry) => entry.type === "spot");
	assert.is(spot.length, 16);
	const tagged = new Set(["PAXG", "WBTC", "WBETH", "BNSOL"]);
	assert.ok(universe.assets.every((asset) => !tagged.has(asset.base)));
	assert.is(universe.excluded.pegged_or_wrapped, 4);
	const bases = new Set([...(await market.markets("binance", read())), ...(await perps())].map((entry) => entry.base));
	const left = Object.values(universe.excluded).reduce((sum, count) => sum + count, 0);
	assert.is(universe.assets.length + left, bases.size);
	const btc = universe.assets[0];
	assert.is(
		btc?.volume_usd_24h,
		btc?.markets.reduce((sum, entry) => sum + (entry.volume_usd_24h ?? 0), 0),
	);
	const floor = selectAssets(universe, { floorTier: "tier_institutional" }).assets;
	assert.ok(floor.length >= 30 && floor.every((asset) => asset.volume_usd_24h >= 1e8));
});

real("no look-ahead at a random as_of, whatever is asked", async () => {
	const symbols = ["BTC/USDT", "NEO/USDT", "ZEC/USDT", "SOL/USDT:USDT", "1000PEPE/USDT:USDT", "KAS/USDT:USDT"];
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: Date.UTC(2018, 0, 1), max: AS_OF + DAY }), async (asked) => {
			const asOf = Math.min(asked, AS_OF);
			for (const symbol of symbols) {
				for (const timeframe of ["1h", "4h", "1d"] as const) {
					const series = await market.candles(symbol, timeframe, read(asked)).catch((error: MarketError) => {
						assert.is(error.code, "not_supported");
						return null;
					});
					if (series === null || series.length === 0) continue;
					const close = (series.open_time[series.length - 1] as number) + TIMEFRAME_MS[timeframe];
					assert.ok(close <= asOf);
				}
				const funding = await market.funding(symbol, read(asked));
				assert.ok((funding?.funding_time.at(-1) ?? 0) <= asOf);
				const interest = await market.openInterest(symbol, read(asked));
				assert.ok((interest?.at_ms ?? 0) <= asOf);
				const [ticker] = await market.tickers([symbol], read(asked));
				assert.ok((ticker?.at_ms ?? 0) <= asOf);
			}
		}),
		{ numRuns: 60 },
	);
});

real("a unit of data is the same, whichever as_of it is seen from", async () => {
	const whole = await market.candles("ETH/USDT:USDT", "1h", read());
	const half = await market.candles("ETH/USDT:USDT", "1h", read(AS_OF - 60 * DAY));
	assert.equal([...half.close], [...whole.close.subarray(0, half.length)]);
	const none = await market.candles("ETH/USDT:USDT", "1h", read(0));
	assert.is(none.length, 0);
	assert.is(await market.candles("XX/USDT", "1h", read()).catch((error: MarketError) => error.code), "bad_symbol");
});

test.run();
