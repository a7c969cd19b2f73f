import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { joinedPositions } from "../../src/effects/account-positions.ts";
import {
	createFetchPortfolio,
	noMarks,
	type PortfolioValuation,
	snapshotOf,
} from "../../src/effects/fetch-portfolio.ts";
import type { AccountErrorCode, MissingPart } from "../../src/exchange/contract.ts";
import { MarketError, type Ticker } from "../../src/market/contract.ts";
import type { AccountHoldings } from "../../src/services.ts";
import type { Position } from "../../src/strategies/contract.ts";
import { bounded, ManualClock } from "./fake-clock.ts";
import { AS_OF_MS, fakeMarket } from "./fake-market.ts";
import { effectContext, scanContext } from "./fake-scan.ts";
import { fakeDeps } from "./fakes.ts";

const test = suite("effects/account-positions");

const position = (symbol: string, quantity: number, entry_price: number | null = null): Position => ({
	symbol,
	quantity,
	entry_price,
});
const holdings = (
	account_id: string,
	positions: Position[],
	cash_usd: number,
	more: { error?: AccountErrorCode; missing?: MissingPart[]; exchange?: string } = {},
): AccountHoldings => ({
	account_id,
	exchange: more.exchange ?? "binance",
	held: { cash_usd, positions, as_of_ms: AS_OF_MS, missing: more.missing ?? [] },
	error: more.error ?? null,
});
const unread = (account_id: string, error: AccountErrorCode): AccountHoldings => ({
	account_id,
	exchange: "kraken",
	held: null,
	error,
});
const entered = (positions: Position[], cash_usd: number) => ({
	get: async () => ({ positions, cash_usd, version: 3, updated_at: "2026-03-01T00:00:00.000Z" }),
});
const nothingEntered = { get: async () => ({ positions: [], cash_usd: 0, version: 1, updated_at: null }) };
const reading = (...accounts: AccountHoldings[]) => ({ read: async () => accounts });

const PRICES: Record<string, number> = { "BTC/USDT": 60_000, "ETH/USDT": 2_000, "BTC/USDT:USDT": 61_000 };
const priced = () =>
	fakeMarket({
		tickers: async (symbols) => {
			const unknown = symbols.find((symbol) => !(symbol in PRICES));
			if (unknown !== undefined) throw new MarketError("bad_symbol", "no such market", false);
			return symbols.map((symbol): Ticker => {
				const last = PRICES[symbol] ?? null;
				return { symbol, last, bid: null, ask: null, quote_volume_24h: null, at_ms: AS_OF_MS };
			});
		},
	});

async function fetched(deps: Parameters<typeof fakeDeps>[0]) {
	const all = fakeDeps({ market: priced(), ...deps });
	const { portfolio, attachments } = await createFetchPortfolio(all)(effectContext(scanContext(), all.clock));
	const valuation = attachments.documents?.portfolio_valuation as PortfolioValuation;
	return { portfolio, snapshot: attachments.portfolio, valuation };
}

test(
	"accounts are added to what is entered, each mark names its holder, strategies see one position per symbol",
	bounded(async () => {
		const { portfolio, snapshot, valuation } = await fetched({
			portfolios: entered([position("BTC/USDT", 1, 50_000)], 100),
			accounts: reading(
				holdings("a", [position("BTC/USDT", 0.5), position("BTC/USDT:USDT", -1, 62_000)], 1_000),
				holdings("b", [position("ETH/USDT", 2), position("BTC/USDT:USDT", 0.4, 60_000)], 250),
			),
		});
		assert.is(portfolio.capital_usd, 1_350 + 60_000 + 30_000 + 1_000 + 4_000 + 400);
		assert.is(portfolio.assumed, false);
		assert.equal(snapshot?.positions, [
			position("BTC/USDT", 1.5, null),
			position("BTC/USDT:USDT", -0.6, 62_000),
			position("ETH/USDT", 2),
		]);
		assert.equal(
			valuation.positions.map(({ account_id, symbol }) => [symbol, account_id]),
			[
				["BTC/USDT", undefined],
				["BTC/USDT", "a"],
				["BTC/USDT:USDT", "a"],
				["ETH/USDT", "b"],
				["BTC/USDT:USDT", "b"],
			],
		);
		assert.equal(
			portfolio.accounts?.map(({ account_id, error }) => [account_id, error]),
			[
				["a", null],
				["b", null],
			],
		);
		assert.match(portfolio.source, /2 of 2 exchange accounts read/);
	}),
);

test(
	"an account that was not read degrades the portfolio and says so; the phase goes on",
	bounded(async () => {
		const { portfolio } = await fetched({
			portfolios: entered([], 100),
			accounts: reading(
				holdings("a", [position("ETH/USDT", 1)], 0, { error: "timeout" }),
				holdings("b", [], 5, { missing: ["positions"] }),
				unread("c", "authentication_failed"),
			),
		});
		assert.is(portfolio.capital_usd, 2_105, "the earlier reading counts, what was never read does not");
		assert.match(
			portfolio.source,
			/1 of 3 exchange accounts read \(binance: timeout, binance: without positions, kraken: authentication_failed\)/,
		);
		assert.equal(portfolio.accounts, [
			{ account_id: "a", exchange: "binance", error: "timeout", missing: [], as_of_ms: AS_OF_MS },
			{ account_id: "b", exchange: "binance", error: null, missing: ["positions"], as_of_ms: AS_OF_MS },
			{ account_id: "c", exchange: "kraken", error: "authentication_failed", missing: [], as_of_ms: null },
		]);
	}),
);

