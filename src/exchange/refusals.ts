import { ApiError, validationFailed } from "../errors.ts";
import type { Look } from "./look.ts";

/**
 * Why a key that was tried out is not kept, as its owner is told; null: it is. What the exchange could not be asked is no
 * reason: the account is kept as a failing one, of which nothing counts until the exchange has said what the key may do.
 * @param replaces another key, which one that is not accepted must not push out
 */
export function refusalOf({ state, unsaid }: Look, replaces: boolean): ApiError | null {
	if (state.last_error === "account_key_too_powerful") {
		const detail = "The exchange key may trade, withdraw or transfer; make one that can only read";
		return new ApiError("account_key_too_powerful", detail);
	}
	if (!replaces) return null;
	if (unsaid === "authentication_failed" || state.last_error === "authentication_failed")
		return validationFailed([{ path: "body.api_key", message: "is not accepted by the exchange" }]);
	return null;
}
