import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Attachments } from "../../src/effects/contract.ts";
import {
	createFetchPortfolio,
	createPortfolioAtOnce,
	type PortfolioValuation,
} from "../../src/effects/fetch-portfolio.ts";
import { MarketError, type Ticker } from "../../src/market/contract.ts";
import type { Position } from "../../src/strategies/contract.ts";
import { bounded, ManualClock, never, settled } from "./fake-clock.ts";
import { AS_OF_MS, fakeMarket } from "./fake-market.ts";
import { effectContext, scanContext } from "./fake-scan.ts";
import { fakeDeps } from "./fakes.ts";

const test = suite("effects/fetch-portfolio");

const ticker = (symbol: string, last: number | null, bid: number | null = null, ask: number | null = null): Ticker => ({
	symbol,
	last,
	bid,
	ask,
	quote_volume_24h: null,
	at_ms: AS_OF_MS,
});
const position = (symbol: string, quantity: number, entry_price: number | null = null): Position => ({
	symbol,
	quantity,
	entry_price,
});

const stored = (positions: Position[], cash_usd: number, version = 3) => ({
	get: async () => ({ positions, cash_usd, version, updated_at: "2026-03-01T00:00:00.000Z" }),
});

const valuation = (attachments: Attachments) => attachments.documents?.portfolio_valuation as PortfolioValuation;

async function fetched(deps: Parameters<typeof fakeDeps>[0]) {
	const all = fakeDeps(deps);
	return createFetchPortfolio(all)(effectContext(scanContext(), all.clock));
}

test(
	"without a portfolio capital is the documented default, flagged",
	bounded(async () => {
		const { portfolio, attachments } = await fetched({});
		assert.is(portfolio.capital_usd, 10_000);
		assert.is(portfolio.assumed, true);
		assert.is(portfolio.portfolio_version, 0);
		assert.is(attachments.portfolio?.capital_usd, 10_000);
	}),
);

test(
	"that default is known at once, as it would be fetched, and nothing that was ever stored is",
	bounded(async () => {
		const never = { positions: [], cash_usd: 0, version: 0, updated_at: null };
		const atOnce = createPortfolioAtOnce(fakeDeps({}));
		assert.equal(atOnce(never), await fetched({}));
		// Version 1 with nothing in it: an exchange account was added, which only the effect reads.
		assert.is(atOnce({ ...never, version: 1 }), null);
		assert.is(atOnce(await stored([], 500, 2).get()), null);
	}),
);

test(
	"a stored empty portfolio is not a failure and not an assumption",
	bounded(async () => {
		const { portfolio } = await fetched({ portfolios: stored([], 0, 1) });
		assert.equal([portfolio.capital_usd, portfolio.assumed, portfolio.positions], [0, false, 0]);
	}),
);

test(
	"capital is cash plus marked positions, each once, and says where each mark comes from",
	bounded(async () => {
		const positions = [
			position("BTC/USDT", 0.5, 50_000),
			position("ETH/USDT", 2),
			position("OLD/USDT", 10, 3),
			position("GONE/USDT", 7),
			position("ADA/EUR", 100, 1),
		];
		const { portfolio, attachments } = await fetched({
			portfolios: stored(positions, 1_000),
			market: fakeMarket({
				tickers: async (symbols) => {
					assert.not(symbols.includes("ADA/EUR"));
					return [ticker("BTC/USDT", 60_000), ticker("ETH/USDT", null, 1_990, 2_010)];
				},
			}),
		});
		assert.is(portfolio.capital_usd, 1_000 + 30_000 + 4_000 + 30);
		assert.equal(
			valuation(attachments).positions.map(({ basis }) => basis),
			["market", "market", "entry_price", "unpriced", "unpriced"],
		);
		assert.match(portfolio.source, "2 of 5 positions marked by simulated:fake, 1 at entry price, 2 unpriced");
	}),
);

