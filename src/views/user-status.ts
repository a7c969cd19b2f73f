import { STANDARD_STRATEGIES } from "../catalogue.ts";
import { isoOf } from "../clock.ts";
import type { Account } from "../services.ts";
import type { ScanRecord } from "../store/contract.ts";
import { totalOpportunities } from "./status.ts";
import { statusOf } from "./words.ts";

/** What a credit account has earned in total; null: the user has no credit account. */
export type EarnedCredits = number | null;

const nextAction = (onboarded: boolean, last: ScanRecord | null): string => {
	if (!onboarded) return "onboard";
	if (!last) return "discover";
	return last.terminal ? (last.position === "completed" ? "view_results" : "discover") : "wait_for_scan";
};

/** Body of user-status: one shape for every kind of user. */
export function userStatusView(
	account: Account,
	earned: EarnedCredits,
	last: ScanRecord | null,
	nowMs: number,
): object {
	const fullAdmin = account.role === "admin" && account.strategy_ids.length >= STANDARD_STRATEGIES.length;
	const onboarded = account.onboarded_at !== null || fullAdmin;
	const acceptedAtMs = last?.context.input.accepted_at_ms ?? 0;
	return {
		success: true,
		user_id: account.user_id,
		onboarding_status: {
			onboarded,
			onboarded_at: account.onboarded_at,
			has_credit_account: earned !== null,
			total_earned_credits: earned ?? 0,
			active_strategies: account.strategy_ids.length,
			needs_onboarding: !onboarded,
		},
		last_scan_info: last
			? {
					scan_id: last.scan_id,
					status: statusOf(last.position),
					last_scan: isoOf(acceptedAtMs),
					time_since_last_scan: Math.max(0, Math.floor((nowMs - acceptedAtMs) / 1000)),
				}
			: null,
		discovery_available: onboarded,
		recommendations: {
			next_action: nextAction(onboarded, last),
			// Only a measured figure: what the newest complete scan showed.
			estimated_opportunities: last && last.position === "completed" ? totalOpportunities(last) : null,
		},
	};
}
