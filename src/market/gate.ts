/**
 * The door through which every request to a live exchange goes: one budget of request weight per source that all
 * processes share, and one circuit breaker per source and endpoint. Adapters see only this interface.
 */

/** A source that wants no request for longer is not waited for, ms. */
export const BLOCK_WAIT_MS_MAX = 10_000;
/** A longer pause that a source names is not believed at once: one request a day finds out. */
export const BLOCK_MS_MAX = 86_400_000;

/** -1: accounts, with which a scan begins; 0: what candidates need; 1: what evidence needs; 2: what is heavy and wanted by few. */
export type CallRank = -1 | 0 | 1 | 2;

/** One request about to be sent. */
export interface SourceCall {
	/** Owner of the budget: an exchange, e.g. `binance`, or a part of one that it counts apart, e.g. `binanceusdm:funding`. */
	source: string;
	/** Path without query, e.g. `/api/v3/klines`. Breakers belong to source and endpoint. */
	endpoint: string;
	/** Request weight in the exchange's own units, at least 1. */
	weight: number;
	/** A source without which the call is of no use: while this process knows that one to want no request, it is refused. */
	needs?: string;
	/** Of the calls of a process that wait, those of the lowest rank go first; absent: 0. */
	rank?: CallRank;
	signal: AbortSignal;
}

/** What came of a request. */
export type SourceOutcome =
	/** `used_weight`: what the exchange says was used in the current minute, null where it does not say. */
	| { kind: "ok"; used_weight: number | null }
	/** No answer, a 5xx, a body that cannot be read, or no answer in time. */
	| { kind: "failed" }
	/** 429 (slow down) or 418 (banned), with Retry-After in ms where the exchange sent one. */
	| { kind: "limited"; status: 429 | 418; retry_after_ms: number | null };

export interface SourceState {
	source: string;
	/** Endpoints whose breaker is open at this moment. */
	open: string[];
	/** Epoch ms of the process's clock until which the exchange wants no request at all; null: now is fine. */
	blocked_until_ms: number | null;
	/** Weight used in the running minute, by all processes as far as this one knows. */
	used_weight: number;
	weight_limit: number;
}

export interface SourceGate {
	/**
	 * Waits until the budget has room for the call, at most as long as its signal. Rejects with the signal's reason,
	 * or with a retryable MarketError `fetch_failed` at once when the breaker is open, the source is blocked for longer
	 * than a caller may wait, or too many callers wait already.
	 */
	take(call: SourceCall): Promise<void>;
	/** Told after every call that was taken. */
	report(call: Pick<SourceCall, "source" | "endpoint">, outcome: SourceOutcome): void;
	states(): SourceState[];
}

/** Lets everything through: for adapters under test and for sources that are not remote. */
export const openGate: SourceGate = {
	take: async ({ signal }) => signal.throwIfAborted(),
	report: () => undefined,
	states: () => [],
};
