import type { Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { type MakerRecord, REPLAY_DAYS } from "./market-making/evidence.ts";
import {
	JUMP_SIGMAS,
	LEVELS_MIN,
	LOOKBACK_BARS,
	readMakeable,
	SIGMA_SPREADS_MAX,
	VOLUME_USD_MIN,
} from "./market-making/gates.ts";
import { EDGE_MIN, INVENTORY_MAX, LATENCY_SECONDS, REPRICE_SECONDS } from "./market-making/replay.ts";
import { MAKER_ID, makerRow, recordFor } from "./market-making/row.ts";
import { TAPE_WINDOW_MS } from "./tape.ts";

const THRESHOLDS = {
	levels_min: LEVELS_MIN,
	volume_usd_24h_min: VOLUME_USD_MIN,
	sigma_1h_spreads_max: SIGMA_SPREADS_MAX,
	jump_sigmas: JUMP_SIGMAS,
	edge_bps_min: EDGE_MIN * 10_000,
	replay_days: REPLAY_DAYS,
};

/**
 * Two-sided quotes after Avellaneda and Stoikov (2008) on perpetual contracts. What it
 * promises is a day with a gain, and the record of a market is its own tape alone, so that a row does not
 * depend on who else is looked at.
 */
export const marketMaking: Strategy = {
	id: MAKER_ID,
	needs: {
		candidates: "perp",
		timeframe: "5m",
		candles: true,
		funding: false,
		orderBook: true,
		evidence: null,
		benchmarks: [],
		trades_window_ms: TAPE_WINDOW_MS,
		history: { bars_min: LOOKBACK_BARS, bars_settled: LOOKBACK_BARS },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const replays: [symbol: string, record: MakerRecord][] = [];
		for (const candidate of candidates) {
			const made = readMakeable(candidate, view, ledger);
			if ("reason" in made) {
				ledger.reject(candidate.symbol, made.reason, made.detail);
				continue;
			}
			const setting = { view, portfolio, limits };
			const record = recordFor(made, setting);
			replays.push([candidate.symbol, record]);
			const outcome = makerRow(made, record, setting);
			if ("reason" in outcome) ledger.reject(candidate.symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close("symbol", limits, THRESHOLDS, reportOf(replays));
	},
};

function reportOf(replays: [string, MakerRecord][]): Record<string, unknown> {
	const ordered = replays.sort(([a], [b]) => (a < b ? -1 : 1));
	return {
		reprice_seconds: REPRICE_SECONDS,
		latency_seconds: LATENCY_SECONDS,
		inventory_max_lots: INVENTORY_MAX,
		fill_rule:
			"a quote fills once a step if a taker trades strictly beyond it; what is left is closed as a taker after 24 hours",
		replays: ordered.map(([symbol, { evidence, fillsPerDay, adverse }]) => ({
			symbol,
			days: evidence.n,
			days_with_gain: evidence.wins,
			mean_net_bps: evidence.mean_net_bps,
			fills_per_day: fillsPerDay,
			adverse_selection_measured_bps: adverse === null ? null : adverse * 10_000,
			grade: evidence.grade,
		})),
	};
}