test(
	"each price keeps its time, and prices from before a source failed are marked as such",
	bounded(async () => {
		const portfolios = stored([position("BTC/USDT", 1), position("ETH/USDT", 1), position("OLD/USDT", 1, 3)], 0);
		const [btcMs, ethMs] = [AS_OF_MS - 400_000, AS_OF_MS - 7_000];
		const tickers = [
			{ ...ticker("BTC/USDT", 60_000), at_ms: btcMs },
			{ ...ticker("ETH/USDT", 2_000), at_ms: ethMs },
		];
		const iso = (ms: number) => new Date(ms).toISOString();
		const fresh = await fetched({ portfolios, market: fakeMarket({ tickers: async () => tickers }) });
		const { as_of, stale, positions } = valuation(fresh.attachments);
		assert.equal([as_of, stale], [iso(AS_OF_MS), null]);
		assert.equal(
			positions.map(({ priced_at }) => priced_at),
			[iso(btcMs), iso(ethMs), null],
		);
		assert.match(fresh.portfolio.source, `oldest price of ${iso(btcMs)}`);
		assert.not("stale_prices" in fresh.portfolio);
		assert.not.match(fresh.portfolio.source, "last good");
		const failing = fakeMarket({
			tickers: async (_symbols, { onStale }) => {
				onStale?.({ age_ms: 5_000, error: "fetch_failed: HTTP 503" });
				onStale?.({ age_ms: 200_000, error: "fetch_failed: HTTP 503" });
				onStale?.({ age_ms: 9_000, error: "timeout" });
				return tickers;
			},
		});
		const old = await fetched({ portfolios, market: failing });
		const note = { age_seconds: 200, error: "fetch_failed: HTTP 503" };
		assert.equal([old.portfolio.stale_prices, valuation(old.attachments).stale], [note, note]);
		assert.match(
			old.portfolio.source,
			"last good prices, up to 200 s old, because the source fails (fetch_failed: HTTP 503)",
		);
	}),
);

test(
	"a contract counts with its unrealised result, not with its notional",
	bounded(async () => {
		const { portfolio } = await fetched({
			portfolios: stored([position("BTC/USDT:USDT", -0.1, 60_000)], 5_000),
			market: fakeMarket({ tickers: async () => [ticker("BTC/USDT:USDT", 55_000)] }),
		});
		assert.is(portfolio.capital_usd, 5_000 + 500);
	}),
);

test(
	"one unknown symbol costs only its own mark",
	bounded(async () => {
		const { portfolio } = await fetched({
			portfolios: stored([position("BTC/USDT", 1), position("NOPE/USDT", 1, 5)], 0),
			market: fakeMarket({
				tickers: async (symbols) => {
					if (symbols.includes("NOPE/USDT")) throw new MarketError("bad_symbol", "no such market", false);
					return symbols.map((symbol) => ticker(symbol, 100));
				},
			}),
		});
		assert.is(portfolio.capital_usd, 105);
	}),
);

test(
	"a market that hangs costs the marks, not the phase",
	bounded(async () => {
		const clock = new ManualClock();
		const deps = fakeDeps({
			clock,
			portfolios: stored([position("BTC/USDT", 1, 40_000)], 10),
			market: fakeMarket({ tickers: () => never() }),
		});
		const running = createFetchPortfolio(deps)(effectContext(scanContext(), clock, { timeMs: 10_000 }));
		await clock.advance(5_000);
		const { portfolio } = await running;
		assert.is(portfolio.capital_usd, 40_010);
		assert.is(clock.armed(), 0);
	}),
);

test(
	"an unreadable store is a failure without the dependency's words",
	bounded(async () => {
		try {
			await fetched({ portfolios: { get: () => Promise.reject(new Error("ECONNREFUSED 10.0.0.1:6379")) } });
			assert.unreachable();
		} catch (error) {
			const { code, message, retryable } = error as { code: string; message: string; retryable: boolean };
			assert.equal(
				[code, message, retryable],
				["portfolio_fetch_failed", "The stored portfolio could not be read", true],
			);
		}
	}),
);

test(
	"an abort ends it at once with the reason",
	bounded(async () => {
		const clock = new ManualClock();
		const deps = fakeDeps({ clock, portfolios: { get: () => never() } });
		const context = effectContext(scanContext(), clock);
		const outcome = createFetchPortfolio(deps)(context).catch((error: Error) => error.message);
		await settled();
		context.abort(new Error("cancelled"));
		assert.is(await outcome, "cancelled");
	}),
);

test.run();
