/** Exchanges beside Binance, through ccxt's own parsing over HTTP: what each answers comes out in the port's units. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../../src/clock.ts";
import { openVenue, type VenueReads } from "../../../src/market/ccxt/venue.ts";
import { openGate } from "../../../src/market/gate.ts";
import { BYBIT } from "../../support/exchange-stubs/bybit.ts";
import { STUB_NOW_MS, STUB_SETTLED_MS, worthOf } from "../../support/exchange-stubs/candles.ts";
import { COINBASE, COINBASE_PERPS, coinbaseAliases } from "../../support/exchange-stubs/coinbase.ts";
import { DERIBIT } from "../../support/exchange-stubs/deribit.ts";
import { KRAKEN } from "../../support/exchange-stubs/kraken.ts";
import { OKX } from "../../support/exchange-stubs/okx.ts";
import { type ExchangeStub, type StubAnswers, startExchangeStub } from "../../support/exchange-stubs/server.ts";

const test = suite("market/ccxt/exchanges");
const at = { as_of_ms: STUB_NOW_MS };
const HOUR_MS = 3_600_000;
const signal = AbortSignal.timeout(60_000);

interface Row {
	id: string;
	answers: StubAnswers;
	spot: string;
	perp: string | null;
	/** The exchange says what open interest is worth. */
	interest: boolean;
	/** Its candles carry no value, so that is volume x (o+h+l+c)/4. */
	estimated?: boolean;
}
const ROWS: readonly Row[] = [
	{ id: "bybit", answers: BYBIT, spot: "BTC/USDT", perp: "BTC/USDT:USDT", interest: true },
	{ id: "okx", answers: OKX, spot: "BTC/USDT", perp: "BTC/USDT:USDT", interest: true },
	{ id: "kraken", answers: KRAKEN, spot: "BTC/USD", perp: null, interest: false },
	{ id: "coinbase", answers: COINBASE, spot: "BTC/USD", perp: null, interest: false, estimated: true },
	{ id: "deribit", answers: DERIBIT, spot: "BTC/USDC", perp: "BTC/USDC:USDC", interest: true, estimated: true },
];

async function checkHistory(venue: VenueReads, symbol: string, estimated: boolean): Promise<void> {
	const bars = await venue.candles({ ...at, symbol, timeframe: "1h", limit: null }, signal);
	assert.is(bars.length, 29, `${symbol}: the bar that runs is left out`);
	for (let i = 0; i < bars.length; i++) {
		assert.is(bars.open_time[i], STUB_NOW_MS - (29 - i) * HOUR_MS);
		assert.equal([bars.open[i], bars.high[i], bars.low[i], bars.close[i]], [100 + i, 102 + i, 99 + i, 101 + i]);
		assert.is(bars.volume[i], 10, `${symbol}: volume in coins`);
		const value = estimated ? 10 * (100.5 + i) : worthOf({ open: 100 + i });
		assert.ok(
			Math.abs((bars.quote_volume[i] as number) - value) < 1e-6,
			`${symbol}: ${bars.quote_volume[i]}, not ${value}`,
		);
	}
}

for (const { id, answers, spot, perp, interest, estimated = false } of ROWS) {
	test(`${id}: markets, tickers, candles, a book, settlements and open interest`, async () => {
		const stub: ExchangeStub = await startExchangeStub(answers);
		try {
			const venue = await openVenue({ id, baseUrl: stub.baseUrl, gate: openGate, clock: systemClock });
			const symbols = perp === null ? [spot] : [spot, perp];
			const time = await venue.time({}, signal);
			assert.is(time, STUB_NOW_MS);
			const markets = await venue.markets(at, signal);
			assert.equal(markets.map(({ symbol }) => symbol).sort(), [...symbols].sort());
			for (const market of markets) {
				assert.equal([market.base, market.venue, market.type], ["BTC", id, market.symbol === perp ? "perp" : "spot"]);
				assert.ok(Math.abs((market.volume_usd_24h ?? 0) - 25_000_000) <= 1_000_000, `${market.volume_usd_24h}`);
			}
			const tickers = await venue.tickers({ ...at, symbols }, signal);
			assert.is(tickers.length, symbols.length);
			// coinbase lists last prices without their bids and asks.
			const sides = id === "coinbase" ? [null, null] : [129.9, 130.1];
			for (const { last, bid, ask } of tickers) assert.equal([last, bid, ask], [130, ...sides]);
			for (const symbol of symbols) {
				await checkHistory(venue, symbol, estimated);
				const book = await venue.orderBook({ ...at, symbol }, signal);
				assert.equal([book?.bids, book?.asks], [[[129.9, 1]], [[130.1, 2]]], `${symbol}: sizes in coins`);
			}
			if (perp !== null) {
				const funding = await venue.funding({ ...at, symbol: perp }, signal);
				assert.equal([...(funding?.funding_time ?? [])], [...STUB_SETTLED_MS]);
				// deribit's rows are of an hour each and tell the rate of eight hours beside it.
				const rate_e8 = id === "deribit" ? 1250 : 10_000;
				assert.equal([...(funding?.rate_e8 ?? [])], [rate_e8, rate_e8]);
				const open = await venue.openInterest({ ...at, symbol: perp, present: true }, signal);
				assert.is(open?.value_usd ?? null, interest ? 6_500_000 : null);
				const listed = markets.find(({ symbol }) => symbol === perp);
				assert.is(listed?.open_interest_usd ?? null, interest ? 6_500_000 : null, "as listed");
				assert.is(listed?.open_interest_missing, interest ? undefined : "unpublished");
			}
		} finally {
			// Which question the stub cannot answer says more than what came of it.
			assert.equal(stub.missing, []);
			await stub.close();
		}
	});
}

test("coinbase: a perp is listed beside the coin, at fees that can be", async () => {
	const stub = await startExchangeStub(COINBASE_PERPS);
	try {
		const venue = await openVenue({ id: "coinbase", baseUrl: stub.baseUrl, gate: openGate, clock: systemClock });
		const markets = await venue.markets(at, signal);
		assert.equal(markets.map(({ symbol }) => symbol).sort(), ["BTC/USD", "BTC/USDC:USDC"]);
		for (const { symbol, maker_fee, taker_fee, volume_usd_24h } of markets) {
			assert.ok(taker_fee > 0 && taker_fee <= 0.012 && maker_fee <= taker_fee, `${symbol}: ${maker_fee}, ${taker_fee}`);
			assert.is(volume_usd_24h, 25_000_000, symbol);
		}
	} finally {
		assert.equal(stub.missing, []);
		await stub.close();
	}
});

test("coinbase: a book under two names is listed twice and its volume counted once", async () => {
	for (const alone of [false, true]) {
		const stub = await startExchangeStub(coinbaseAliases(alone));
		try {
			const venue = await openVenue({ id: "coinbase", baseUrl: stub.baseUrl, gate: openGate, clock: systemClock });
			const markets = await venue.markets(at, signal);
			const volumes = markets.map(({ symbol, volume_usd_24h }) => [symbol, volume_usd_24h]).sort();
			const second = ["BTC/USDC", alone ? 25_000_000 : null];
			assert.equal(volumes, alone ? [second] : [["BTC/USD", 25_000_000], second]);
		} finally {
			assert.equal(stub.missing, []);
			await stub.close();
		}
	}
});

test.run();
