import type { Series } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";

/** Limits a series has to keep before a strategy may use it. */
export const MISSING_SHARE_MAX = 0.01;
export const ZERO_VOLUME_SHARE_MAX = 0.02;
export const STALE_AFTER_STEPS = 2;

export interface SeriesQuality {
	bars: number;
	/** Missing steps over all steps between the first and the last bar of the lookback, 0..1. */
	missing_share: number;
	/** Bars whose open time is not later than the one before. */
	duplicates: number;
	/** as_of minus the close of the newest bar, ms; null without a bar. */
	age_ms: number | null;
	/** The newest bar closed more than two steps before as_of, or there is none. */
	stale: boolean;
	/** 0..1 */
	zero_volume_share: number;
	/** The first gate that fails, null when all hold. As a public reason code. */
	reason: "stale_data" | "gaps" | "illiquid" | null;
}

/** Measures the newest `lookbackBars` bars (all without it) at the series' own as_of. */
export function seriesQuality(series: Series, lookbackBars = series.length): SeriesQuality {
	const stepMs = TIMEFRAME_MS[series.timeframe];
	const first = Math.max(0, series.length - lookbackBars);
	const bars = series.length - first;
	let duplicates = 0;
	let zeroVolume = 0;
	for (let i = first; i < series.length; i++) {
		if (i > first && (series.open_time[i] as number) <= (series.open_time[i - 1] as number)) duplicates++;
		if (series.volume[i] === 0) zeroVolume++;
	}
	const lastOpen = bars === 0 ? null : (series.open_time[series.length - 1] as number);
	const steps = lastOpen === null ? 0 : Math.round((lastOpen - (series.open_time[first] as number)) / stepMs) + 1;
	const missingShare = steps === 0 ? 0 : Math.max(0, steps - (bars - duplicates)) / steps;
	const ageMs = lastOpen === null ? null : series.as_of_ms - lastOpen - stepMs;
	const stale = ageMs === null || ageMs > STALE_AFTER_STEPS * stepMs;
	const zeroVolumeShare = bars === 0 ? 0 : zeroVolume / bars;
	let reason: SeriesQuality["reason"] = null;
	if (missingShare > MISSING_SHARE_MAX || duplicates > 0) reason = "gaps";
	else if (stale) reason = "stale_data";
	else if (zeroVolumeShare > ZERO_VOLUME_SHARE_MAX) reason = "illiquid";
	return {
		bars,
		missing_share: missingShare,
		duplicates,
		age_ms: ageMs,
		stale,
		zero_volume_share: zeroVolumeShare,
		reason,
	};
}
