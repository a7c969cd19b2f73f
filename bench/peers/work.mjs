/** The work of one scan, the same for every system: rows of about 700 bytes, one for each of fourteen strategies. */

export const STRATEGIES = 14;
/** The three phases before the strategies, one after another; with fourteen strategies and ranking a scan has 18 steps. */
export const PHASES = ["started", "portfolio_fetch", "asset_discovery"];
export const STEPS = PHASES.length + STRATEGIES + 1;

const FILLER = "measured walk-forward on a universe of liquid markets, net of fees, spread and impact; ";

/** One row as a strategy would find it, about 700 bytes of JSON. */
export function rowOf(scanId, index) {
	return {
		opportunity_id: `${scanId.slice(-12)}-${index}`,
		strategy_id: `strategy_${index}`,
		symbol: `COIN${index}/USDT`,
		side: index % 2 === 0 ? "long" : "short",
		entry_price: 100 + index,
		target_price: 110 + index,
		stop_price: 95 + index,
		confidence_score: 50 + index,
		costs: { fee_bps: 20, spread_bps: 2, impact_bps: 1, funding_bps: 0, total_bps: 23 },
		evidence: { n: 400 + index, n_effective: 120, wins: 245, hit_rate: 0.6125, bootstrap_90: [5, 90], grade: "B" },
		reasoning: FILLER.repeat(3),
	};
}

/** Trivial work of an early phase. */
export const phaseOf = (phase) => ({ phase, items: 35, source: "none" });

/** Trivial work of ranking: ids, best first. */
export const rankingOf = (rows) =>
	rows.toSorted((a, b) => b.confidence_score - a.confidence_score).map(({ opportunity_id }) => opportunity_id);
