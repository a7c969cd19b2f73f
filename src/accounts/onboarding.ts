import type { Redis } from "ioredis";
import { FREE_STRATEGIES } from "../catalogue.ts";
import { type Clock, isoOf } from "../clock.ts";
import { ApiError } from "../errors.ts";
import { ONBOARD } from "./account-scripts.ts";
import type { AccountStore } from "./account-store.ts";
import type { CreditEntry, CreditLedger } from "./credits.ts";
import { accountKey, creditsKey, isUserId, referralsDueKey } from "./keys.ts";
import { defineScript, textList } from "./script.ts";

export const WELCOME_CREDITS = 25;
export const REFERRAL_CREDITS = 25;
export const REFERRER_CREDITS = 75;
export const PREMIUM_CREDITS = 200;

export type WelcomePackage = "standard" | "premium";

export interface OnboardRequest {
	welcome_package: WelcomePackage;
	/** A user id; anything else is an invalid code, not an error. */
	referral_code: string | null;
}

/** The body of the answer without `execution_time_ms` and `already_onboarded`. */
export interface OnboardingAnswer {
	success: true;
	onboarding_id: string;
	user_id: string;
	results: Record<string, unknown>;
	onboarded_at: string;
	next_steps: string[];
}

export interface Onboarding {
	/** All or nothing; a repeat gives the first answer. Throws package_not_allowed, user_not_found. */
	onboard(userId: string, request: OnboardRequest): Promise<{ answer: OnboardingAnswer; already_onboarded: boolean }>;
	/** Books referrers' bonuses that a crash left open. Returns how many. */
	settleReferrals(): Promise<number>;
}

interface Plan {
	userId: string;
	nowMs: number;
	request: OnboardRequest;
	referrerId: string | null;
	hadCredits: boolean;
}

function bonusesOf(plan: Plan): { id: string; amount: number; reason: string }[] {
	const bonuses = [{ id: "welcome", amount: WELCOME_CREDITS, reason: "welcome credits" }];
	if (plan.referrerId) bonuses.push({ id: "referral", amount: REFERRAL_CREDITS, reason: "joined by a referral" });
	if (plan.request.welcome_package === "premium")
		bonuses.push({ id: "premium_welcome", amount: PREMIUM_CREDITS, reason: "premium welcome package" });
	return bonuses;
}

/** Ledger lines of an onboarding, by entry id, as the script stores them. */
export function onboardingEntries(plan: Plan): Record<string, string> {
	const at = isoOf(plan.nowMs);
	const lines = bonusesOf(plan).map(({ id, amount, reason }): [string, string] => {
		const entry: CreditEntry = { entry_id: id, kind: "granted", amount, reason, at };
		return [id, JSON.stringify(id === "referral" ? { ...entry, referrer_id: plan.referrerId } : entry)];
	});
	return Object.fromEntries(lines);
}

function referralBonus(plan: Plan): Record<string, unknown> {
	if (plan.referrerId) return { success: true, code: null, credits_granted: REFERRAL_CREDITS };
	const code = plan.request.referral_code === null ? null : "invalid_referral_code";
	return { success: false, code, credits_granted: 0 };
}

/** The first answer, exactly as every repeat will show it. */
export function onboardingAnswer(plan: Plan): OnboardingAnswer {
	const onboardedAt = isoOf(plan.nowMs);
	const granted = bonusesOf(plan).reduce((sum, bonus) => sum + bonus.amount, 0);
	const premium = plan.request.welcome_package === "premium";
	return {
		success: true,
		onboarding_id: `onboard_${plan.userId}_${Math.floor(plan.nowMs / 1000)}`,
		user_id: plan.userId,
		results: {
			credit_account: {
				success: true,
				action: plan.hadCredits ? "already_initialized" : "created",
				credits_granted: granted,
				account_id: `credits_${plan.userId}`,
			},
			free_strategies: {
				success: true,
				provisioned_strategies: FREE_STRATEGIES.map((entry) => ({
					strategy_id: entry.id,
					name: entry.name,
					description: entry.description,
					category: entry.category,
					cost: 0,
					provisioned_at: onboardedAt,
				})),
				failed_strategies: [],
				total_provisioned: FREE_STRATEGIES.length,
			},
			strategy_portfolio: {
				success: true,
				portfolio_metadata: {
					user_id: plan.userId,
					onboarded_at: onboardedAt,
					free_strategies_count: FREE_STRATEGIES.length,
					tier: "basic",
					last_opportunity_scan: null,
					total_opportunities_discovered: 0,
				},
				cache_initialized: true,
			},
			referral_bonus: referralBonus(plan),
			package: { name: plan.request.welcome_package, bonus_credits: premium ? PREMIUM_CREDITS : 0 },
		},
		onboarded_at: onboardedAt,
		next_steps: [
			"Start a scan with POST /api/v1/opportunities/discover.",
			"Enter your positions with PUT /api/v1/portfolio, so that portfolio strategies have something to look at.",
			"See what each strategy does with GET /api/v1/strategies/available.",
		],
	};
}

