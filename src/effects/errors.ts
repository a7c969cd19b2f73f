import type { Failure } from "../../machines/types.ts";
import type { MarketError } from "../market/contract.ts";

/** Thrown by an effect; code, message and retryable become the stored Failure as they are. */
export class EffectError extends Error {
	readonly code: string;
	readonly retryable: boolean;
	constructor(code: string, message: string, retryable: boolean) {
		super(message);
		this.name = "EffectError";
		this.code = code;
		this.retryable = retryable;
	}
}

const MESSAGE_LENGTH_MAX = 200;
const SECRETS: readonly [pattern: RegExp, instead: string][] = [
	[/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, "[address]"],
	[/(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?/g, "[address]"],
	[/\[?[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}\]?(?::\d+)?/gi, "[address]"],
	[/\b(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?\b/gi, "[address]"],
	[/\b[a-z][a-z0-9-]*:\d{2,5}\b/gi, "[address]"],
	[/(?:\.{0,2}\/|[a-z]:\\)[^\s'"]*[/\\][^\s'"]*/gi, "[path]"],
];

/** First line only, no addresses, hosts or paths, at most 200 characters: fit to be stored and shown. */
export function scrubMessage(message: string): string {
	let text = message.split(/\r?\n/, 1)[0]?.trim() ?? "";
	for (const [pattern, instead] of SECRETS) text = text.replace(pattern, instead);
	return text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX - 3)}...` : text;
}

/**
 * Anything thrown -> a Failure that may be stored. Errors that crossed a thread have lost their
 * class, so code and retryable are read as members. What says nothing of itself gets `fallbackCode`
 * and is not retried: running the same input through the same code again gives the same end.
 */
export function failureOf(error: unknown, fallbackCode: string): Failure {
	const { code, message, retryable } = (typeof error === "object" && error !== null ? error : {}) as Record<
		string,
		unknown
	>;
	const word = typeof code === "string" && /^[a-z][a-z0-9_]{0,63}$/.test(code) ? code : fallbackCode;
	const text = scrubMessage(typeof message === "string" ? message : String(error));
	return { code: word, message: text === "" ? word : text, retryable: retryable === true };
}

/** Codes of a source that answered: it has no such data. Not a failure, only an absence. */
export function isAbsence(error: unknown): boolean {
	const code = (error as Partial<MarketError> | null)?.code;
	return code === "bad_symbol" || code === "not_supported";
}
