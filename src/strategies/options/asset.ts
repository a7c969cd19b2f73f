import { TIMEFRAME_MS } from "../../market/contract.ts";
import { last } from "../columns.ts";
import type { Candidate, MarketView } from "../contract.ts";
import { Memo, seriesFingerprint } from "../evidence/memo.ts";
import type { Ledger } from "../ledger.ts";
import { checkSeries, type Refusal } from "../quality.ts";
import { type Board, type Expiry, expiryNear, optionNear, readBoard, volatilityOf } from "./chain.ts";
import { HORIZON_DAYS, percentileAt, type VolatilityState } from "./premium-rules.ts";
import { forecastBarsMin, volatilityForecast } from "./volatility-forecast.ts";

/** A chain older than this says nothing about what can be traded now. */
export const CHAIN_AGE_MS_MAX = 10 * 60_000;

/** An asset with a quoted chain. */
export interface Underlying {
	candidate: Candidate;
	base: string;
	board: Board;
	/** The expiry that premium ideas use. */
	expiry: Expiry;
	/** Volatility at the money of that expiry against its forecast; why not, if it is not known. */
	state: VolatilityState | Refusal;
}

const memo = new Memo<number>(1024);

/** The gates that hold for a whole asset: fetch_failed, no_options_market, stale_data. */
export function readUnderlying(candidate: Candidate, view: MarketView, ledger: Ledger): Underlying | Refusal {
	const base = candidate.asset?.base ?? candidate.market?.base ?? "";
	const error = view.errors[candidate.symbol];
	if (error !== undefined) return { reason: "fetch_failed", detail: error };
	const chain = view.chains?.[base];
	if (!chain) return { reason: "no_options_market", detail: "the source quotes no option chain" };
	const ageMs = view.as_of_ms - chain.at_ms;
	if (ageMs > CHAIN_AGE_MS_MAX) {
		return { reason: "stale_data", detail: `the chain was quoted ${(ageMs / 60_000).toFixed(0)} minutes ago` };
	}
	const board = readBoard(chain, chain.at_ms);
	const expiry = expiryNear(board, HORIZON_DAYS);
	if (!expiry) return { reason: "no_options_market", detail: "no expiry 7 to 60 days ahead has a known forward" };
	ledger.sawDatumAt(chain.at_ms);
	return { candidate, base, board, expiry, state: readState(candidate, base, expiry, view) };
}

function readState(candidate: Candidate, base: string, expiry: Expiry, view: MarketView): VolatilityState | Refusal {
	if (!view.series[candidate.symbol]) return { reason: "insufficient_history", detail: "no daily closes are known" };
	const check = checkSeries(candidate, view, forecastBarsMin(HORIZON_DAYS));
	if (!check.ok) return { reason: check.reason, detail: check.detail };
	const { series } = check;
	const forecast = memo.get(seriesFingerprint(series), () => last(volatilityForecast(series.close, HORIZON_DAYS)));
	const sides = (["bid", "ask"] as const).map((side) => atTheMoney(expiry, side));
	const [bid = null, ask = null] = sides;
	if (bid === null || ask === null) return { reason: "spread_too_wide", detail: "no two-sided quote at the money" };
	if (!(forecast > 0)) return { reason: "insufficient_history", detail: "no forecast of volatility" };
	const history = view.volatility?.[base];
	const percentile = history ? percentileAt(history.atm_iv, history.length - 1, bid) : null;
	return { bid, ask, forecast, percentile };
}

/** Mean implied volatility of the call and the put at the strike next to the forward; null if one is not quoted. */
function atTheMoney(expiry: Expiry, side: "bid" | "ask"): number | null {
	const call = optionNear(expiry, "call", expiry.forward);
	const put = optionNear(expiry, "put", expiry.forward);
	const values = [call && volatilityOf(call, side), put && volatilityOf(put, side)];
	const known = values.filter((value) => value !== null);
	return known.length < 2 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Newest datum the rows of an asset rest on. */
export function asOfOf({ candidate, board }: Underlying, view: MarketView): number {
	const series = view.series[candidate.symbol];
	const closed = series && series.length > 0 ? last(series.open_time) + TIMEFRAME_MS[series.timeframe] : 0;
	return Math.max(board.chain.at_ms, closed);
}
