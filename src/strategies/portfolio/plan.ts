import type { Evidence } from "../contract.ts";
import { Memo } from "../evidence/memo.ts";
import type { Refusal } from "../quality.ts";
import { RETURNS_MIN } from "../risk/book.ts";
import { frequencyEvidence, NO_WINDOWS, type WindowRecord } from "../risk/windows.ts";
import { capOf, METHODS, type Method, weighAll } from "./methods.ts";
import { calmerMonths, pastMonths } from "./months.ts";
import { breachedLimits, REBALANCE, type Rebalance, rebalanceTo } from "./rebalance.ts";
import type { AssetUniverse } from "./universe.ts";

const EVIDENCE_METHOD = `months of 30 days weighed on the ${RETURNS_MIN} days before, calmer than the present weights, not overlapping`;

/** One method's answer for a portfolio: where it leads, what its past says, and whether it passes. */
export interface MethodPlan {
	method: Method;
	target: number[];
	rebalance: Rebalance;
	/** 1 - volatility after / before. */
	reduction: number;
	record: WindowRecord;
	evidence: Evidence;
	confidence: ReturnType<typeof frequencyEvidence>["confidence"];
	/** First gate that fails; null: it passes. */
	refusal: Refusal | null;
	/** Limits of the risk strategy that its weights would break. */
	breachesAfter: string[];
}

export interface MethodPlans {
	covariance: number[][];
	breaches: string[];
	/** Methods that gave weights, in the order of METHODS. */
	plans: MethodPlan[];
	/** Methods without an answer. */
	silent: { method: Method; refusal: Refusal }[];
}

const present = new Memo<ReturnType<typeof weighAll>>(32);

/** Weights by every method from the newest 180 days, once per closed bar: they know nothing of what is held. */
const presentWeights = ({ key, logs }: AssetUniverse): ReturnType<typeof weighAll> =>
	present.get(key, () => weighAll(logs.map((column) => column.subarray(-RETURNS_MIN))));

/** Asks every method on the newest 180 days and holds it against the gates. */
export function planAll(universe: AssetUniverse, hindsight: boolean): MethodPlans {
	const { covariance, weights } = presentWeights(universe);
	const months = pastMonths(universe.key, universe);
	const breaches = breachedLimits(universe, universe.current, covariance);
	const keys = METHODS.map(({ key }) => key);
	const records = calmerMonths(months, keys, universe.current, universe.simple, universe.days);
	const plans: MethodPlan[] = [];
	const silent: MethodPlans["silent"] = [];
	for (const method of METHODS) {
		const target = weights[method.key];
		if (!target) {
			const detail = `${method.title}: no coin has a positive expected return`;
			silent.push({ method, refusal: { reason: "negative_expectancy", detail } });
			continue;
		}
		const cap = method.capped ? capOf(universe.assets.length) : 1;
		const rebalance = rebalanceTo(universe, target, covariance, cap);
		// A portfolio that does not move cannot become calmer.
		const { volatilityBefore: before, volatilityAfter: after } = rebalance;
		const reduction = before > 0 ? 1 - after / before : 0;
		const record = records.get(method.key) ?? NO_WINDOWS;
		const measured = frequencyEvidence(record, universe.assets.length, hindsight, EVIDENCE_METHOD);
		const refusal = refusalOf(method, { rebalance, reduction, record, breached: breaches.length > 0, ...measured });
		const breachesAfter = breachedLimits(universe, rebalance.weights, covariance);
		plans.push({ method, target, rebalance, reduction, record, ...measured, refusal, breachesAfter });
	}
	return { covariance, breaches, plans, silent };
}

function refusalOf(
	method: Method,
	{
		rebalance,
		reduction,
		record,
		evidence,
		breached,
	}: Pick<MethodPlan, "rebalance" | "reduction" | "record" | "evidence"> & { breached: boolean },
): Refusal | null {
	const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
	const refuse = (reason: string, detail: string): Refusal => ({ reason, detail: `${method.title}: ${detail}` });
	if (rebalance.trades.length === 0) return refuse("already_at_target", "every weight lies within the no-trade band");
	if (reduction < REBALANCE.volatility_reduction_min && !breached) {
		const least = percent(REBALANCE.volatility_reduction_min);
		return refuse("already_at_target", `volatility would fall by ${percent(reduction)}, less than ${least}`);
	}
	if (!(rebalance.utilityGainUsd > rebalance.costUsd)) {
		const gain = `${rebalance.utilityGainUsd.toFixed(2)} USD of benefit in a month`;
		return refuse("cost_exceeds_edge", `${gain} against costs of ${rebalance.costUsd.toFixed(2)} USD`);
	}
	if (evidence.grade === "D")
		return refuse("negative_expectancy", `calmer in ${record.wins} of ${record.n} past months only`);
	return null;
}

const GRADES = "ABCD";

/**
 * The passing method whose trades are proposed: best grade, then fewest limits broken afterwards, then most
 * benefit after costs, then the order of METHODS. One that breaks more limits than the present weights is
 * only shown, and forecasts of returns are never traded on.
 */
export function chosenPlan({ plans, breaches }: MethodPlans): MethodPlan | null {
	const net = ({ rebalance }: MethodPlan) => rebalance.utilityGainUsd - rebalance.costUsd;
	const grade = ({ evidence }: MethodPlan) => GRADES.indexOf(evidence.grade);
	const open = plans
		.filter(({ refusal, method }) => refusal === null && !method.forecastsReturns)
		.filter(({ breachesAfter }) => breachesAfter.length <= breaches.length);
	const ordered = open.sort(
		(a, b) => grade(a) - grade(b) || a.breachesAfter.length - b.breachesAfter.length || net(b) - net(a),
	);
	return ordered[0] ?? null;
}
