/** What passes between the program and its thread of exchanges. */
import type { SourceCall, SourceOutcome } from "../gate.ts";
import type { VenueReads } from "./venue.ts";

export type ReadName = keyof VenueReads;
export type ReadOf<N extends ReadName> = Parameters<VenueReads[N]>[0];
export type ReadAnswer<N extends ReadName> = Awaited<ReturnType<VenueReads[N]>>;

/** An error by its facts: a class does not survive the way between threads. */
export interface PlainError {
	code: string | null;
	message: string;
	retryable: boolean;
}

export type ToThread =
	| { kind: "open"; id: number; venue: string; baseUrl: string | null }
	| { kind: "read"; id: number; venue: string; name: ReadName; of: unknown }
	/** `late`: for want of an answer, which speaks against the source; else nobody wants the answer any more. */
	| { kind: "abort"; id: number; late: boolean }
	/** The gate's answer to `take`. */
	| { kind: "taken"; id: number; error: PlainError | null };

export type FromThread =
	| { kind: "answer"; id: number; value: unknown }
	| { kind: "failure"; id: number; error: PlainError }
	| { kind: "take"; id: number; call: Omit<SourceCall, "signal"> }
	| { kind: "untake"; id: number }
	| { kind: "report"; call: Pick<SourceCall, "source" | "endpoint">; outcome: SourceOutcome };

export function plainError(error: unknown): PlainError {
	const { code, message, retryable } = (typeof error === "object" && error !== null ? error : {}) as Record<
		string,
		unknown
	>;
	return {
		code: typeof code === "string" ? code : null,
		message: typeof message === "string" ? message : String(error),
		retryable: retryable === true,
	};
}
