import { ApiError, validationFailed } from "../errors.ts";
import type { Look } from "./look.ts";

/** Why a key that was tried out is not kept, as its owner is told; null: it is. */
export function refusalOf({ state, unsaid }: Look, nowMs: number): ApiError | null {
	if (state.last_error === "account_key_too_powerful") {
		const detail = "The exchange key may trade, withdraw or transfer; make one that can only read";
		return new ApiError("account_key_too_powerful", detail);
	}
	if (unsaid === "authentication_failed" || state.last_error === "authentication_failed")
		return ofKey("is not accepted by the exchange");
	if (unsaid === "permission_denied") return ofKey("may not ask the exchange what it may do itself");
	if (unsaid === null) return null;
	const seconds = Math.ceil(((state.retry_at_ms ?? 0) - nowMs) / 1000);
	return new ApiError("exchange_unavailable", undefined, seconds > 0 ? { retry_after_seconds: seconds } : {});
}

const ofKey = (message: string): ApiError => validationFailed([{ path: "body.api_key", message }]);
