import { type Clock, delay } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { abortable, onAbort } from "./abortable.ts";
import { decodeAnswer, encodeAnswer } from "./column-codec.ts";
import { MarketError, type ReadOptions } from "./contract.ts";
import { DEAD_AFTER_SHARE, keepLease, LEASE_MS, LEASE_SHARE_MAX, type Lease, RENEW_SHARE } from "./leases.ts";
import { ANSWER_BYTES_MAX, type AnswerKind, BEGUN_AGO_MS_MAX, begunAt, LAST_GOOD_MS, staleNote } from "./live-rules.ts";
import { withinLoopTime } from "./loop-time.ts";
import { tooLate, withinLimit } from "./read-limit.ts";
import type { Look, SharedAnswer, SharedAnswers, SharedKey, SharedPut } from "./sharing.ts";

/** What one process could not fetch the others do not try for this time. */
const FAILURE_TOLD_MS = 1_000;
/** That a source has no such data is believed for this time; a symbol may be listed at any moment. */
const REFUSED_MS = { bad_symbol: 60_000, not_supported: 600_000 };
/** Steps of the wait for another process's answer. */
const WAIT_MS_MIN = 10;
const WAIT_MS_MAX = 200;
/** Pauses after the tries to reach the store. */
const ASK_AGAIN_MS = [10, 100, 300];
/** One try, in time in which the event loop ran. */
const ASK_LIMIT_MS = 1_500;
/** After the store failed it is not asked for this time, so that not every read waits for it in vain. */
const STORE_AWAY_MS = 1_000;

/** One datum of a source: what it is called, what is new enough, and how it is read. */
export interface Datum<T> {
	kind: AnswerKind;
	name: string;
	/** An answer that covers this moment of the source's clock is new enough. */
	need_ms: number;
	/** The whole read, its waiting included, ends after this time. */
	limit_ms: number;
	kept_ms: number;
	/** Reads it from the source; `known` is the last good answer, to be continued. */
	read(signal: AbortSignal, known: T | null): Promise<T>;
	/**
	 * Up to when the answer says everything, up to when the source says it does, and for whom that is believed: for who
	 * begins within so long from now.
	 */
	covers(value: T): Pick<SharedPut, "covers_ms" | "claims_ms" | "recheck_ms" | "believed_ms">;
	/** The latest moment of the source's clock that there can be an answer about now; absent: it has no clock. */
	most_ms?(): number;
	/** A last good answer as it is given when it has become so old. */
	aged?(value: T, ageMs: number): T;
	/** An answer that is new enough as it is given when it was fetched so long ago. */
	found?(value: T, ageMs: number): T;
}

export interface SharedStats {
	/** Answers that another read or process had fetched. */
	shared: number;
	/** Sent to the source. */
	fetches: number;
	/** Last good answers of a source that failed. */
	last_good: number;
	/** Reads without the store, because it did not answer or could not take the answer. */
	unshared: number;
}

export interface SharedReads {
	read<T>(datum: Datum<T>, options: ReadOptions): Promise<T>;
	stats(): SharedStats;
}

interface Deps {
	source: string;
	answers: SharedAnswers;
	clock: Clock;
	entropy: Entropy;
	/** Default LEASE_MS. */
	leaseMs?: number;
}

interface Refused {
	refused: { code: "bad_symbol" | "not_supported"; message: string };
}
/** Says of a fetch that its lease has ended while it ran. */
const LOST = Symbol("the lease was lost");
const isRefused = (value: unknown): value is Refused =>
	typeof value === "object" && value !== null && "refused" in value && Object.keys(value).length === 1;

/**
 * Reads of one source that all processes share: whoever needs a datum first fetches it under a lease and puts it into
 * the store, the others wait for it. A dead holder's lease ends, a failure is told to those who wait, and the last good
 * answer, marked with its age, stands in for one that cannot be fetched. Without the store each process fetches alone.
 */
