import { isIP } from "node:net";
import type { Context } from "koa";
import type { Gatekeeper, RateDecision, RateWindow } from "../accounts/admission.ts";
import { ApiError } from "../errors.ts";
import type { ApiConfig, ApiMeter } from "./deps.ts";
import type { RateRule } from "./route.ts";
import { stateOf } from "./state.ts";

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

export function createAdmit(gatekeeper: Gatekeeper, config: ApiConfig["rate"], meter: ApiMeter | undefined): Admit {
	const windows = rateWindows(config);

	function apply(ctx: Context, rule: RateRule, rate: RateDecision): void {
		ctx.set("X-RateLimit-Limit", String(rate.limit));
		ctx.set("X-RateLimit-Remaining", String(rate.remaining));
		ctx.set("X-RateLimit-Reset", String(rate.reset_seconds));
		if (rate.allowed) return;
		meter?.limiterRefused(rule);
		const seconds = Math.max(1, rate.reset_seconds);
		throw new ApiError("rate_limited", undefined, { retry_after_seconds: seconds });
	}

	return async (ctx, rule, allowRevoked = false) => {
		const window = rule === "none" ? null : windows[rule];
		const state = stateOf(ctx);
		if (!state.claims) {
			if (window) apply(ctx, rule, await gatekeeper.admitAddress(addressOf(ctx), window));
			return;
		}
		const admission = await gatekeeper.admitUser(state.claims.sub, state.claims.sid, window);
		if (admission.kind === "revoked") {
			if (allowRevoked) return;
			throw new ApiError("token_revoked");
		}
		state.viewer = { user_id: state.claims.sub, role: admission.role };
		if (admission.rate) apply(ctx, rule, admission.rate);
	};
}
