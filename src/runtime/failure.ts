import type { Failure } from "../../machines/types.ts";
import { isStoreFailure } from "../store-failure.ts";

const MESSAGE_MAX = 300;

/** An error that says of itself what may be shown. */
interface Disclosed {
	code: string;
	message: string;
	retryable?: boolean;
	disclosed?: boolean;
}

const DISCLOSED_NAMES: ReadonlySet<string> = new Set(["MarketError", "EffectError"]);

/**
 * What may be stored and shown of an error: our own errors speak for themselves, everything else is
 * named by its class only, because a dependency's text may hold hosts, keys or queries (the log has it).
 * A store that is away for a moment is worth another try.
 */
export function toFailure(error: unknown): Failure {
	if (
		error instanceof Error &&
		(DISCLOSED_NAMES.has(error.name) || (error as unknown as Disclosed).disclosed === true)
	) {
		const { code, message, retryable = false } = error as unknown as Disclosed;
		return {
			code: typeof code === "string" ? code : "internal_error",
			message: message.slice(0, MESSAGE_MAX),
			retryable,
		};
	}
	if (isStoreFailure(error)) return { code: "store_unavailable", message: "The store did not answer", retryable: true };
	const name = error instanceof Error ? error.name : typeof error;
	return { code: "internal_error", message: `Unexpected ${name}`, retryable: false };
}
