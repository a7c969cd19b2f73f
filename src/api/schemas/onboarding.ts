import { z } from "zod";
import { timestampSchema } from "./common.ts";

export const onboardQuery = z.object({
	referral_code: z.string().max(200).optional(),
	welcome_package: z.enum(["standard", "premium"]).default("standard"),
});

const freeStrategy = z.strictObject({
	strategy_id: z.string(),
	name: z.string(),
	description: z.string(),
	category: z.string(),
	cost: z.literal(0),
	provisioned_at: timestampSchema,
});

export const onboardReply = z.strictObject({
	success: z.literal(true),
	onboarding_id: z.string(),
	user_id: z.string(),
	results: z.strictObject({
		credit_account: z.strictObject({
			success: z.literal(true),
			action: z.enum(["created", "already_initialized"]),
			credits_granted: z.number().int(),
			account_id: z.string(),
		}),
		free_strategies: z.strictObject({
			success: z.literal(true),
			provisioned_strategies: z.array(freeStrategy),
			failed_strategies: z.array(z.string()),
			total_provisioned: z.literal(3),
		}),
		strategy_portfolio: z.strictObject({
			success: z.literal(true),
			portfolio_metadata: z.strictObject({
				user_id: z.string(),
				onboarded_at: timestampSchema,
				free_strategies_count: z.literal(3),
				tier: z.string(),
				last_opportunity_scan: timestampSchema.nullable(),
				total_opportunities_discovered: z.number().int(),
			}),
			cache_initialized: z.literal(true),
		}),
		referral_bonus: z.strictObject({
			success: z.boolean(),
			code: z.string().nullable(),
			credits_granted: z.number().int(),
		}),
		package: z.strictObject({ name: z.enum(["standard", "premium"]), bonus_credits: z.number().int() }),
	}),
	execution_time_ms: z.number(),
	onboarded_at: timestampSchema,
	next_steps: z.array(z.string()).length(3),
	already_onboarded: z.boolean(),
});
