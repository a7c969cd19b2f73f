import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { PortfolioSnapshot } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import { CALM_PORTFOLIO, closeScenes, HEAVY_PORTFOLIO, requestOn, scene } from "../support/evaluate-on.ts";

/** A simulated market, a day and a portfolio. */
type Place = [seed: number, day: string, portfolio?: PortfolioSnapshot];

/** No strategy can be silent for ever, and none always finds something: one place for each. */
export const PUBLISHES: Record<string, { publishes: Place; silent: Place }> = {
	ai_spot_momentum_strategy: { publishes: [1, "2025-06-02"], silent: [3, "2026-02-11"] },
	ai_spot_mean_reversion: { publishes: [3, "2025-06-02"], silent: [1, "2025-06-02"] },
	ai_spot_breakout_strategy: { publishes: [2, "2026-02-11"], silent: [1, "2025-06-02"] },
	ai_funding_arbitrage: { publishes: [1, "2025-11-10"], silent: [1, "2025-06-02"] },
	ai_pairs_trading: { publishes: [4, "2026-06-01"], silent: [1, "2025-06-02"] },
	ai_statistical_arbitrage: { publishes: [26, "2026-02-11"], silent: [3, "2026-02-11"] },
	ai_portfolio_optimization: { publishes: [1, "2025-06-02"], silent: [1, "2025-06-02", CALM_PORTFOLIO] },
	ai_hedge_position: { publishes: [1, "2025-06-02"], silent: [1, "2025-06-02", CALM_PORTFOLIO] },
	ai_futures_trade: { publishes: [2, "2025-11-10"], silent: [3, "2026-02-11"] },
	ai_volatility_trading: { publishes: [45, "2025-06-02"], silent: [1, "2025-06-02"] },
	ai_risk_management: { publishes: [1, "2025-06-02"], silent: [1, "2025-06-02", CALM_PORTFOLIO] },
};

const table = suite("a place where each strategy publishes, and one where it does not");
table.after(closeScenes);

/** Shown in tables of their own, with the chains and tapes they need (fires-options, market-making, scalping). */
const ELSEWHERE = ["ai_complex_strategy", "ai_options_trade", "ai_market_making", "ai_scalping_strategy"];

table("every registered strategy stands in a table", () => {
	assert.equal([...Object.keys(PUBLISHES), ...ELSEWHERE].sort(), builtStrategyIds().sort());
});

const publishedAt = async (id: string, [seed, day, portfolio = HEAVY_PORTFOLIO]: Place): Promise<number> => {
	const there = await scene(`simulated:${seed}`, `${day}T00:00:00.000Z`);
	return evaluate(await requestOn(id, there, portfolio, 30)).published.length;
};

for (const [id, { publishes, silent }] of Object.entries(PUBLISHES)) {
	table(`${id} publishes on simulated:${publishes[0]} at ${publishes[1]}`, async () => {
		assert.ok((await publishedAt(id, publishes)) > 0);
	});
	table(`${id} is silent on simulated:${silent[0]} at ${silent[1]}`, async () => {
		assert.is(await publishedAt(id, silent), 0);
	});
}

table.run();
