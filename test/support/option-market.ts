import type { Asset, Market, MarketData } from "../../src/market/contract.ts";
import { createSimulatedMarketData, SIMULATED_PERP_VENUE, SIMULATED_SPOT_VENUE } from "../../src/market/simulated.ts";
import type { EvaluationRequest, PortfolioSnapshot } from "../../src/strategies/contract.ts";
import { LIMITS, portfolioOf } from "./synthetic-market.ts";

export const OPTION_BASES = ["BTC", "ETH", "AVAX"] as const;

/** The simulated exchange standing still at an instant. */
export const simulatedAt = (seed: number, atMs: number): MarketData =>
	createSimulatedMarketData({
		seed,
		asOfMs: atMs,
		latencyMs: 0,
		clock: { now: () => atMs, setTimeout: () => null, clearTimeout: () => undefined },
	});

/** Coins as a portfolio of spot positions at a price that matters to nobody here. */
export const holding = (coins: Readonly<Record<string, number>>, capitalUsd: number): PortfolioSnapshot => ({
	...portfolioOf(capitalUsd),
	positions: Object.entries(coins).map(([base, quantity]) => ({ symbol: `${base}/USDT`, quantity, entry_price: null })),
});

/** A request about the option markets of the simulation, read as the scan would read it. */
export async function optionRequest(
	strategyId: string,
	market: MarketData,
	portfolio: PortfolioSnapshot = portfolioOf(100_000),
	bases: readonly string[] = OPTION_BASES,
): Promise<EvaluationRequest> {
	const read = { signal: new AbortController().signal, as_of_ms: market.now() };
	const symbols = bases.map((base) => `${base}/USDT`);
	const series = await Promise.all(
		[...new Set([...symbols, "BTC/USDT", "ETH/USDT"])].map((symbol) => market.candles(symbol, "1d", read)),
	);
	const chains = await Promise.all(bases.map((base) => market.optionChain(base, read)));
	const histories = await Promise.all(
		[...new Set([...bases, "BTC", "ETH"])].map((base) => market.volatilityHistory(base, read)),
	);
	return {
		strategy_id: strategyId,
		candidates: symbols.map((symbol, i) => candidate(symbol, bases[i] ?? "")),
		view: {
			as_of_ms: market.now(),
			data_source: { kind: market.source.kind, name: market.source.name, as_of: null },
			series: Object.fromEntries(series.map((one) => [one.symbol, one])),
			funding: {},
			books: {},
			evidence: { series: [], funding: [] },
			markets: {},
			chains: Object.fromEntries(chains.flatMap((chain) => (chain ? [[chain.base, chain]] : []))),
			volatility: Object.fromEntries(histories.flatMap((history) => (history ? [[history.base, history]] : []))),
			errors: {},
		},
		portfolio,
		limits: LIMITS,
	};
}

function candidate(symbol: string, base: string): EvaluationRequest["candidates"][number] {
	const market = (type: "spot" | "perp"): Market => ({
		symbol: type === "spot" ? symbol : `${symbol}:USDT`,
		id: `${base}USDT`,
		venue: type === "spot" ? SIMULATED_SPOT_VENUE : SIMULATED_PERP_VENUE,
		type,
		base,
		quote: "USDT",
		maker_fee: 0.001,
		taker_fee: 0.001,
		min_notional: 5,
		quantity_step: null,
		price_tick: null,
		volume_usd_24h: 500_000_000,
		data_age_ms: 0,
		tags: [],
		funding_interval_hours: type === "perp" ? 8 : null,
		open_interest_usd: null,
		open_interest_at_ms: null,
	});
	const markets = [market("spot"), market("perp")];
	const asset: Asset = { base, tier: "tier_institutional", volume_usd_24h: 1_000_000_000, markets };
	return { symbol, asset, market: markets[0] ?? null };
}
