import type { DataNeeds } from "../contract.ts";
import { EXPIRY_DAYS_MAX, EXPIRY_DAYS_MIN, OPEN_INTEREST_MIN, SPREAD_OF_MID_MAX } from "./chain.ts";
import { EVIDENCE_MARKETS } from "./premium-evidence.ts";
import { EDGE_MIN, HORIZON_DAYS, SELL_PERCENTILE_MIN } from "./premium-rules.ts";
import { forecastBarsMin, forecastBarsSettled } from "./volatility-forecast.ts";

/** What both option strategies read: a chain and daily closes of each asset, and the histories of the evidence. */
export const OPTION_NEEDS: DataNeeds = {
	candidates: "chain",
	chain: true,
	timeframe: "1d",
	candles: true,
	funding: false,
	orderBook: false,
	evidence: null,
	history: { bars_min: forecastBarsMin(HORIZON_DAYS), bars_settled: forecastBarsSettled(HORIZON_DAYS) },
	benchmarks: EVIDENCE_MARKETS.map(({ symbol }) => symbol),
	volatility_bases: EVIDENCE_MARKETS.map(({ base }) => base),
};

export const OPTION_THRESHOLDS = {
	edge_vol_points_min: 100 * EDGE_MIN,
	sell_percentile_min: SELL_PERCENTILE_MIN,
	expiry_days_min: EXPIRY_DAYS_MIN,
	expiry_days_max: EXPIRY_DAYS_MAX,
	expiry_days_aim: HORIZON_DAYS,
	open_interest_min: OPEN_INTEREST_MIN,
	spread_of_mid_max: SPREAD_OF_MID_MAX,
};
