import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { at, last } from "./columns.ts";
import type { Candidate, MarketView } from "./contract.ts";

export const MISSING_SHARE_MAX = 0.01;
export const ZERO_VOLUME_SHARE_MAX = 0.02;
/** Newest close may lie this many steps behind the source's clock. */
export const STALE_STEPS_MAX = 2;

export interface Refusal {
	reason: string;
	detail: string;
}

/** Fees and least orders are the market's own: without its description nothing is assumed. */
export const UNDESCRIBED: Refusal = {
	reason: "fetch_failed",
	detail: "no market description was read: fees are unknown",
};

export type SeriesCheck = { ok: true; series: Series } | ({ ok: false } & Refusal);

/**
 * The gates before any strategy, in this order: fetch_failed, stale_data, gaps,
 * insufficient_history, illiquid, pegged_or_wrapped. `lookbackBars` is what the rule needs.
 */
export function checkSeries(candidate: Candidate, view: MarketView, lookbackBars: number): SeriesCheck {
	const error = view.errors[candidate.symbol];
	if (error !== undefined) return refuse("fetch_failed", error);
	const series = view.series[candidate.symbol];
	// A source that records no bars has answered: nothing failed, and nothing is degraded by it.
	if (!series) return refuse("insufficient_history", "the source records no bars");
	const refusal =
		staleness(series, view.as_of_ms) ??
		gaps(series, lookbackBars) ??
		shortness(series, lookbackBars) ??
		zeroVolume(series, lookbackBars) ??
		pegged(candidate);
	return refusal ? { ok: false, ...refusal } : { ok: true, series };
}

const refuse = (reason: string, detail: string): { ok: false } & Refusal => ({ ok: false, reason, detail });

function staleness(series: Series, asOfMs: number): Refusal | null {
	if (series.length === 0) return null;
	const step = TIMEFRAME_MS[series.timeframe];
	const steps = (asOfMs - (last(series.open_time) + step)) / step;
	if (steps <= STALE_STEPS_MAX) return null;
	return { reason: "stale_data", detail: `the newest bar closed ${steps.toFixed(1)} steps ago` };
}

function gaps(series: Series, lookbackBars: number): Refusal | null {
	const step = TIMEFRAME_MS[series.timeframe];
	const from = Math.max(0, series.length - lookbackBars);
	let missing = 0;
	for (let i = from + 1; i < series.length; i++) {
		const steps = (at(series.open_time, i) - at(series.open_time, i - 1)) / step;
		if (!Number.isInteger(steps) || steps < 1)
			return { reason: "gaps", detail: "bars are not in exact, growing steps" };
		missing += steps - 1;
	}
	const share = missing / (series.length - from + missing);
	if (!(share > MISSING_SHARE_MAX)) return null;
	return { reason: "gaps", detail: `${missing} of ${series.length - from + missing} bars are missing` };
}

function shortness(series: Series, lookbackBars: number): Refusal | null {
	if (series.length >= lookbackBars) return null;
	return { reason: "insufficient_history", detail: `${series.length} of ${lookbackBars} bars` };
}

function zeroVolume(series: Series, lookbackBars: number): Refusal | null {
	const recent = series.volume.subarray(series.length - lookbackBars);
	const empty = recent.filter((volume) => !(volume > 0)).length;
	if (empty / lookbackBars <= ZERO_VOLUME_SHARE_MAX && last(recent) > 0) return null;
	return { reason: "illiquid", detail: `${empty} of ${lookbackBars} bars without volume` };
}

function pegged(candidate: Candidate): Refusal | null {
	const tags = candidate.market?.tags ?? [];
	return tags.length > 0 ? { reason: "pegged_or_wrapped", detail: tags.join(", ") } : null;
}
