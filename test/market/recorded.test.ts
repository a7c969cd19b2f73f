import { writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { type MarketError, TIMEFRAME_MS } from "../../src/market/contract.ts";
import { createRecordedMarketData } from "../../src/market/recorded.ts";
import type { FixtureFiles } from "../support/recorded-fixture.ts";
import { candlesCsv, universeJson, writeRecordedFixture } from "../support/recorded-fixture.ts";

const test = suite("market/recorded");
const HOUR = TIMEFRAME_MS["1h"];
const DAY = TIMEFRAME_MS["1d"];
const START = Date.UTC(2026, 2, 1);
const AS_OF = START + 10 * DAY + 5 * HOUR;
const read = (as_of_ms = AS_OF) => ({ signal: new AbortController().signal, as_of_ms });
const outcome = (work: Promise<unknown>) =>
	work.then(
		() => null,
		(error: unknown) => error as MarketError,
	);

/** Ten days and five hours of a spot coin and a perp, a stale daily file, funding, open interest, a snapshot. */
const FILES: FixtureFiles = {
	"binance_spot_1h/AUSDT.csv.gz": candlesCsv(START, HOUR, 245, { skip: [30] }),
	"binance_spot_1d/AUSDT.csv.gz": candlesCsv(START - 5 * DAY, DAY, 6, { price: 500 }),
	"binance_spot_1d/OLDUSDT.csv.gz": candlesCsv(START - 50 * DAY, DAY, 20),
	"binance_usdm/1h/AUSDT.csv.gz": candlesCsv(START, HOUR, 245),
	"binance_usdm/1h_long/AUSDT.csv.gz": candlesCsv(START - 2 * DAY, HOUR, 293, { price: 7 }),
	"binance_usdm/1d/AUSDT.csv.gz": candlesCsv(START, DAY, 10),
	"binance_usdm/funding_all_recent.csv.gz": `funding_time,symbol,funding_rate\n${START + 3},AUSDT,0.0001\n${START + 8 * HOUR + 7},AUSDT,0.0002\n${START + 8 * HOUR},龙USDT,-0.0003\n${START + 12 * HOUR},龙USDT,-0.0003\n${AS_OF + HOUR + 1},AUSDT,0.9\n`,
	"binance_usdm/funding_long/AUSDT.csv.gz": `funding_time,funding_rate\n${START - 8 * HOUR},0.0005\n${START},0.0001\n`,
	"binance_usdm/oi_4h/AUSDT.csv.gz": `time,sum_open_interest,sum_open_interest_value\n${AS_OF - 5 * HOUR},1,100\n${AS_OF - HOUR},2,200\n${AS_OF + HOUR},3,300\n`,
	"binance_usdm/universe_snapshot_x.json": universeJson(AS_OF, [
		{ symbol: "AUSDT", quoteVolume: 5e6, fundingIntervalHours: 4 },
		{ symbol: "龙USDT", quoteVolume: 7e6 },
		{ symbol: "1000CATUSDT", quoteVolume: 9e6 },
	]),
};

async function withMarket(
	files: FixtureFiles,
	asOfMs: number | null,
	use: (market: MarketData, dir: string) => Promise<void>,
): Promise<void> {
	const fixture = await writeRecordedFixture(files);
	try {
		const market = await createRecordedMarketData({ dir: fixture.dir, asOfMs, latencyMs: 0, clock: systemClock });
		await use(market, fixture.dir).finally(() => market.close());
	} finally {
		await fixture.remove();
	}
}

test("its clock stands at the newest common time unless it is set", async () => {
	await withMarket(FILES, null, async (market) => {
		assert.is(market.now(), AS_OF);
		assert.equal(market.source, { kind: "recorded", name: "recorded:binance" });
		assert.equal(market.venues(), ["binance", "binanceusdm"]);
		assert.equal(await market.check(new AbortController().signal), { ok: true, error: null });
	});
	await withMarket(FILES, START + DAY, async (market) => assert.is(market.now(), START + DAY));
});

test("daily spot bars join the daily file with whole days of the hourly one", async () => {
	await withMarket(FILES, AS_OF, async (market) => {
		const series = await market.candles("A/USDT", "1d", read());
		const days = [-5, -4, -3, -2, -1, 0, 2, 3, 4, 5, 6, 7, 8, 9];
		assert.equal(
			[...series.open_time],
			days.map((day) => START + day * DAY),
		);
		assert.is(series.missing, 1, "day 1 lacks an hour and is missing rather than wrong");
		assert.is(series.open[5], 505, "where both have a day the daily file gives it");
		assert.is(series.open[6], 148);
		assert.is(series.venue, "binance");
	});
});

test("hourly perp bars join both collections, 4h is built, other timeframes are not supported", async () => {
	await withMarket(FILES, AS_OF, async (market) => {
		const hours = await market.candles("A/USDT:USDT", "1h", read());
		assert.is(hours.length, 293);
		assert.is(hours.open[0], 7);
		assert.is(hours.open[48], 100);
		assert.is((await market.candles("A/USDT:USDT", "4h", read())).length, 73);
		assert.is((await market.candles("A/USDT:USDT", "1h", { ...read(), limit: 3 })).length, 3);
		assert.is((await outcome(market.candles("A/USDT", "5m", read())))?.code, "not_supported");
		assert.is((await outcome(market.candles("龙/USDT:USDT", "1d", read())))?.code, "not_supported");
		assert.is((await outcome(market.candles("OLD/USDT", "1h", read())))?.code, "not_supported");
		assert.is((await outcome(market.candles("NOPE/USDT", "1d", read())))?.code, "bad_symbol");
		assert.is((await outcome(market.markets("kraken", read())))?.code, "not_supported");
	});
});

test("markets carry volume, age, interval and open interest, each field by its own time", async () => {
	await withMarket(FILES, AS_OF, async (market) => {
		const perps = new Map((await market.markets("binanceusdm", read())).map((entry) => [entry.symbol, entry]));
		assert.equal([...perps.keys()].sort(), ["1000CAT/USDT:USDT", "A/USDT:USDT", "龙/USDT:USDT"]);
		const a = perps.get("A/USDT:USDT");
		assert.is(a?.volume_usd_24h, 5e6);
		assert.is(a?.data_age_ms, 0);
		assert.is(a?.funding_interval_hours, 8, "the observed spacing goes before the snapshot's word");
		assert.is(a?.open_interest_usd, 200);
		assert.is(a?.open_interest_at_ms, AS_OF - HOUR);
		assert.is(perps.get("龙/USDT:USDT")?.funding_interval_hours, 4);
		assert.is(perps.get("1000CAT/USDT:USDT")?.base, "1000CAT");
		assert.is(perps.get("1000CAT/USDT:USDT")?.open_interest_at_ms, AS_OF - 3 * HOUR);
		const spot = new Map((await market.markets("binance", read())).map((entry) => [entry.base, entry]));
		const hours = await market.candles("A/USDT", "1h", read());
		assert.is(
			spot.get("A")?.volume_usd_24h,
			hours.quote_volume.slice(-24).reduce((sum, value) => sum + value, 0),
		);
		assert.is(spot.get("OLD")?.volume_usd_24h, null);
		assert.is(spot.get("OLD")?.data_age_ms, AS_OF - (START - 30 * DAY));
	});
});

test("before the snapshot the bars speak; a market without data yet is not listed", async () => {
	await withMarket(FILES, AS_OF, async (market) => {
		const asOf = START + 5 * DAY;
		const perps = await market.markets("binanceusdm", read(asOf));
		assert.equal(
			perps.map((entry) => [entry.base, entry.volume_usd_24h === null]),
			[
				["A", false],
				["龙", true],
			],
		);
		assert.equal(await market.openInterest("A/USDT:USDT", read(asOf)), null);
		const early = await market.markets("binance", read(START - 40 * DAY));
		assert.equal(
			early.map((entry) => entry.base),
			["OLD"],
		);
		assert.ok((early[0]?.volume_usd_24h ?? 0) > 0, "daily bars give the volume while they are fresh");
	});
});

test("funding of both files is merged by the hour and cut at as_of", async () => {
	await withMarket(FILES, AS_OF, async (market) => {
		const funding = await market.funding("A/USDT:USDT", read());
		assert.equal([...(funding?.funding_time ?? [])], [START - 8 * HOUR, START, START + 8 * HOUR]);
		assert.equal([...(funding?.rate_e8 ?? [])], [50_000, 10_000, 20_000]);
		assert.is(await market.funding("A/USDT", read()), null);
		assert.is(await market.funding("1000CAT/USDT:USDT", read()), null);
		assert.is(await market.orderBook("A/USDT", read()), null);
		const [ticker] = await market.tickers(["A/USDT:USDT"], read());
		assert.equal(ticker, { symbol: "A/USDT:USDT", last: 2, bid: null, ask: null, quote_volume_24h: 5e6, at_ms: AS_OF });
	});
});

test("no look-ahead at any as_of, not even for a caller that asks past the set's own", async () => {
	await withMarket(FILES, START + 6 * DAY, async (market) => {
		await fc.assert(
			fc.asyncProperty(fc.integer({ min: -60 * DAY, max: 20 * DAY }), async (offset) => {
				const asOf = Math.min(START + offset, START + 6 * DAY);
				const options = read(START + offset);
				for (const [symbol, timeframe] of [
					["A/USDT", "1h"],
					["A/USDT", "1d"],
					["A/USDT:USDT", "4h"],
				] as const) {
					const series = await market.candles(symbol, timeframe, options);
					assert.ok(series.open_time.every((open) => open + TIMEFRAME_MS[timeframe] <= asOf));
					assert.is(series.as_of_ms, asOf);
				}
				const funding = await market.funding("A/USDT:USDT", options);
				assert.ok((funding?.funding_time ?? new Float64Array()).every((time) => time <= asOf));
				for (const venue of market.venues()) {
					for (const entry of await market.markets(venue, options)) {
						assert.ok((entry.data_age_ms ?? 0) >= 0);
						assert.ok((entry.open_interest_at_ms ?? 0) <= asOf);
					}
				}
			}),
			{ numRuns: 40 },
		);
	});
});

test("a broken file fails its own reads with its name, and is read again when it is mended", async () => {
	const good = gzipSync(candlesCsv(START, HOUR, 245));
	await withMarket(
		{ ...FILES, "binance_spot_1h/BUSDT.csv.gz": good.subarray(0, good.length - 40) },
		AS_OF,
		async (market, dir) => {
			const error = await outcome(market.candles("B/USDT", "1h", read()));
			assert.is(error?.code, "fetch_failed");
			assert.match(error?.message ?? "", /^binance_spot_1h\/BUSDT\.csv\.gz: is not a whole gzip file/);
			assert.is(error?.retryable, false);
			assert.is((await outcome(market.markets("binance", read())))?.code, "fetch_failed");
			assert.is((await market.candles("A/USDT", "1h", read())).length, 244);
			await writeFile(path.join(dir, "binance_spot_1h/BUSDT.csv.gz"), good);
			assert.is((await market.candles("B/USDT", "1h", read())).length, 245);
		},
	);
});

test("malformed rows name file and line", async () => {
	const broken = candlesCsv(START, HOUR, 3).replace("101,103", "101,x");
	await withMarket({ ...FILES, "binance_usdm/1d/BUSDT.csv.gz": broken }, AS_OF, async (market) => {
		const error = await outcome(market.candles("B/USDT:USDT", "1d", read()));
		assert.match(error?.message ?? "", /^binance_usdm\/1d\/BUSDT\.csv\.gz: line 3: 'x' is not a number/);
	});
});

test("what cannot be started says why", async () => {
	const start = async (files: FixtureFiles, asOfMs: number | null = AS_OF) =>
		(await outcome(withMarket(files, asOfMs, async () => undefined)))?.message ?? "";
	assert.match(await start({}), /no such folder, or it is empty/);
	assert.match(await start({ "other/x.txt": "" }), /holds no candles/);
	assert.match(
		await start({ ...FILES, "binance_spot_1h/ABTC.csv.gz": "" }),
		/binance_spot_1h\/ABTC\.csv\.gz: 'ABTC' is not a market quoted in USDT/,
	);
	assert.match(
		await start({ ...FILES, "binance_usdm/universe_snapshot_x.json": "{" }),
		/universe_snapshot_x\.json: is not JSON/,
	);
	assert.match(
		await start({ ...FILES, "binance_usdm/universe_snapshot_x.json": "{}" }),
		/universe_snapshot_x\.json: asOfMs/,
	);
	assert.match(
		await start({ ...FILES, "binance_usdm/1h/AUSDT.csv.gz": Buffer.from("no gzip") }, null),
		/binance_usdm\/1h\/AUSDT\.csv\.gz: is not a whole gzip file/,
	);
	assert.match(
		await start({ "binance_spot_1h/AUSDT.csv.gz": candlesCsv(START, HOUR, 0) }, null),
		/holds no row of data/,
	);
	const missing = await outcome(
		createRecordedMarketData({ dir: "does/not/exist", asOfMs: null, latencyMs: 0, clock: systemClock }),
	);
	assert.match(missing?.message ?? "", /does\/not\/exist: no such folder/);
});

test("an aborted read ends at once with the signal's reason; the read itself serves the next", async () => {
	await withMarket(FILES, AS_OF, async (market) => {
		const controller = new AbortController();
		const reason = new Error("cancelled");
		const waiting = outcome(market.candles("A/USDT", "1h", { as_of_ms: AS_OF, signal: controller.signal }));
		controller.abort(reason);
		assert.is(await waiting, reason);
		assert.is((await market.candles("A/USDT", "1h", read())).length, 244);
	});
});

test.run();
