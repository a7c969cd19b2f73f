import type { FundingSeries, MarketError, Series, StaleNote } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";

const HOUR_MS = TIMEFRAME_MS["1h"];

/**
 * How long answers of a live source hold. Bars and settlements hold until the next one; everything that moves is
 * shared for a time, so that a thousand scans make the calls of one.
 */
export type MovingKind = "markets" | "tickers" | "book" | "interest" | "trades" | "chain" | "volatility";
/** `request`: the raw answer to one request; `time`: what an exchange's clock says. Both are beneath the others. */
export type AnswerKind = MovingKind | "candles" | "funding" | "request" | "time";

/** A moving answer serves every scan that is pinned at most so long after it was asked for, ms. */
export const SHARED_FOR_MS: Record<MovingKind, number> = {
	markets: 60_000,
	tickers: 10_000,
	book: 10_000,
	interest: 60_000,
	trades: 10_000,
	chain: 60_000,
	volatility: 3_600_000,
};

/** When a source fails its last good answer is given, marked, up to this age, ms. */
export const LAST_GOOD_MS: Record<AnswerKind, number> = {
	markets: 24 * 3_600_000,
	tickers: 300_000,
	book: 60_000,
	interest: 3_600_000,
	trades: 60_000,
	chain: 300_000,
	volatility: 2 * 86_400_000,
	candles: 3 * 86_400_000,
	funding: 3 * 86_400_000,
	request: 0,
	time: 0,
};

/**
 * Larger than any answer by far (the markets of a large exchange are some 20 MB); more is a fault of the source. What is
 * shared of an answer unfolds to no more than this either.
 */
export const ANSWER_BYTES_MAX = 128 * 1024 * 1024;

/** Scans that begin within one slice of a live source's time are pinned to one instant, ms. */
export const LIVE_SLICE_MS = 15_000;
/** Who is pinned to an instant that an answer of this kind serves began within so long of its fetch, ms; by the clock of whoever keeps it. */
export const servesFor = (kind: MovingKind): number => SHARED_FOR_MS[kind] + LIVE_SLICE_MS;
/** What is said of a source's time after its present, and by more than processes may differ about that, does not count, ms. */
export const SOURCE_AHEAD_MS_MAX = 120_000;
/** Nobody counts as having begun longer ago; longer than any scan takes, and shorter than an instant is the present, ms. */
export const BEGUN_AGO_MS_MAX = 540_000;

/** When an asker began, for whom answers have to be fresh as of then. Both on the process's clock. */
export const begunAt = (nowMs: number, begunMs: number | undefined): number =>
	Math.min(nowMs, Math.max(begunMs ?? nowMs, nowMs - BEGUN_AGO_MS_MAX));

/** A last good answer is given again without another look at the source for this time, ms. */
export const STALE_FOR_MS = 5_000;
/** A history that lacks what has just closed is asked for again after this time at the soonest, ms. */
export const RECHECK_MS = 15_000;
/** The later a bar or settlement is, the more rarely it is asked for: after this part of the time that it is late. */
const RECHECK_SHARE = 0.25;
/** A history that lacks more is not late but ended. */
const LATE_STEPS = 3;

/**
 * A source may revise its past: a history that was only continued for so long is read whole again, ms. The exchange's
 * own histories and the answers shared above them each take half of it, so that no bar is older than the whole.
 */
export const WHOLE_EVERY_MS = 7 * 86_400_000;

/** Moving answers about an instant so far back are kept apart: what is shown now is no answer to them, ms. */
export const PAST_AFTER_MS = 600_000;
/** Of the past one answer serves all instants of so many ms. */
export const PAST_SLICE_MS = 300_000;

/** End of the newest bar that has closed at `asOfMs`, on the source's clock. */
export const closedAt = (stepMs: number, asOfMs: number): number => Math.floor(asOfMs / stepMs) * stepMs;

/** End of the newest bar that the series has; 0 without any. */
export const coveredBy = ({ length, open_time, timeframe }: Series): number =>
	length === 0 ? 0 : (open_time[length - 1] as number) + TIMEFRAME_MS[timeframe];

/** The last settlement that the series has; 0 without any. */
export const settledBy = ({ length, funding_time }: FundingSeries): number =>
	length === 0 ? 0 : (funding_time[length - 1] as number);

/**
 * After how long a history is asked for again that lacks what should be published by now: soon when the source is a
 * little late (or nothing was traded), more rarely the later it is, after a step when the market seems to have ended.
 * It follows from the history alone, so it is the same whoever asks. Null: nothing is lacking.
 */
export function recheckAfter(history: Series | FundingSeries): number | null {
	const bars = "open_time" in history;
	const stepMs = bars ? TIMEFRAME_MS[history.timeframe] : history.interval_hours * HOUR_MS;
	const has = bars ? coveredBy(history) : settledBy(history);
	const due = bars ? closedAt(stepMs, history.as_of_ms) : closedAt(HOUR_MS, history.as_of_ms) - stepMs + 1;
	if (has >= due) return null;
	if (due - has > LATE_STEPS * stepMs) return stepMs;
	const late = history.as_of_ms - has - stepMs;
	return Math.min(stepMs, Math.max(RECHECK_MS, late * RECHECK_SHARE));
}

/**
 * For how long a process keeps an answer of a kind for who begins meanwhile, ms: what moves, for the source's clock may
 * have been ahead, and a history that lacks what should be published. Null: until it is pushed out.
 */
export function keptFor(kind: string, answer: unknown): number | null {
	if (Object.hasOwn(SHARED_FOR_MS, kind)) return servesFor(kind as MovingKind);
	if (typeof answer !== "object" || answer === null) return null;
	return "open_time" in answer || "funding_time" in answer ? recheckAfter(answer as Series | FundingSeries) : null;
}

export const staleNote = (error: MarketError, ageMs: number): StaleNote => ({
	age_ms: Math.max(0, Math.round(ageMs)),
	error: `${error.code}: ${error.message}`,
});
