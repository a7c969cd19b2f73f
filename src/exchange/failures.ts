import { classesOf } from "../market/error-classes.ts";
import { type AccountErrorCode, ExchangeAccountError } from "./contract.ts";

/** ccxt's error classes, narrowest first; a name may stand for many classes below it. */
const BY_CLASS: readonly [name: string, code: AccountErrorCode][] = [
	["ExchangeLoadError", "unknown_exchange"],
	["InvalidNonce", "clock_skew"],
	["PermissionDenied", "permission_denied"],
	["AccountNotEnabled", "permission_denied"],
	["AuthenticationError", "authentication_failed"],
	["RateLimitExceeded", "rate_limited"],
	["DDoSProtection", "rate_limited"],
	["RequestTimeout", "timeout"],
	["NotSupported", "not_supported"],
	["BadResponse", "bad_response"],
	["NullResponse", "bad_response"],
	["OperationFailed", "exchange_unavailable"],
	["NetworkError", "exchange_unavailable"],
	["ExchangeError", "exchange_error"],
];

/** One word for whatever ccxt threw; its text is dropped, because it repeats the request. */
export function accountErrorCode(error: unknown): AccountErrorCode {
	if (error instanceof ExchangeAccountError) return error.code;
	const { name } = (typeof error === "object" && error !== null ? error : {}) as { name?: unknown };
	if (name === "TimeoutError" || name === "AbortError") return "timeout";
	const classes = classesOf(error);
	return BY_CLASS.find(([className]) => classes.has(className))?.[1] ?? "exchange_error";
}
