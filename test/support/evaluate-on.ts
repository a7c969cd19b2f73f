import { systemClock } from "../../src/clock.ts";
import { selectCandidates } from "../../src/effects/candidates.ts";
import { startHarvest } from "../../src/effects/harvest.ts";
import type { MarketData, Universe } from "../../src/market/contract.ts";
import { createMarketData, discoverUniverse } from "../../src/market/index.ts";
import type { EvaluationRequest, PortfolioSnapshot } from "../../src/strategies/contract.ts";
import { findBuiltStrategy } from "../../src/strategies/registry.ts";

/** What a strategy gets to see of a market at a moment, read the way a scan reads it. */
export interface Scene {
	market: MarketData;
	universe: Universe;
	asOfMs: number;
}

const opened = new Map<string, Promise<Scene>>();

/** One discovered market per word and moment for the whole test file. */
export function scene(market: string, asOf: string): Promise<Scene> {
	const key = `${market} ${asOf}`;
	const held = opened.get(key) ?? open(market, Date.parse(asOf));
	opened.set(key, held);
	return held;
}

async function open(word: string, asOfMs: number): Promise<Scene> {
	const market = await createMarketData({ market: word, asOfMs, latencyMs: 0, clock: systemClock });
	const universe = await discoverUniverse(market, { signal: AbortSignal.timeout(30_000), asOfMs, clock: systemClock });
	return { market, universe, asOfMs };
}

export async function closeScenes(): Promise<void> {
	await Promise.all([...opened.values()].map(async (held) => (await held).market.close()));
	opened.clear();
}

export const NO_PORTFOLIO: PortfolioSnapshot = {
	positions: [],
	cash_usd: 0,
	version: 0,
	capital_usd: 10_000,
	assumed: true,
};

/** Three coins, one of them far too heavy: something for every strategy about portfolios. */
export const HEAVY_PORTFOLIO: PortfolioSnapshot = {
	positions: [
		{ symbol: "BTC/USDT", quantity: 0.02, entry_price: 50_000 },
		{ symbol: "ETH/USDT", quantity: 0.5, entry_price: 2_500 },
		{ symbol: "SOL/USDT", quantity: 400, entry_price: 120 },
	],
	cash_usd: 1_000,
	version: 1,
	capital_usd: 60_000,
	assumed: false,
};

/** Mostly cash, five small positions with a stop each: nothing to mend. */
export const CALM_PORTFOLIO: PortfolioSnapshot = {
	positions: ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT"].map((symbol, i) => ({
		symbol,
		quantity: [0.005, 0.1, 2, 200, 500][i] ?? 1,
		entry_price: null,
	})),
	cash_usd: 95_000,
	version: 1,
	capital_usd: 96_000,
	assumed: false,
};

/** The request that a scan of the whole universe would send to the worker thread. */
export async function requestOn(
	strategyId: string,
	{ market, universe, asOfMs }: Scene,
	portfolio: PortfolioSnapshot,
	symbolsMax: number | null = null,
): Promise<EvaluationRequest> {
	const strategy = findBuiltStrategy(strategyId);
	if (!strategy) throw new Error(`no strategy '${strategyId}' is built`);
	const { candidates } = selectCandidates(strategy.needs, universe.assets, universe, portfolio, { symbolsMax });
	const signal = AbortSignal.timeout(60_000);
	const harvest = startHarvest(market, strategy.needs, candidates, { signal, as_of_ms: asOfMs, concurrencyMax: null });
	await harvest.settled;
	const { candidates: arrived, view } = harvest.snapshot();
	harvest.stop();
	const { kind, name } = market.source;
	return {
		strategy_id: strategyId,
		candidates: arrived,
		view: { as_of_ms: asOfMs, data_source: { kind, name, as_of: new Date(asOfMs).toISOString() }, ...view },
		portfolio,
		limits: { rows_max: 1_000, risk_per_trade: 0.01, max_position_share: 0.25 },
	};
}
