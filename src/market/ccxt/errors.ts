import { MarketError } from "../contract.ts";
import { classesOf } from "../error-classes.ts";

/** Longest part of an exchange's own words that is passed on. */
const WORDS_MAX = 160;

/** An answer that is no whole JSON. ccxt takes such a body for a text and would read nothing out of it. */
export class UnreadableAnswer extends Error {
	constructor(bytes: number) {
		super(`an answer of ${bytes} characters is no whole JSON`);
		this.name = "UnreadableAnswer";
	}
}

/** The server has no such path: a proxy or a replay that knows only a part of the exchange. */
export class NotServed extends Error {
	constructor(cause: unknown) {
		super(cause instanceof Error ? cause.message : "no such path", { cause });
		this.name = "NotServed";
	}
}

export type ErrorKind =
	| "bad_symbol"
	| "not_supported"
	| "timeout"
	| "limited"
	| "unreachable"
	| "refused"
	| "unreadable";

/** What an error of ccxt, or one that was thrown while it parsed an answer, says about the source. */
export function kindOf(error: unknown): ErrorKind {
	const classes = classesOf(error);
	const has = (...names: string[]) => names.some((name) => classes.has(name));
	if (has("BadSymbol")) return "bad_symbol";
	if (has("NotSupported")) return "not_supported";
	if (has("RequestTimeout") || (error as Error | null)?.name === "TimeoutError") return "timeout";
	if (has("DDoSProtection", "RateLimitExceeded")) return "limited";
	if (has("NetworkError") || error instanceof NotServed) return "unreachable";
	if (has("ExchangeError")) return "refused";
	return "unreadable";
}

const SAYS: Record<ErrorKind, (venue: string) => string> = {
	bad_symbol: (venue) => `${venue} does not know the symbol`,
	not_supported: (venue) => `${venue} does not offer this`,
	timeout: (venue) => `${venue} did not answer in time`,
	limited: (venue) => `${venue} asks for fewer requests`,
	unreachable: (venue) => `${venue} is not available`,
	refused: (venue) => `${venue} refused the request`,
	unreadable: (venue) => `${venue} sent an answer that cannot be read`,
};

const CODES: Record<ErrorKind, { code: MarketError["code"]; retryable: boolean }> = {
	bad_symbol: { code: "bad_symbol", retryable: false },
	not_supported: { code: "not_supported", retryable: false },
	timeout: { code: "timeout", retryable: true },
	limited: { code: "fetch_failed", retryable: true },
	unreachable: { code: "fetch_failed", retryable: true },
	refused: { code: "fetch_failed", retryable: false },
	unreadable: { code: "fetch_failed", retryable: true },
};

/** The first line, without the page that a server in front of the exchange sends instead of an answer. */
const wordsOf = (message: string): string => (message.split(/\r?\n|</, 1)[0] ?? "").trim().slice(0, WORDS_MAX);

/**
 * The error of the market port for whatever a call of ccxt threw. Whoever aborted the call gets the reason back:
 * ccxt only knows that its request was cut.
 */
export function marketErrorOf(error: unknown, venue: string, signal?: AbortSignal): unknown {
	if (signal?.aborted) return signal.reason;
	if (error instanceof MarketError) return error;
	const kind = kindOf(error);
	const { code, retryable } = CODES[kind];
	const words = error instanceof Error ? wordsOf(error.message) : "";
	return new MarketError(code, `${SAYS[kind](venue)}${words === "" ? "" : ` (${words})`}`, retryable);
}
