/** The replay exchange as ccxt sees it, over real HTTP. */
import type { Exchange, MarketInterface } from "ccxt";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { createRecordedMarketData } from "../../src/market/recorded.ts";
import { type RecordedFixture, writeRecordedFixture } from "../support/recorded-fixture.ts";
import { replayClient } from "../support/replay-client.ts";
import { plainDecimal } from "../support/replay-exchange/decimals.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";
import { replaySet, SET_END_MS } from "../support/replay-set.ts";

const test = suite("market/replay exchange");
const HOUR = 3_600_000;

let fixture: RecordedFixture;
let exchange: ReplayExchange;
let recorded: MarketData;
let spot: Exchange;
let perps: Exchange;
const read = (as_of_ms = SET_END_MS) => ({ signal: new AbortController().signal, as_of_ms });
const getJson = async <T>(path: string): Promise<{ status: number; body: T & { code?: number } }> => {
	const response = await fetch(exchange.baseUrl + path);
	return { status: response.status, body: (await response.json()) as T & { code?: number } };
};

test.before(async () => {
	fixture = await writeRecordedFixture(replaySet());
	exchange = await createReplayExchange({ dir: fixture.dir });
	const options = { dir: fixture.dir, asOfMs: null, latencyMs: 0, clock: systemClock };
	recorded = await createRecordedMarketData(options);
	spot = await replayClient("binance", exchange.baseUrl);
	perps = await replayClient("binanceusdm", exchange.baseUrl);
});
test.before.each(() => {
	exchange.setNow(SET_END_MS);
	exchange.clearFaults();
	exchange.resetStats();
});
test.after(async () => {
	await exchange.close();
	await recorded.close();
	await fixture.remove();
});

test("its clock is the newest common time of the set", async () => {
	assert.is(exchange.now(), SET_END_MS);
	assert.is(await spot.fetchTime(), SET_END_MS);
	assert.is(await perps.fetchTime(), SET_END_MS);
});

test("markets have the symbols of the recorded market, and say that their rules are derived", async () => {
	for (const [client, venue] of [
		[spot, "binance"],
		[perps, "binanceusdm"],
	] as const) {
		const markets = Object.values(await client.loadMarkets(true));
		const known = await recorded.markets(venue, read());
		assert.equal(markets.map((market) => market?.symbol).sort(), known.map(({ symbol }) => symbol).sort());
		for (const market of markets) assert.is((market as MarketInterface).info["x-derived"], true);
	}
	assert.is(spot.market("AAA/USDT").precision.price, 0.0001);
	assert.is(spot.market("AAA/USDT").precision.amount, 0.001);
	assert.is(perps.market("1000CCC/USDT:USDT").contractSize, 1);
	assert.is(perps.market("币安人生/USDT:USDT").linear, true);
});

test("tickers are those of the recorded market; what is not recorded is absent", async () => {
	for (const [client, venue] of [
		[spot, "binance"],
		[perps, "binanceusdm"],
	] as const) {
		const symbols = (await recorded.markets(venue, read())).map(({ symbol }) => symbol);
		const tickers = await client.fetchTickers(symbols);
		for (const known of await recorded.tickers(symbols, read())) {
			const ticker = tickers[known.symbol];
			assert.is(ticker?.last, known.last);
			assert.is(ticker?.quoteVolume, known.quote_volume_24h);
			assert.is((ticker?.timestamp ?? 0) + 1, known.at_ms);
			assert.is(ticker?.bid, undefined);
		}
	}
});

test("candles are those of the recorded market, to the last bit, in every recorded timeframe", async () => {
	for (const [client, symbol] of [
		[spot, "AAA/USDT"],
		[perps, "1000CCC/USDT:USDT"],
	] as const) {
		for (const timeframe of ["1h", "4h", "1d"] as const) {
			const known = await recorded.candles(symbol, timeframe, read());
			const rows = await client.fetchOHLCV(symbol, timeframe, 1, 1000);
			const expected = Array.from({ length: known.length }, (_, i) => [
				known.open_time[i],
				known.open[i],
				known.high[i],
				known.low[i],
				known.close[i],
				known.volume[i],
			]);
			assert.equal(rows, expected, `${symbol} ${timeframe}`);
		}
	}
	assert.equal(await spot.fetchOHLCV("AAA/USDT", "5m"), []);
});

test("startTime, endTime and limit cut as the exchange cuts", async () => {
	const times = async (query: string) =>
		(await getJson<number[][]>(`/api/v3/klines?symbol=AAAUSDT&interval=1h&${query}`)).body.map(([time]) => time);
	const last = SET_END_MS - HOUR;
	assert.equal(await times("limit=2"), [last - HOUR, last]);
	assert.equal(await times(`limit=2&endTime=${last - 1}`), [last - 2 * HOUR, last - HOUR]);
	assert.equal(await times(`limit=2&startTime=${last - 5 * HOUR}`), [last - 5 * HOUR, last - 4 * HOUR]);
	assert.equal(await times(`startTime=${last - HOUR + 1}&endTime=${last}`), [last]);
	assert.equal(await times(`startTime=${last + 1}`), []);
});

