import { compareRanks, netPerRisk, type RowRank } from "../row-order.ts";

/**
 * What results need of a stored row: a handful of numbers. Rows were checked against their schema
 * before they were stored, yet a row of an older version may lack a figure, which is then null.
 */
export interface RowFigures extends RowRank {
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
}

const record = (value: unknown): Record<string, unknown> =>
	typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const finite = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

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
		net_per_risk: netPerRisk({
			entry_price: finite(row.entry_price),
			stop_price: finite(row.stop_price),
			risk_distance_bps: finite(metadata.risk_distance_bps),
			mean_net_bps: finite(evidence.mean_net_bps),
		}),
		n_effective: finite(evidence.n_effective) ?? 0,
	};
}

/** The symbol of a stored row; null for one that names none. */
export const symbolOf = (rowJson: string): string | null => text(record(JSON.parse(rowJson)).symbol) || null;

/** Stored rows of an unranked scan, best first, each id once. */
export function orderRows(rowsJson: readonly string[]): string[] {
	const seen = new Map<string, { json: string; figures: RowFigures }>();
	for (const json of rowsJson) {
		const figures = rowFigures(json);
		if (!seen.has(figures.opportunity_id)) seen.set(figures.opportunity_id, { json, figures });
	}
	return [...seen.values()].sort((a, b) => compareRanks(a.figures, b.figures)).map((row) => row.json);
}
