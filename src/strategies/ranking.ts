import type { Grade, Opportunity } from "./contract.ts";

const GRADE_ORDER: Record<Grade, number> = { A: 0, B: 1, C: 2, D: 3 };

/** Basis points between entry and stop; without a stop the row states its own unit of risk. */
function riskDistanceBps(row: Opportunity): number {
	const { entry_price: entry, stop_price: stop } = row;
	if (entry !== null && stop !== null && entry > 0 && stop !== entry) return (Math.abs(entry - stop) / entry) * 10_000;
	const stated = row.metadata.risk_distance_bps;
	return typeof stated === "number" && stated > 0 ? stated : Number.POSITIVE_INFINITY;
}

/** Measured net return per unit of risk; 0 where nothing is earned or no risk unit is known. */
export const netPerRisk = (row: Opportunity): number => (row.evidence.mean_net_bps ?? 0) / riskDistanceBps(row);

/**
 * Best row first (CONTRACT 6.6): grade, measured net per unit of risk, effective trades, id. None of
 * these knows the user's capital, so scaling it never moves a row.
 */
export function compareRows(a: Opportunity, b: Opportunity): number {
	return (
		GRADE_ORDER[a.evidence.grade] - GRADE_ORDER[b.evidence.grade] ||
		netPerRisk(b) - netPerRisk(a) ||
		b.evidence.n_effective - a.evidence.n_effective ||
		(a.opportunity_id < b.opportunity_id ? -1 : a.opportunity_id > b.opportunity_id ? 1 : 0)
	);
}
