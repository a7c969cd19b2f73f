import type { Costs, StrategyLimits } from "./contract.ts";
import { type Measurement, symbolConfidence } from "./evidence/measure.ts";
import { costsOfLegs, leastOrder, type TradedLeg } from "./legs.ts";
import type { Refusal } from "./quality.ts";
import { sizePosition } from "./sizing.ts";

/** A trade of several legs, sized and charged. */
export interface LegsTrade {
	legs: TradedLeg[];
	/** The value that the legs' shares refer to. */
	notionalUsd: number;
	/** Basis points of that value. */
	costs: Costs;
	/** Fraction of that value. */
	expectedNet: number;
	confidence: { confidence_score: number | null; confidence_low: number | null; confidence_high: number | null };
}

export interface LegsInput {
	legs: TradedLeg[];
	/** Capital that the value of the shares may be taken from. */
	capitalUsd: number;
	/** Loss at the stop as a fraction of that value. */
	stopDistance: number;
	/** Name of the symbol or pair whose own record shrinks to the pool's. */
	name: string;
	measurement: Measurement;
	/** Round trip that the record was charged, a fraction; what is traded now is charged instead. */
	replayCost: number;
	limits: StrategyLimits;
}

/** Size by risk, costs at that size, and what the record leaves to gain after them; each leg must reach its least order. */
export function sizeLegs(input: LegsInput): LegsTrade | Refusal {
	const { legs, capitalUsd, stopDistance, name, measurement, replayCost, limits } = input;
	const { evidence, grade, payoff } = measurement;
	const { p, ...confidence } = symbolConfidence(measurement, name);
	const advUsd = Math.min(...legs.map((leg) => leg.advUsd / leg.share));
	const sizing = sizePosition({
		capitalUsd,
		stopDistance,
		advUsd,
		grade,
		p,
		payoff,
		limits,
		market: leastOrder(legs),
		price: 1,
	});
	if (!sizing.ok) return sizing;
	const costs = costsOfLegs(legs, sizing.notionalUsd);
	const expectedNet = ((evidence.mean_net_bps ?? 0) - costs.total_bps) / 10_000 + replayCost;
	if (grade !== "C" && expectedNet <= 0) {
		return { reason: "cost_exceeds_edge", detail: `costs of ${costs.total_bps.toFixed(1)} bp leave no expected gain` };
	}
	const known = evidence.n > 0 ? confidence : { confidence_score: null, confidence_low: null, confidence_high: null };
	return { legs, notionalUsd: sizing.notionalUsd, costs, expectedNet, confidence: known };
}