test(
	"accounts alone are a portfolio; with none ever read the capital is assumed, and says so",
	bounded(async () => {
		const known = await fetched({ portfolios: nothingEntered, accounts: reading(holdings("a", [], 700)) });
		assert.equal([known.portfolio.capital_usd, known.portfolio.assumed], [700, false]);
		const unknown = await fetched({ portfolios: nothingEntered, accounts: reading(unread("a", "timeout")) });
		assert.equal([unknown.portfolio.capital_usd, unknown.portfolio.assumed], [10_000, true]);
		assert.match(unknown.portfolio.source, /^default, 0 of 1 exchange accounts read/);
	}),
);

test(
	"assets without a price are counted as such; dollars of an exchange find the source's quote",
	bounded(async () => {
		const { portfolio, valuation, snapshot } = await fetched({
			portfolios: entered([], 0),
			accounts: reading(
				holdings("a", [position("BTC/USD", 1), position("ODD/USD", 9)], 0, { exchange: "kraken" }),
				holdings("b", [position("DUST/USDT", 3)], 0),
			),
		});
		assert.is(portfolio.capital_usd, 60_000);
		assert.equal(
			valuation.positions.map(({ symbol, basis }) => [symbol, basis]),
			[
				["BTC/USDT", "market"],
				["ODD/USD", "unpriced"],
				["DUST/USDT", "unpriced"],
			],
		);
		assert.match(portfolio.source, /2 unpriced and counted as 0/);
		assert.ok(
			snapshot?.positions.some(({ symbol }) => symbol === "BTC/USDT"),
			"under the name that strategies know",
		);
	}),
);

test(
	"accounts get a part of the phase's time, never all of it",
	bounded(async () => {
		const limits: number[] = [];
		const clock = new ManualClock();
		const accounts = {
			read: async (_: string, __: AbortSignal, limitMs: number) => {
				limits.push(limitMs);
				return [];
			},
		};
		for (const timeMs of [10_000, 1_000]) {
			const deps = fakeDeps({ clock, accounts });
			await createFetchPortfolio(deps)(effectContext(scanContext(), clock, { timeMs }));
		}
		assert.equal(limits, [4_000, 400]);
	}),
);

test("coins owed lower the capital and are no position; two hundred positions at most reach the strategies", () => {
	const stored = { positions: [], cash_usd: 0, version: 1, updated_at: null };
	const marksOf = (prices: [symbol: string, price: number][]) => ({
		...noMarks(),
		prices: new Map(prices.map(([symbol, price]) => [symbol, { price, at_ms: 0 }])),
	});
	const owing = snapshotOf(stored, marksOf([["BTC/USDT", 100]]), [holdings("a", [position("BTC/USDT", -2)], 1_000)]);
	assert.equal([owing.portfolio.capital_usd, owing.portfolio.positions], [800, []]);
	const many = Array.from({ length: 300 }, (_, i) => position(`C${i}/USDT`, i + 1));
	const { portfolio, valuation } = snapshotOf(stored, marksOf(many.map(({ symbol }) => [symbol, 1])), [
		holdings("a", many, 0),
	]);
	assert.equal([portfolio.positions.length, valuation.positions.length], [200, 300]);
	assert.is(portfolio.capital_usd, (300 * 301) / 2, "the rest counts in the capital");
	assert.is(Math.min(...portfolio.positions.map(({ quantity }) => quantity)), 101, "the largest stay");
});

test("joining keeps every symbol's quantity and makes up no entry price", () => {
	const held = fc.record({
		symbol: fc.constantFrom("BTC/USDT", "BTC/USDT:USDT", "ETH/USDT:USDT"),
		quantity: fc.integer({ min: 1, max: 50 }).map((n) => n / 4),
		short: fc.boolean(),
		entry_price: fc.option(fc.integer({ min: 1, max: 100 })),
	});
	fc.assert(
		fc.property(fc.array(held, { maxLength: 12 }), (all) => {
			const positions = all.map(({ symbol, quantity, short, entry_price }) =>
				position(symbol, short && symbol.includes(":") ? -quantity : quantity, entry_price),
			);
			const joined = joinedPositions(positions);
			assert.is(new Set(joined.map(({ symbol }) => symbol)).size, joined.length);
			for (const symbol of new Set(positions.map((one) => one.symbol))) {
				const of = positions.filter((one) => one.symbol === symbol);
				const sum = of.reduce((total, { quantity }) => total + quantity, 0);
				const one = joined.find((candidate) => candidate.symbol === symbol);
				assert.is(one?.quantity ?? 0, sum);
				const entries = of.map(({ entry_price }) => entry_price);
				if (one?.entry_price == null) continue;
				const known = entries.filter((entry) => entry !== null);
				assert.ok(one.entry_price >= Math.min(...known) - 1e-9 && one.entry_price <= Math.max(...known) + 1e-9);
			}
		}),
		{ numRuns: 300 },
	);
});

test.run();
