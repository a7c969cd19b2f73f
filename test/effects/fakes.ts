import type { Clock } from "../../src/clock.ts";
import type { EffectDeps, EvaluationPool, RowOrder } from "../../src/effects/ports.ts";
import type { DataNeeds, Evaluation, EvaluationRequest, Opportunity } from "../../src/strategies/contract.ts";
import { ManualClock } from "./fake-clock.ts";
import { AS_OF_MS, asset, fakeMarket, fakeUniverseStore, selectAssets, universe } from "./fake-market.ts";

export const MOMENTUM = "ai_spot_momentum_strategy";

export const spotNeeds = (overrides: Partial<DataNeeds> = {}): DataNeeds => ({
	candidates: "spot",
	timeframe: "1d",
	candles: true,
	funding: false,
	orderBook: false,
	evidence: null,
	benchmarks: [],
	...overrides,
});

export function row(symbol: string, overrides: Partial<Opportunity> = {}): Opportunity {
	const strategy_id = overrides.strategy_id ?? MOMENTUM;
	return {
		opportunity_id: `${strategy_id}:${symbol}`,
		strategy_id,
		strategy_name: "AI Momentum Trading",
		opportunity_type: "spot_momentum",
		symbol,
		exchange: "fake",
		side: "long",
		profit_potential_usd: 10,
		confidence_score: 45,
		confidence_low: 40,
		confidence_high: 50,
		risk_level: "medium",
		required_capital_usd: 1000,
		estimated_timeframe: "1-4w",
		entry_price: 100,
		exit_price: 110,
		stop_price: 95,
		target_price: 110,
		risk_reward_ratio: 2,
		costs: { fee_bps: 20, spread_bps: 2, impact_bps: 0, funding_bps: 0, total_bps: 22 },
		evidence: {
			method: "walk-forward/pooled",
			n: 100,
			n_effective: 40,
			wins: 45,
			hit_rate: 0.45,
			mean_net_bps: 300,
			median_net_bps: -100,
			bootstrap_90: [10, 500],
			profit_factor: 1.4,
			avg_hold_bars: 16,
			first_trade: null,
			last_trade: null,
			universe_size: 35,
			grade: "B",
			p_placebo: 0.01,
			brier: null,
			ece: null,
		},
		as_of: new Date(AS_OF_MS).toISOString(),
		data_source: { kind: "simulated", name: "simulated:fake", as_of: null },
		discovered_at: "",
		metadata: { side: "long" },
		...overrides,
	};
}

/** Publishes every candidate whose base stands in `found`, rejects the others, unread ones included. */
export function evaluationOf(request: EvaluationRequest, found: readonly string[]): Evaluation {
	const published: Opportunity[] = [];
	const rejected: Evaluation["rejected"] = [];
	for (const { symbol } of request.candidates) {
		if (request.view.errors[symbol]) rejected.push({ symbol, reason: "fetch_failed" });
		else if (found.includes(symbol.split("/")[0] ?? ""))
			published.push(row(symbol, { strategy_id: request.strategy_id }));
		else rejected.push({ symbol, reason: "no_trigger" });
	}
	return {
		candidate_unit: "symbol",
		evaluated: request.candidates.length,
		published,
		unproven: [],
		rejected,
		near_misses: [],
		thresholds: { z: 0.5 },
		data_as_of: new Date(AS_OF_MS - 60_000).toISOString(),
		report: { series: Object.keys(request.view.series).length },
	};
}

export interface FakePool extends EvaluationPool {
	requests: EvaluationRequest[];
	inFlightMax: number;
}

export function fakePool(evaluate: (request: EvaluationRequest, signal: AbortSignal) => Promise<Evaluation>): FakePool {
	let inFlight = 0;
	const pool: FakePool = {
		requests: [],
		inFlightMax: 0,
		evaluate: async (request, signal) => {
			pool.requests.push(request);
			inFlight += 1;
			pool.inFlightMax = Math.max(pool.inFlightMax, inFlight);
			try {
				return await evaluate(request, signal);
			} finally {
				inFlight -= 1;
			}
		},
	};
	return pool;
}

/** The order of published rows without its last word (the id), which the effect itself adds. */
export const contractOrder: RowOrder = (a, b) => {
	const perRisk = ({ evidence, entry_price, stop_price }: Opportunity) => {
		if (entry_price === null || stop_price === null || evidence.mean_net_bps === null) return Number.NEGATIVE_INFINITY;
		return evidence.mean_net_bps / ((Math.abs(entry_price - stop_price) / entry_price) * 10_000);
	};
	if (a.evidence.grade !== b.evidence.grade) return a.evidence.grade < b.evidence.grade ? -1 : 1;
	const [left, right] = [perRisk(a), perRisk(b)];
	if (left !== right) return right - left;
	return b.evidence.n_effective - a.evidence.n_effective;
};

export function fakeDeps(overrides: Partial<EffectDeps> = {}): EffectDeps & { clock: Clock } {
	return {
		market: fakeMarket(),
		portfolios: { get: async () => ({ positions: [], cash_usd: 0, version: 0, updated_at: null }) },
		discover: async () => universe([asset("BTC", 2e9), asset("ETH", 1e9)]),
		selectAssets,
		universes: fakeUniverseStore(),
		strategyOf: (id) => ({ id, needs: spotNeeds() }),
		pool: fakePool(async (request) => evaluationOf(request, [])),
		schema: { safeParse: () => ({ success: true }) },
		compareRows: contractOrder,
		clock: new ManualClock(),
		...overrides,
	};
}
