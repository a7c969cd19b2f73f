/**
 * The one order of rows, for ranking and for scans that were not ranked: grade, measured net return per
 * unit of risk, effective trades, id. None of these knows the user's capital, so scaling it never moves a row.
 */
export interface RowRank {
	/** A to D; anything else stands behind. */
	grade: string;
	/** See netPerRisk. */
	net_per_risk: number;
	n_effective: number;
	opportunity_id: string;
}

export interface RiskFigures {
	entry_price: number | null;
	stop_price: number | null;
	/** metadata.risk_distance_bps: the unit of risk that a row without a stop states. */
	risk_distance_bps: number | null;
	mean_net_bps: number | null;
}

/** Basis points between entry and stop; without a stop the row states its own unit of risk. */
function riskDistanceBps({ entry_price: entry, stop_price: stop, risk_distance_bps: stated }: RiskFigures): number {
	if (entry !== null && stop !== null && entry > 0 && stop !== entry) return (Math.abs(entry - stop) / entry) * 10_000;
	return stated !== null && stated > 0 ? stated : Number.POSITIVE_INFINITY;
}

/** Measured net return per unit of risk; 0 where nothing is measured or no unit of risk is known. */
export const netPerRisk = (figures: RiskFigures): number => (figures.mean_net_bps ?? 0) / riskDistanceBps(figures);

/** Best row first; total, since ids differ within a scan. */
export function compareRanks(a: RowRank, b: RowRank): number {
	if (a.grade !== b.grade) return a.grade < b.grade ? -1 : 1;
	return (
		b.net_per_risk - a.net_per_risk ||
		b.n_effective - a.n_effective ||
		(a.opportunity_id < b.opportunity_id ? -1 : a.opportunity_id > b.opportunity_id ? 1 : 0)
	);
}