test("no candle, settlement or interest of any market lies after the clock, wherever it stands", async () => {
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 0, max: 70 * 24 * HOUR }), async (backMs) => {
			exchange.setNow(SET_END_MS - backMs);
			for (const [prefix, id] of [
				["/api/v3", "BBBUSDT"],
				["/fapi/v1", "AAAUSDT"],
			] as const) {
				for (const interval of ["1h", "4h", "1d"]) {
					const { status, body } = await getJson<number[][]>(`${prefix}/klines?symbol=${id}&interval=${interval}`);
					if (status === 400) assert.equal(body.code, -1121);
					else for (const row of body) assert.ok((row[6] as number) <= exchange.now());
				}
			}
			const rates = (await getJson<{ fundingTime: number }[]>("/fapi/v1/fundingRate")).body;
			for (const { fundingTime } of rates) assert.ok(fundingTime <= exchange.now());
			const history = await getJson<{ timestamp: number }[]>(
				"/futures/data/openInterestHist?symbol=AAAUSDT&period=4h&limit=500",
			);
			if (history.status === 200) for (const row of history.body) assert.ok(row.timestamp <= exchange.now());
		}),
		{ numRuns: 15 },
	);
});

test("funding rates, their history and intervals are those of the recorded market", async () => {
	const rates = await perps.fetchFundingRates();
	const intervals = await perps.fetchFundingIntervals();
	for (const { symbol, funding_interval_hours } of await recorded.markets("binanceusdm", read())) {
		const known = await recorded.funding(symbol, read());
		const rows = await perps.fetchFundingRateHistory(symbol, undefined, 1000);
		assert.equal(
			rows.map(({ timestamp, fundingRate }) => [timestamp, Math.round((fundingRate ?? 0) * 1e8)]),
			Array.from(known?.funding_time ?? [], (time, i) => [time, known?.rate_e8[i]]),
		);
		assert.is(Math.round((rates[symbol]?.fundingRate ?? 0) * 1e8), known?.rate_e8.at(-1));
		assert.ok((rates[symbol]?.fundingTimestamp ?? 0) > SET_END_MS);
		assert.is(intervals[symbol]?.interval, `${funding_interval_hours}h`);
	}
});

test("open interest is that of the recorded market, with its own time", async () => {
	for (const symbol of ["AAA/USDT:USDT", "1000CCC/USDT:USDT", "币安人生/USDT:USDT"]) {
		const known = await recorded.openInterest(symbol, read());
		const newest = await perps.fetchOpenInterest(symbol);
		assert.is(newest.openInterestAmount, known?.quantity_base);
		assert.is(newest.timestamp, known?.at_ms);
		const history = await perps.fetchOpenInterestHistory(symbol, "4h", undefined, 500);
		assert.is(history.at(-1)?.openInterestValue, known?.value_usd);
		assert.is(history.at(-1)?.timestamp, known?.at_ms);
	}
	assert.is((await perps.fetchOpenInterestHistory("AAA/USDT:USDT", "4h", undefined, 500)).length, 40);
});

test("a book that was not recorded is empty; one that is given is served", async () => {
	const empty = await spot.fetchOrderBook("AAA/USDT");
	assert.equal([empty.bids, empty.asks], [[], []]);
	exchange.setBook("usdm", "AAAUSDT", {
		lastUpdateId: 7,
		bids: [
			["9.5", "2"],
			["9.4", "1"],
		],
		asks: [["9.6", "3"]],
	});
	const book = await perps.fetchOrderBook("AAA/USDT:USDT", 1);
	assert.equal([book.bids, book.asks], [[[9.5, 2]], [[9.6, 3]]]);
	assert.is(book.timestamp, SET_END_MS);
	exchange.setBook("usdm", "AAAUSDT", null);
});

test("no options are listed, because no set holds any: their endpoints answer without one", async () => {
	const { body } = await getJson<{ optionSymbols: unknown[]; serverTime: number }>("/eapi/v1/exchangeInfo");
	assert.equal([body.optionSymbols, body.serverTime], [[], SET_END_MS]);
	for (const path of ["ticker", "mark", "openInterest?underlyingAsset=AAA&expiration=260403"])
		assert.equal(await getJson(`/eapi/v1/${path}`), { status: 200, body: [] }, path);
	for (const path of ["depth", "ticker", "mark"])
		assert.is((await getJson(`/eapi/v1/${path}?symbol=AAA-260403-1-C`)).body.code, -1121, path);
	assert.is((await getJson("/eapi/v1/openInterest")).body.code, -1102);
	exchange.addFaults({ kind: "server_error", family: "options" });
	assert.is((await fetch(`${exchange.baseUrl}/eapi/v1/time`)).status, 503);
	assert.is(await spot.fetchTime(), SET_END_MS);
});

test("errors have the exchange's codes", async () => {
	const codeOf = async (path: string) => {
		const { status, body } = await getJson<object>(path);
		return [status, body.code];
	};
	assert.equal(await codeOf("/api/v3/klines?symbol=BOGUS&interval=1h"), [400, -1121]);
	assert.equal(await codeOf("/api/v3/klines?interval=1h"), [400, -1102]);
	assert.equal(await codeOf("/api/v3/klines?symbol=AAAUSDT&interval=7h"), [400, -1120]);
	assert.equal(await codeOf("/api/v3/klines?symbol=AAAUSDT&interval=1h&limit=x"), [400, -1100]);
	assert.equal(await codeOf("/api/v3/ticker/24hr?symbols=oops"), [400, -1100]);
	assert.equal(await codeOf("/api/v3/order"), [404, -5000]);
});

test("numbers are written without exponent and read back as the same double", () => {
	fc.assert(
		fc.property(fc.double({ min: -1e300, max: 1e300, noNaN: true }), (value) => {
			const text = plainDecimal(value);
			assert.match(text, /^-?\d+(\.\d+)?$/);
			assert.is(Number(text), value === 0 ? 0 : value);
		}),
	);
	assert.is(plainDecimal(1.5e-9), "0.0000000015");
	assert.is(plainDecimal(1.25e21), "1250000000000000000000");
});

test.run();
