/** What passes between the program and its thread of exchanges. */
import { MarketError } from "../contract.ts";
import type { AskGate, TellGate } from "../gate-thread.ts";
import type { PlainError } from "../plain-error.ts";
import type { VenueReads } from "./venue.ts";

export type ReadName = keyof VenueReads;
export type ReadOf<N extends ReadName> = Parameters<VenueReads[N]>[0];
export type ReadAnswer<N extends ReadName> = Awaited<ReturnType<VenueReads[N]>>;

/** Who reads: `later` behind who does not; `begun_ms`: when it began, see ReadOptions; null: now. */
export interface Asker {
	later: boolean;
	begun_ms: number | null;
}

export type ToThread =
	| TellGate
	/** `shares`: what is kept of the venue is shared with other processes. */
	| { kind: "open"; id: number; venue: string; baseUrl: string | null; shares: boolean }
	| { kind: "read"; id: number; venue: string; name: ReadName; of: unknown; asker: Asker }
	/** `late`: for want of an answer, which speaks against the source; else nobody wants the answer any more. */
	| { kind: "abort"; id: number; late: boolean }
	/** To `share`: fetch it yourself, and tell. */
	| { kind: "fetch"; id: number }
	/** To `share`: the answer's bytes, or what another's fetch failed with. */
	| { kind: "shared"; id: number; answer: { body: Int8Array; age_ms: number } | PlainError };

export type FromThread =
	| AskGate
	| { kind: "answer"; id: number; value: unknown }
	| { kind: "failure"; id: number; error: PlainError }
	| { kind: "share"; id: number; venue: string; name: string; fresh_ms: number; begun_ms: number | null }
	| { kind: "unshare"; id: number }
	/** What came of `fetch`. */
	| { kind: "fetched"; id: number; outcome: Int8Array | PlainError };

const CODES: readonly MarketError["code"][] = ["fetch_failed", "timeout", "bad_symbol", "not_supported"];

/** What has no code of the port failed before any exchange was asked, or is a fault of ours. */
export function portError({ code, message, retryable }: PlainError): Error {
	const known = CODES.find((name) => name === code);
	return known ? new MarketError(known, message, retryable) : new Error(message);
}

/** The same where a request was refused or failed elsewhere: whatever it was, there is no answer. */
export const asMarketError = ({ code, message, retryable }: PlainError): MarketError =>
	new MarketError(code === "timeout" ? "timeout" : "fetch_failed", message, retryable);
