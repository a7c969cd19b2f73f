/** The replay exchange over the shared data set, through ccxt, against the recorded market. */
import { existsSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import type { Market, MarketData } from "../../src/market/contract.ts";
import { createRecordedMarketData } from "../../src/market/recorded.ts";
import { REAL_DATA_DIR } from "../support/recorded-fixture.ts";
import { replayClient } from "../support/replay-client.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";

const test = suite("market/replay exchange, reference snapshot");
const HOUR = 3_600_000;
/** An instant at which every part of the set is known. */
const AS_OF = Date.UTC(2026, 2, 19, 19);
const present = existsSync(REAL_DATA_DIR);
if (!present) process.stdout.write("  skipped: the shared data set is not beside the project\n");
const real = present ? test : test.skip;

let exchange: ReplayExchange;
let recorded: MarketData;
const read = { signal: new AbortController().signal, as_of_ms: AS_OF };

test.before(async () => {
	if (!present) return;
	exchange = await createReplayExchange({ dir: REAL_DATA_DIR, asOfMs: AS_OF, limits: { spot: 1e6, usdm: 1e6 } });
	const options = { dir: REAL_DATA_DIR, asOfMs: AS_OF, latencyMs: 0, clock: systemClock };
	recorded = await createRecordedMarketData(options);
});
test.after(async () => {
	if (!present) return;
	await exchange.close();
	await recorded.close();
});

for (const [id, count] of [
	["binance", 52],
	["binanceusdm", 539],
] as const) {
	real(`${id}: ${count} markets with the recorded prices and volumes`, async () => {
		const client = await replayClient(id, exchange.baseUrl);
		const known = await recorded.markets(id, read);
		assert.is(known.length, count);
		const listed = await client.loadMarkets();
		assert.equal(Object.keys(listed).sort(), known.map(({ symbol }) => symbol).sort());
		const tickers = await client.fetchTickers();
		for (const ticker of await recorded.tickers(Object.keys(listed), read)) {
			assert.is(tickers[ticker.symbol]?.last, ticker.last, ticker.symbol);
			assert.is(tickers[ticker.symbol]?.quoteVolume ?? null, ticker.quote_volume_24h, ticker.symbol);
		}
		for (const market of known.filter((_, i) => i % 60 === 0)) await sameCandles(client, market);
	});
}

async function sameCandles(client: Awaited<ReturnType<typeof replayClient>>, { symbol }: Market): Promise<void> {
	for (const timeframe of ["1h", "1d"] as const) {
		const series = await recorded.candles(symbol, timeframe, read).catch(() => null);
		const rows = await client.fetchOHLCV(symbol, timeframe, undefined, 1000);
		const from = Math.max(0, (series?.length ?? 0) - 1000);
		assert.equal(
			rows.map(([time, , , , close]) => [time, close]),
			Array.from(series?.open_time.subarray(from) ?? [], (time, i) => [time, series?.close[from + i]]),
			`${symbol} ${timeframe}`,
		);
	}
}

real("funding and its intervals are the recorded ones", async () => {
	const client = await replayClient("binanceusdm", exchange.baseUrl);
	const intervals = await client.fetchFundingIntervals();
	const rates = await client.fetchFundingRates();
	for (const { symbol, funding_interval_hours } of await recorded.markets("binanceusdm", read)) {
		assert.is(intervals[symbol]?.interval, `${funding_interval_hours}h`, symbol);
		const series = await recorded.funding(symbol, read);
		assert.is(Math.round((rates[symbol]?.fundingRate ?? 0) * 1e8), series?.rate_e8[series.length - 1], symbol);
		const next = rates[symbol]?.fundingTimestamp ?? 0;
		assert.ok(next > AS_OF && next <= AS_OF + (funding_interval_hours ?? 0) * HOUR, symbol);
	}
});

test.run();
