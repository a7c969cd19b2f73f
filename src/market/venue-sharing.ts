import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { BEGUN_AGO_MS_MAX } from "./live-rules.ts";
import { createSharedReads, type Datum } from "./shared-reads.ts";
import type { SharedAnswers } from "./sharing.ts";

/** The list of markets waits for these answers, and has little time itself. */
const LEASE_MS = 6_000;
/** A read's wait at the gate included. */
const LIMIT_MS = 90_000;

/** The body of an answer, as bytes; `age_ms`: since it was fetched. */
export interface SharedBody {
	body: Int8Array;
	age_ms: number;
}

/** What an exchange's clock said so long ago, and whether it moves. */
export interface SharedTime {
	/** Epoch ms; null: the exchange does not tell the time. */
	server_ms: number | null;
	moving: boolean;
	age_ms: number;
}

/**
 * What processes keep of an exchange beneath their answers (its list of markets, its table of tickers, its time) and
 * would otherwise each ask for themselves. Reject as `load` does, or with MarketError when another process could not load it.
 */
export interface VenueSharing {
	/** The answer to one request, fetched by one process in `freshMs`. `name`: its path and query; `begunMs`: as in ReadOptions. */
	request(
		venue: string,
		name: string,
		freshMs: number,
		load: (signal: AbortSignal) => Promise<Int8Array>,
		signal: AbortSignal,
		begunMs?: number | null,
	): Promise<SharedBody>;
	/** The exchange's time, measured by one process in `freshMs`. */
	time(
		venue: string,
		freshMs: number,
		measure: () => Promise<Omit<SharedTime, "age_ms">>,
		signal: AbortSignal,
	): Promise<SharedTime>;
}

/** Through the same store, with the same leases and bounds, as all other answers of `source`; fresh by the store's clock. */
export function createVenueSharing(deps: {
	source: string;
	answers: SharedAnswers;
	clock: Clock;
	entropy: Entropy;
}): VenueSharing {
	const reads = createSharedReads({ leaseMs: LEASE_MS, ...deps });
	const read = <T extends { age_ms: number }>(
		freshMs: number,
		datum: Pick<Datum<T>, "kind" | "name" | "read">,
		signal: AbortSignal,
		begunMs: number | null = null,
	): Promise<T> => {
		const whole: Datum<T> = {
			...datum,
			need_ms: 1,
			limit_ms: LIMIT_MS,
			// Also for those who began while it was fresh.
			kept_ms: freshMs + BEGUN_AGO_MS_MAX,
			// No moment of the source's clock is covered; the claim is believed for as long as the answer is fresh.
			covers: () => ({ covers_ms: 0, claims_ms: 1, recheck_ms: freshMs }),
			found: (value, age_ms) => ({ ...value, age_ms }),
		};
		return reads.read(whole, { signal, as_of_ms: 0, ...(begunMs === null ? {} : { begun_ms: begunMs }) });
	};
	return {
		request: (venue, name, freshMs, load, signal, begunMs) => {
			const body = async (own: AbortSignal): Promise<SharedBody> => ({ body: await load(own), age_ms: 0 });
			return read(freshMs, { kind: "request", name: `request:${venue}:${name}`, read: body }, signal, begunMs);
		},
		time: (venue, freshMs, measure, signal) => {
			const told = async (): Promise<SharedTime> => ({ ...(await measure()), age_ms: 0 });
			return read(freshMs, { kind: "time", name: `time:${venue}`, read: told }, signal);
		},
	};
}
