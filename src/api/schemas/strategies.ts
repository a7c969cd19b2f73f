import { z } from "zod";
import { roleSchema, timestampSchema } from "./common.ts";

/** A strategy a user owns. Performance is null until something measures it. */
export const ownedStrategySchema = z.strictObject({
	strategy_id: z.string(),
	name: z.string(),
	category: z.string(),
	is_ai_strategy: z.boolean(),
	publisher_name: z.string(),
	is_active: z.boolean(),
	subscription_type: z.string(),
	activated_at: timestampSchema.nullable(),
	expires_at: timestampSchema.nullable(),
	credit_cost_monthly: z.number().int(),
	credit_cost_per_execution: z.number().int(),
	risk_level: z.string(),
	allocation_percentage: z.number().nullable(),
	max_position_size: z.number().nullable(),
	stop_loss_percentage: z.number().nullable(),
	total_trades: z.number().int(),
	winning_trades: z.number().int(),
	win_rate: z.number().nullable(),
	total_pnl_usd: z.number().nullable(),
	best_trade_pnl: z.number().nullable(),
	worst_trade_pnl: z.number().nullable(),
	current_drawdown: z.number().nullable(),
	max_drawdown: z.number().nullable(),
	sharpe_ratio: z.number().nullable(),
	last_7_days_pnl: z.number().nullable(),
	last_30_days_pnl: z.number().nullable(),
	recent_trades: z.array(z.unknown()),
});
export type OwnedStrategyView = z.infer<typeof ownedStrategySchema>;

const summarySchema = z.strictObject({
	total_strategies: z.number().int(),
	active_strategies: z.number().int(),
	total_monthly_cost: z.number().int(),
});

export const myPortfolioReply = z.strictObject({
	success: z.literal(true),
	active_strategies: z.array(ownedStrategySchema),
	strategies: z.array(ownedStrategySchema),
	total_strategies: z.number().int(),
	total_monthly_cost: z.number().int(),
	summary: summarySchema,
});

export const unifiedPortfolioReply = z.strictObject({
	success: z.literal(true),
	user_id: z.string(),
	user_role: roleSchema,
	strategies: z.array(ownedStrategySchema),
	active_strategies: z.array(ownedStrategySchema),
	all_strategies: z.array(ownedStrategySchema),
	total_strategies: z.number().int(),
	summary: summarySchema,
	metadata: z.strictObject({ user_tier: z.string(), strategy_fingerprint: z.string() }),
	generated_at: timestampSchema,
	data_source: z.string(),
});

export const adminPortfolioStatusReply = z.strictObject({
	success: z.literal(true),
	user_id: z.string(),
	user_email: z.string(),
	current_strategies: z.number().int(),
	total_available_strategies: z.number().int(),
	available_strategies: z.number().int(),
	active_strategies: z.number().int(),
	has_full_access: z.boolean(),
	portfolio_status: z.enum(["complete", "partial", "empty"]),
	portfolio_error: z.string().nullable(),
});

export const availableStrategiesReply = z.strictObject({
	success: z.literal(true),
	available_strategies: z.record(
		z.string(),
		z.strictObject({
			name: z.string(),
			category: z.string(),
			description: z.string(),
			risk_level: z.string(),
			min_capital: z.number().nullable(),
			parameters: z.record(z.string(), z.unknown()),
			strategy_id: z.string(),
			opportunity_types: z.array(z.string()),
			credit_cost_monthly: z.number().int(),
			free: z.boolean(),
		}),
	),
	total_count: z.literal(14),
	categories: z.array(z.string()),
});