export function createSharedReads({
	source,
	answers,
	clock,
	entropy,
	leaseMs: leaseMsMax = LEASE_MS,
}: Deps): SharedReads {
	const count: SharedStats = { shared: 0, fetches: 0, last_good: 0, unshared: 0 };
	let awayUntilMs = Number.NEGATIVE_INFINITY;
	const leaseOf = ({ limit_ms }: Datum<unknown>): number => Math.min(leaseMsMax, limit_ms * LEASE_SHARE_MAX);

	/** Null when the store does not answer. */
	const ask = async <R>(work: () => Promise<R>): Promise<R | null> => {
		if (clock.now() < awayUntilMs) return null;
		for (const pauseMs of ASK_AGAIN_MS) {
			try {
				return await withinLoopTime(clock, ASK_LIMIT_MS, work());
			} catch {
				// Every call is safe to repeat, and who reads alone makes the calls that others have made.
				await delay(clock, pauseMs);
			}
			if (clock.now() < awayUntilMs) return null;
		}
		awayUntilMs = clock.now() + STORE_AWAY_MS;
		return null;
	};

	/** Ends with the signal even where the source does not heed it: a lease must not be held for a call that hangs. */
	const fromSource = <T>(datum: Datum<T>, signal: AbortSignal, known: T | null): Promise<T> => {
		count.fetches++;
		return abortable(datum.read(signal, known), signal);
	};

	/** The last good answer with a mark; throws `error` when there is none that may still be shown. */
	const lastGood = async <T>(
		datum: Datum<T>,
		last: SharedAnswer | null,
		error: MarketError,
		options: ReadOptions,
	): Promise<T> => {
		if (!last || last.age_ms > LAST_GOOD_MS[datum.kind]) throw error;
		const value = await unpacked<T>(last);
		if (value === undefined || isRefused(value)) throw error;
		count.last_good++;
		options.onStale?.(staleNote(error, last.age_ms));
		return datum.aged ? datum.aged(value as T, last.age_ms) : (value as T);
	};

	/**
	 * Whether the lease is still held, whose grant was asked for at `askedMs`. A process that was busy hears of its lease
	 * when it is over, and another may be fetching by then.
	 */
	const stillHeld = async (key: SharedKey, token: string, askedMs: number, leaseMs: number): Promise<boolean> => {
		for (let sinceMs = askedMs; clock.now() - sinceMs > leaseMs * RENEW_SHARE; ) {
			const againMs = clock.now();
			const held = await ask(() => answers.renew(key, token, leaseMs));
			if (held !== true) return held === null;
			sinceMs = againMs;
		}
		return true;
	};

	const underLease = async <T>(
		datum: Datum<T>,
		{ key, token, leaseMs }: Lease,
		last: SharedAnswer | null,
		options: ReadOptions,
	): Promise<T | typeof LOST> => {
		const own = new AbortController();
		const forget = onAbort(options.signal, () => own.abort(options.signal.reason));
		const begunMs = clock.now();
		const letGo = keepLease(answers, clock, { key, token, leaseMs }, () => own.abort(LOST));
		try {
			const before = last ? await unpacked<T>(last) : undefined;
			const known = before === undefined || isRefused(before) ? null : (before as T);
			const value = await fromSource(datum, own.signal, known);
			const bytes = await encodeAnswer(value);
			const { kept_ms } = datum;
			// From here on the lease is given back: renewed after that it would be held by nobody.
			letGo();
			const put = {
				token,
				bytes,
				...datum.covers(value),
				fetched_ms: clock.now() - begunMs,
				kept_ms,
				most_ms: datum.most_ms?.(),
			};
			const kept = await ask(() => answers.put(key, put));
			if (!kept) count.unshared++;
			return value;
		} catch (error) {
			// Another process fetches by now: its answer is waited for, so that no request is made twice.
			if (own.signal.reason === LOST) return LOST;
			letGo();
			const refusal = error instanceof MarketError ? await refusalOf(error, token) : null;
			if (refusal) {
				await ask(() => answers.put(key, refusal));
				throw error;
			}
			const failure = error instanceof MarketError ? error : null;
			const told = failure && { text: textOf(failure), told_ms: FAILURE_TOLD_MS };
			await ask(() => answers.release(key, token, told));
			if (!failure || options.signal.aborted) throw error;
			return await lastGood(datum, last, failure, options);
		} finally {
			letGo();
			forget();
		}
	};

	const alone = async <T>(datum: Datum<T>, signal: AbortSignal): Promise<T> => {
		count.unshared++;
		return fromSource(datum, signal, null);
	};

	const shared = async <T>(datum: Datum<T>, options: ReadOptions): Promise<T> => {
		const key = { source, name: datum.name };
		const token = entropy.hex(8);
		const leaseMs = leaseOf(datum);
		const lease: Lease = { key, token, leaseMs };
		for (let waitMs = WAIT_MS_MIN; ; waitMs = Math.min(WAIT_MS_MAX, waitMs * 2)) {
			options.signal.throwIfAborted();
			const askedMs = clock.now();
			const begunAgoMs = askedMs - begunAt(askedMs, options.begun_ms);
			const look: Look | null = await ask(() =>
				answers.look(key, datum.need_ms, token, leaseMs, begunAgoMs, datum.most_ms?.()),
			);
			if (look === null) return alone(datum, options.signal);
			if (look.state === "lease") {
				if (!(await stillHeld(key, token, askedMs, leaseMs))) continue;
				options.signal.throwIfAborted();
				const fetched = await underLease(datum, lease, look.last, options);
				if (fetched !== LOST) return fetched;
				continue;
			}
			if (look.state === "failed") return lastGood(datum, look.last, errorOf(look.failure), options);
			if (look.state === "hit") {
				const value = await unpacked<T>(look);
				if (value === undefined) return alone(datum, options.signal);
				count.shared++;
				if (isRefused(value)) throw new MarketError(value.refused.code, value.refused.message, false);
				return datum.found ? datum.found(value, look.age_ms) : value;
			}
			if (
				leaseMs - look.held_ms > leaseMs * DEAD_AFTER_SHARE &&
				(await ask(() => answers.releaseDead(key, look.lease)))
			)
				continue;
			// Waiters of many processes must not ask in step.
			const jitter = Number.parseInt(entropy.hex(1), 16) / 255;
			await delay(clock, waitMs * (0.5 + jitter), options.signal);
		}
	};

	return {
		async read(datum, options) {
			options.signal.throwIfAborted();
			const late = tooLate(datum.limit_ms);
			try {
				return await withinLimit(clock, datum.limit_ms, late, options.signal, (signal) =>
					shared(datum, { ...options, signal }),
				);
			} catch (error) {
				if (error !== late) throw error;
				const last = await ask(() => answers.last({ source, name: datum.name }));
				return await lastGood(datum, last, late, options);
			}
		},
		stats: () => ({ ...count }),
	};
}

/** Undefined for bytes of another version of the program. */
async function unpacked<T>({ bytes }: SharedAnswer): Promise<T | Refused | undefined> {
	try {
		return (await decodeAnswer(bytes, ANSWER_BYTES_MAX)) as T | Refused;
	} catch {
		return undefined;
	}
}

/** The answer that there is no such data, whatever moment is asked for; null for other errors. */
async function refusalOf({ code, message }: MarketError, token: string): Promise<SharedPut | null> {
	if (code !== "bad_symbol" && code !== "not_supported") return null;
	const bytes = await encodeAnswer({ refused: { code, message } });
	const covers_ms = Number.MAX_SAFE_INTEGER;
	const believed_ms = REFUSED_MS[code];
	const times = { recheck_ms: 0, fetched_ms: 0, believed_ms, kept_ms: believed_ms + BEGUN_AGO_MS_MAX };
	return { token, bytes, covers_ms, claims_ms: covers_ms, ...times };
}

const textOf = ({ code, message, retryable }: MarketError): string => JSON.stringify({ code, message, retryable });

function errorOf(text: string): MarketError {
	const { code, message, retryable } = JSON.parse(text) as Pick<MarketError, "code" | "message" | "retryable">;
	return new MarketError(code, message, retryable);
}
