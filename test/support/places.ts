import { systemClock } from "../../src/clock.ts";
import { createMarketData, discoverUniverse } from "../../src/market/index.ts";
import type { EvaluationRequest, PortfolioSnapshot } from "../../src/strategies/contract.ts";
import { CALM_PORTFOLIO, HEAVY_PORTFOLIO, requestOn } from "./evaluate-on.ts";
import { portfolioOf } from "./synthetic-market.ts";

/** A simulated market at a moment, a portfolio, and how much of the market is looked at. */
export interface Place {
	seed: number;
	at: string;
	portfolio: PortfolioSnapshot;
	symbolsMax: number;
	/** Only these coins: trades of a month are slow to make. */
	bases?: readonly string[];
}

const SYMBOLS_MAX = 30;
const place = (seed: number, at: string, more: Partial<Place> = {}): Place => ({
	seed,
	at: at.length === 10 ? `${at}T00:00:00.000Z` : at,
	portfolio: HEAVY_PORTFOLIO,
	symbolsMax: SYMBOLS_MAX,
	...more,
});
const rich = { portfolio: portfolioOf(100_000), symbolsMax: 10 };

/**
 * For each strategy a place where it publishes and one where it does not: none can be silent for ever, and none
 * always finds something.
 */
export const PLACES: Readonly<Record<string, { publishes: Place; silent: Place }>> = {
	ai_spot_momentum_strategy: { publishes: place(1, "2025-06-02"), silent: place(3, "2026-02-11") },
	ai_spot_mean_reversion: { publishes: place(3, "2025-06-02"), silent: place(1, "2025-06-02") },
	ai_spot_breakout_strategy: { publishes: place(2, "2026-02-11"), silent: place(1, "2025-06-02") },
	ai_funding_arbitrage: { publishes: place(1, "2025-11-10"), silent: place(1, "2025-06-02") },
	ai_pairs_trading: { publishes: place(4, "2026-06-01"), silent: place(1, "2025-06-02") },
	ai_portfolio_optimization: {
		publishes: place(1, "2025-06-02"),
		silent: place(1, "2025-06-02", { portfolio: CALM_PORTFOLIO }),
	},
	ai_hedge_position: {
		publishes: place(1, "2025-06-02"),
		silent: place(1, "2025-06-02", { portfolio: CALM_PORTFOLIO }),
	},
	ai_futures_trade: { publishes: place(2, "2025-11-10"), silent: place(3, "2026-02-11") },
	ai_volatility_trading: { publishes: place(45, "2025-06-02"), silent: place(1, "2025-06-02") },
	ai_risk_management: {
		publishes: place(1, "2025-06-02"),
		silent: place(1, "2025-06-02", { portfolio: CALM_PORTFOLIO }),
	},
	ai_options_trade: {
		publishes: place(24, "2025-07-21T09:00:00Z", rich),
		silent: place(1, "2025-11-10T10:03:00Z", rich),
	},
	ai_complex_strategy: {
		publishes: place(1, "2026-03-19T19:00:00Z", rich),
		silent: place(1, "2025-06-02", rich),
	},
	ai_market_making: {
		publishes: place(1, "2026-03-19T19:00:00Z", { bases: ["CRV", "MANA", "BTC"] }),
		silent: place(1, "2026-03-19T19:00:00Z", { bases: ["BTC", "ETH"] }),
	},
	ai_scalping_strategy: {
		publishes: place(8, "2026-03-16T11:05:00Z", { bases: ["1000PEPE", "SOL", "BTC"] }),
		silent: place(4, "2026-03-19T19:00:00Z", { bases: ["BTC", "ETH"] }),
	},
	ai_statistical_arbitrage: { publishes: place(26, "2026-02-11"), silent: place(3, "2026-02-11") },
};

const READ_LIMIT_MS = 60_000;
const known = new Map<string, Promise<EvaluationRequest>>();

/**
 * The request of a strategy's scan in a place. `clockMs`: the source already knows everything up to then and
 * is asked about the past. Each is read once per test file.
 */
export function requestAt(id: string, where: Place, clockMs = Date.parse(where.at)): Promise<EvaluationRequest> {
	const key = [id, where.seed, where.at, where.bases, where.symbolsMax, where.portfolio.capital_usd, clockMs].join();
	const found = known.get(key) ?? read(id, where, clockMs);
	known.set(key, found);
	return found;
}

async function read(id: string, where: Place, clockMs: number): Promise<EvaluationRequest> {
	const asOfMs = Date.parse(where.at);
	const market = await createMarketData({
		market: `simulated:${where.seed}`,
		asOfMs: clockMs,
		latencyMs: 0,
		clock: systemClock,
	});
	try {
		const signal = AbortSignal.timeout(READ_LIMIT_MS);
		const whole = await discoverUniverse(market, { signal, asOfMs, clock: systemClock });
		const assets = whole.assets.filter(({ base }) => where.bases?.includes(base) ?? true);
		return await requestOn(id, { market, universe: { ...whole, assets }, asOfMs }, where.portfolio, where.symbolsMax);
	} finally {
		await market.close();
	}
}
