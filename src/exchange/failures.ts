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

function classesOf(error: unknown): string[] {
	const names: string[] = [];
	for (let at: unknown = error; typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
		const { name } = (at as { constructor?: { name?: string } }).constructor ?? {};
		if (name !== undefined) names.push(name);
	}
	return names;
}

/** One word for whatever ccxt threw; its text is dropped, because it repeats the request. */
export function accountErrorCode(error: unknown): AccountErrorCode {
	if (error instanceof ExchangeAccountError) return error.code;
	const { name } = (typeof error === "object" && error !== null ? error : {}) as { name?: unknown };
	if (name === "TimeoutError" || name === "AbortError") return "timeout";
	const classes = classesOf(error);
	return BY_CLASS.find(([className]) => classes.includes(className))?.[1] ?? "exchange_error";
}
