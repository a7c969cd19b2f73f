import type { StoredAccount } from "../../accounts/account-store.ts";
import { monthlyCost, ownedStrategies, profileOf } from "../../accounts/profile.ts";
import { type CatalogueEntry, STANDARD_STRATEGIES, strategyKey } from "../../catalogue.ts";
import { isoOf } from "../../clock.ts";
import { ApiError } from "../../errors.ts";
import type { ApiDeps } from "../deps.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	adminPortfolioStatusReply,
	availableStrategiesReply,
	myPortfolioReply,
	type OwnedStrategyView,
	unifiedPortfolioReply,
} from "../schemas/strategies.ts";

const PUBLISHER = "Lookout";

/** What nobody has measured: null, counts 0, lists empty. */
const UNMEASURED = {
	allocation_percentage: null,
	max_position_size: null,
	stop_loss_percentage: null,
	total_trades: 0,
	winning_trades: 0,
	win_rate: null,
	total_pnl_usd: null,
	best_trade_pnl: null,
	worst_trade_pnl: null,
	current_drawdown: null,
	max_drawdown: null,
	sharpe_ratio: null,
	last_7_days_pnl: null,
	last_30_days_pnl: null,
	recent_trades: [],
};

function ownedView(entry: CatalogueEntry, account: StoredAccount): OwnedStrategyView {
	return {
		strategy_id: entry.id,
		name: entry.name,
		category: entry.category,
		is_ai_strategy: true,
		publisher_name: PUBLISHER,
		is_active: true,
		subscription_type: entry.free ? "free" : "monthly",
		activated_at: account.strategies_activated_at[entry.id] ?? null,
		expires_at: null,
		credit_cost_monthly: entry.credits_monthly,
		credit_cost_per_execution: 0,
		risk_level: entry.risk_level,
		...UNMEASURED,
	};
}

function owned(account: StoredAccount) {
	const entries = ownedStrategies(account.strategy_ids);
	const total_strategies = entries.length;
	const total_monthly_cost = monthlyCost(entries);
	return {
		views: entries.map((entry) => ownedView(entry, account)),
		total_strategies,
		total_monthly_cost,
		summary: { total_strategies, active_strategies: total_strategies, total_monthly_cost },
	};
}

function availableStrategies() {
	const pairs = STANDARD_STRATEGIES.map((entry) => {
		const {
			name,
			category,
			description,
			risk_level,
			id: strategy_id,
			types,
			credits_monthly: credit_cost_monthly,
			free,
		} = entry;
		const parameters = { max_symbols: entry.symbols_max, chunk_size: entry.chunk_size, priority: entry.priority };
		const view = {
			name,
			category,
			description,
			risk_level,
			min_capital: null,
			parameters,
			strategy_id,
			opportunity_types: types,
			credit_cost_monthly,
			free,
		};
		return [strategyKey(entry), view] as const;
	});
	return {
		success: true,
		available_strategies: Object.fromEntries(pairs),
		total_count: STANDARD_STRATEGIES.length,
		categories: [...new Set(STANDARD_STRATEGIES.map((entry) => entry.category))],
	};
}

function adminStatus(account: StoredAccount) {
	const current = account.strategy_ids.length;
	const missing = STANDARD_STRATEGIES.filter((entry) => !account.strategy_ids.includes(entry.id)).length;
	return {
		success: true,
		user_id: account.user_id,
		user_email: account.email,
		current_strategies: current,
		total_available_strategies: STANDARD_STRATEGIES.length,
		available_strategies: STANDARD_STRATEGIES.length,
		active_strategies: current,
		has_full_access: missing === 0,
		portfolio_status: current === 0 ? "empty" : missing === 0 ? "complete" : "partial",
		portfolio_error: null,
	};
}

/** What users own and what there is. */
export function strategyRoutes({ users, clock }: ApiDeps): RouteSpec[] {
	const available = availableStrategies();
	const accountOf = async (userId: string): Promise<StoredAccount> => {
		const account = await users.accounts.byId(userId);
		if (!account) throw new ApiError("token_revoked");
		return account;
	};
	return [
		route({
			method: "get",
			path: "/strategies/my-portfolio",
			operation_id: "my_strategies",
			summary: "The own strategies",
			tag: "strategies",
			rate: "other",
			responses: { 200: { description: "Owned strategies with their price", schema: myPortfolioReply } },
			async handler({ viewer }) {
				const { views, total_strategies, total_monthly_cost, summary } = owned(await accountOf(viewer.user_id));
				const body = {
					success: true,
					active_strategies: views,
					strategies: views,
					total_strategies,
					total_monthly_cost,
					summary,
				};
				return { status: 200, body };
			},
		}),
		route({
			method: "get",
			path: "/unified-strategies/portfolio",
			operation_id: "unified_portfolio",
			summary: "The own strategies in the unified form",
			tag: "strategies",
			rate: "other",
			responses: { 200: { description: "Owned strategies with role and tier", schema: unifiedPortfolioReply } },
			async handler({ viewer }) {
				const account = await accountOf(viewer.user_id);
				const { views, total_strategies, summary } = owned(account);
				const { user_tier, strategy_fingerprint } = profileOf(account, 0);
				const lists = { strategies: views, active_strategies: views, all_strategies: views };
				const facts = {
					summary,
					metadata: { user_tier, strategy_fingerprint },
					generated_at: isoOf(clock.now()),
					data_source: "account",
				};
				return {
					status: 200,
					body: {
						success: true,
						user_id: account.user_id,
						user_role: account.role,
						...lists,
						total_strategies,
						...facts,
					},
				};
			},
		}),
		route({
			method: "get",
			path: "/strategies/available",
			operation_id: "available_strategies",
			summary: "The catalogue of strategies",
			tag: "strategies",
			rate: "other",
			responses: { 200: { description: "By strategy key", schema: availableStrategiesReply } },
			handler: async () => ({ status: 200, body: available }),
		}),
		route({
			method: "get",
			path: "/admin-strategy-access/admin-portfolio-status",
			operation_id: "admin_portfolio_status",
			summary: "How many of the strategies the administrator owns",
			tag: "admin",
			roles: ["admin"],
			rate: "other",
			responses: { 200: { description: "Counts", schema: adminPortfolioStatusReply } },
			handler: async ({ viewer }) => ({ status: 200, body: adminStatus(await accountOf(viewer.user_id)) }),
		}),
	];
}
