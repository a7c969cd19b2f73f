import { isIP } from "node:net";
import type { Context } from "koa";
import type { Admission, Gatekeeper, RateDecision, RateWindow } from "../accounts/admission.ts";
import type { AccessClaims } from "../accounts/tokens.ts";
import { ApiError } from "../errors.ts";
import type { ApiConfig, ApiMeter } from "./deps.ts";
import type { RateRule } from "./route.ts";
import { preludeOf, stateOf } from "./state.ts";

/** The sliding windows in which requests are counted. */
export function rateWindows(config: ApiConfig["rate"]): Record<Exclude<RateRule, "none">, RateWindow> {
	return {
		discover: { name: "discover", max: config.discoverMax, window_ms: 60_000 },
		onboard: { name: "onboard", max: config.onboardMax, window_ms: 3_600_000 },
		other: { name: "other", max: config.otherMax, window_ms: 60_000 },
	};
}

/** The client's address; a forwarded one only behind a trusted proxy, and only if it is one. */
export function addressOf(ctx: Context): string {
	return isIP(ctx.ip) !== 0 ? ctx.ip : (ctx.req.socket.remoteAddress ?? "unknown");
}

/** Decides whether the call goes on. Throws token_revoked, rate_limited; a store failure passes through as itself. */
export type Admit = (ctx: Context, rule: RateRule, allowRevoked?: boolean) => Promise<void>;

/** What a counted call is told about its window: name, value, name, value. */
export const rateHeaders = (rate: RateDecision) =>
	[
		"X-RateLimit-Limit",
		String(rate.limit),
		"X-RateLimit-Remaining",
		String(rate.remaining),
		"X-RateLimit-Reset",
		String(rate.reset_seconds),
	] as const;

/** Asks the store whether a signed-in caller may go on, and counts the call. */
export type AdmitUser = (claims: AccessClaims, rule: RateRule) => Promise<Admission>;

export function createAdmitUser(gatekeeper: Gatekeeper, config: ApiConfig["rate"]): AdmitUser {
	const windows = rateWindows(config);
	return ({ sub, sid }, rule) => gatekeeper.admitUser(sub, sid, rule === "none" ? null : windows[rule]);
}

export function createAdmit(
	gatekeeper: Gatekeeper,
	admitUser: AdmitUser,
	config: ApiConfig["rate"],
	meter: ApiMeter | undefined,
): Admit {
	const windows = rateWindows(config);

	function apply(ctx: Context, rule: RateRule, rate: RateDecision): void {
		const headers = rateHeaders(rate);
		for (let i = 0; i < headers.length; i += 2) ctx.set(headers[i] as string, headers[i + 1] as string);
		if (rate.allowed) return;
		meter?.limiterRefused(rule);
		const seconds = Math.max(1, rate.reset_seconds);
		throw new ApiError("rate_limited", undefined, { retry_after_seconds: seconds });
	}

	return async (ctx, rule, allowRevoked = false) => {
		const state = stateOf(ctx);
		if (!state.claims) {
			if (rule !== "none") apply(ctx, rule, await gatekeeper.admitAddress(addressOf(ctx), windows[rule]));
			return;
		}
		const prelude = preludeOf(ctx);
		const admission = await (prelude?.admission ?? admitUser(state.claims, rule));
		if (admission.kind === "revoked") {
			if (allowRevoked) return;
			throw new ApiError("token_revoked");
		}
		state.viewer = { user_id: state.claims.sub, role: admission.role };
		if (admission.rate) apply(ctx, rule, admission.rate);
		if (prelude?.failure !== undefined) throw prelude.failure;
	};
}