export function createOnboarding(
	redis: Redis,
	clock: Clock,
	accounts: AccountStore,
	credits: CreditLedger,
): Onboarding {
	const run = defineScript(redis, "accountOnboard", 2, ONBOARD);

	/** Pays whom the new user's own ledger names, once; true when there was a debt. */
	const settle = async (newUserId: string): Promise<boolean> => {
		const line = await redis.hget(creditsKey(newUserId), "referral");
		if (!line) return false;
		const { referrer_id } = JSON.parse(line) as { referrer_id: string };
		const entry_id = `referral_of:${newUserId}`;
		const owed = await accounts.byId(referrer_id);
		// A referrer who was deleted meanwhile gets no ledger back.
		if (owed)
			await credits.book(referrer_id, {
				entry_id,
				kind: "granted",
				amount: REFERRER_CREDITS,
				reason: "referred a user",
				at: isoOf(clock.now()),
			});
		await redis.srem(referralsDueKey, newUserId);
		return true;
	};

	const referrerOf = async (userId: string, code: string | null): Promise<string | null> => {
		const named = code?.trim().toLowerCase() ?? "";
		if (!isUserId(named) || named === userId) return null;
		return (await accounts.byId(named)) ? named : null;
	};

	return {
		async onboard(userId, request) {
			const referrerId = await referrerOf(userId, request.referral_code);
			const hadCredits = (await credits.summary(userId)).has_account;
			const plan: Plan = { userId, nowMs: clock.now(), request, referrerId, hadCredits };
			// The referrer's ledger lies in another slot: the debt is noted first, so that no crash can lose it.
			if (referrerId) await redis.sadd(referralsDueKey, userId);
			const entries = JSON.stringify(onboardingEntries(plan));
			const free = JSON.stringify(FREE_STRATEGIES.map((entry) => entry.id));
			const premium = request.welcome_package === "premium" ? "1" : "0";
			const args = [isoOf(plan.nowMs), JSON.stringify(onboardingAnswer(plan)), entries, free, premium];
			const [kind, answer] = textList(await run([accountKey(userId), creditsKey(userId)], args));
			if (referrerId) await settle(userId);
			if (kind === "unknown") throw new ApiError("user_not_found");
			if (kind === "not_allowed") throw new ApiError("package_not_allowed");
			return { answer: JSON.parse(answer ?? "{}") as OnboardingAnswer, already_onboarded: kind === "existing" };
		},
		async settleReferrals() {
			let settled = 0;
			for (const newUserId of await redis.smembers(referralsDueKey)) {
				if (await settle(newUserId)) settled += 1;
			}
			return settled;
		},
	};
}

/** An account that is onboarded by its creation (open registration): the same answer and ledger lines. */
export function onboardedAtCreation(
	userId: string,
	nowMs: number,
): { answer: string; onboarded_at: string; entries: Record<string, string> } {
	const request: OnboardRequest = { welcome_package: "standard", referral_code: null };
	const plan: Plan = { userId, nowMs, request, referrerId: null, hadCredits: false };
	return {
		answer: JSON.stringify(onboardingAnswer(plan)),
		onboarded_at: isoOf(nowMs),
		entries: onboardingEntries(plan),
	};
}
