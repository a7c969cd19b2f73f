/**
 * What results need of a stored row: a handful of numbers. Rows were checked against their schema
 * before they were stored, yet a row of an older version may lack a figure, which is then null.
 */
export interface RowFigures {
	opportunity_id: string;
	strategy_id: string;
	profit_usd: number;
	capital_usd: number;
	confidence: number | null;
	/** metadata.signal_strength; null = unrated. */
	strength: number | null;
	/** Net profit at the declared target, if the row states one. */
	profit_at_target_usd: number | null;
	/** Loss at the stop as a positive amount, if the row states one. */
	loss_at_stop_usd: number | null;
	grade: string;
	/** Expected net return over the stop's distance, both as shares of notional; null without either. */
	return_per_risk: number | null;
	n_effective: number;
}

const record = (value: unknown): Record<string, unknown> =>
	typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const finite = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

function returnPerRisk(row: Record<string, unknown>, evidence: Record<string, unknown>): number | null {
	const entry = finite(row.entry_price);
	const stop = finite(row.stop_price);
	const meanNetBps = finite(evidence.mean_net_bps);
	if (meanNetBps === null || entry === null || stop === null || entry <= 0 || stop === entry) return null;
	return meanNetBps / 10_000 / (Math.abs(entry - stop) / entry);
}

export function rowFigures(rowJson: string): RowFigures {
	const row = record(JSON.parse(rowJson));
	const metadata = record(row.metadata);
	const evidence = record(row.evidence);
	const loss = finite(metadata.loss_at_stop_usd) ?? finite(metadata.max_risk_usd);
	return {
		opportunity_id: text(row.opportunity_id),
		strategy_id: text(row.strategy_id),
		profit_usd: finite(row.profit_potential_usd) ?? 0,
		capital_usd: finite(row.required_capital_usd) ?? 0,
		confidence: finite(row.confidence_score),
		strength: finite(metadata.signal_strength),
		profit_at_target_usd: finite(metadata.profit_at_target_usd),
		loss_at_stop_usd: loss === null ? null : Math.abs(loss),
		grade: text(evidence.grade) || "D",
		return_per_risk: returnPerRisk(row, evidence),
		n_effective: finite(evidence.n_effective) ?? 0,
	};
}

/**
 * Order of CONTRACT.md 6.6: grade, expected net return per unit of risk, n_effective, id. Used for
 * rows of a scan that has not been ranked; a ranked scan keeps the order that ranking stored.
 */
export function compareFigures(a: RowFigures, b: RowFigures): number {
	if (a.grade !== b.grade) return a.grade < b.grade ? -1 : 1;
	const aReturn = a.return_per_risk ?? Number.NEGATIVE_INFINITY;
	const bReturn = b.return_per_risk ?? Number.NEGATIVE_INFINITY;
	if (aReturn !== bReturn) return bReturn > aReturn ? 1 : -1;
	if (a.n_effective !== b.n_effective) return b.n_effective - a.n_effective;
	if (a.opportunity_id === b.opportunity_id) return 0;
	return a.opportunity_id < b.opportunity_id ? -1 : 1;
}

/** Stored rows of an unranked scan, best first, each id once. */
export function orderRows(rowsJson: readonly string[]): string[] {
	const seen = new Map<string, { json: string; figures: RowFigures }>();
	for (const json of rowsJson) {
		const figures = rowFigures(json);
		if (!seen.has(figures.opportunity_id)) seen.set(figures.opportunity_id, { json, figures });
	}
	return [...seen.values()].sort((a, b) => compareFigures(a.figures, b.figures)).map((row) => row.json);
}
