import { systemClock } from "../../src/clock.ts";
import { selectCandidates } from "../../src/effects/candidates.ts";
import { startHarvest } from "../../src/effects/harvest.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { discoverUniverse, selectAssets } from "../../src/market/index.ts";
import { createSimulatedMarketData } from "../../src/market/simulated.ts";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { findBuiltStrategy } from "../../src/strategies/registry.ts";
import { LIMITS, portfolioOf } from "./synthetic-market.ts";

export interface SimulatedScan {
	strategyId: string;
	seed: number;
	asOfMs: number;
	/** Symbol words of the scan's filter; absent: none. */
	symbols?: string[];
	tiers?: string[];
	/** The policy's max_symbols; null: lifted. */
	symbolsMax: number | null;
}

export const openSimulated = (seed: number, asOfMs: number): MarketData =>
	createSimulatedMarketData({ seed, asOfMs, latencyMs: 0, clock: systemClock });

/** What a scan of the simulated exchange hands to a strategy: the same selection and reads. */
export async function simulatedRequest(scan: SimulatedScan, market?: MarketData): Promise<EvaluationRequest> {
	const { strategyId, asOfMs, symbols, tiers } = scan;
	const source = market ?? openSimulated(scan.seed, asOfMs);
	const strategy = findBuiltStrategy(strategyId);
	if (!strategy) throw new RangeError(`no strategy ${strategyId}`);
	const { signal } = new AbortController();
	const universe = await discoverUniverse(source, { signal, asOfMs, clock: systemClock });
	const { assets } = selectAssets(universe, {
		floorTier: "tier_any",
		...(tiers ? { tiers } : {}),
		...(symbols ? { symbols } : {}),
	});
	const portfolio = portfolioOf();
	const { candidates } = selectCandidates(strategy.needs, assets, universe, portfolio, {
		symbolsMax: scan.symbolsMax,
		...(symbols ? { symbols } : {}),
	});
	const harvest = startHarvest(source, strategy.needs, candidates, { signal, as_of_ms: asOfMs, concurrencyMax: null });
	await harvest.settled;
	const { view } = harvest.snapshot();
	harvest.stop();
	return {
		strategy_id: strategyId,
		candidates,
		view: { as_of_ms: asOfMs, data_source: { ...source.source, as_of: new Date(asOfMs).toISOString() }, ...view },
		portfolio,
		limits: LIMITS,
	};
}
