import type { Gate } from "./contract.ts";
import { FUTURES, SPOT_BREAKOUT, SPOT_MEAN_REVERSION, SPOT_MOMENTUM, VOLATILITY } from "./directional.ts";
import { MARKET_MAKING, SCALPING } from "./micro.ts";
import { COMPLEX, OPTIONS } from "./options.ts";
import { ALLOCATION, HEDGING, RISK } from "./portfolio.ts";
import { FUNDING, PAIRS, STATISTICAL } from "./relative.ts";

export type { Gate } from "./contract.ts";

/**
 * What each strategy asks of a candidate, in the order of asking: every reason it may give stands here, and
 * every threshold it states. Tests hold evaluations to it, and the documentation's tables are made of it.
 */
const GATES: Readonly<Record<string, readonly Gate[]>> = {
	ai_spot_momentum_strategy: SPOT_MOMENTUM,
	ai_spot_mean_reversion: SPOT_MEAN_REVERSION,
	ai_spot_breakout_strategy: SPOT_BREAKOUT,
	ai_pairs_trading: PAIRS,
	ai_statistical_arbitrage: STATISTICAL,
	ai_market_making: MARKET_MAKING,
	ai_scalping_strategy: SCALPING,
	ai_complex_strategy: COMPLEX,
	ai_futures_trade: FUTURES,
	ai_options_trade: OPTIONS,
	ai_funding_arbitrage: FUNDING,
	ai_risk_management: RISK,
	ai_portfolio_optimization: ALLOCATION,
	ai_hedge_position: HEDGING,
	ai_volatility_trading: VOLATILITY,
};

/** Throws RangeError for a strategy that declares none. */
export function gatesOf(id: string): readonly Gate[] {
	const gates = GATES[id];
	if (!gates) throw new RangeError(`strategy '${id}' declares no gates`);
	return gates;
}
