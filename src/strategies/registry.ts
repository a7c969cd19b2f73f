import { complexStrategy } from "./complex-strategy.ts";
import type { Strategy } from "./contract.ts";
import { fundingArbitrage } from "./funding-arbitrage.ts";
import { futuresTrade } from "./futures-trade.ts";
import { hedgePosition } from "./hedge-position.ts";
import { marketMaking } from "./market-making.ts";
import { optionsTrade } from "./options-trade.ts";
import { pairsTrading } from "./pairs-trading.ts";
import { portfolioOptimization } from "./portfolio-optimization.ts";
import { riskManagement } from "./risk-management.ts";
import { scalping } from "./scalping-strategy.ts";
import { spotBreakout } from "./spot-breakout.ts";
import { spotMeanReversion } from "./spot-mean-reversion.ts";
import { spotMomentum } from "./spot-momentum.ts";
import { statisticalArbitrage } from "./statistical-arbitrage.ts";
import { volatilityTrading } from "./volatility-trading.ts";

/** The strategies of this build. What the catalogue names beyond them is `not_available`. */
const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(
	[
		spotMomentum,
		spotMeanReversion,
		spotBreakout,
		pairsTrading,
		statisticalArbitrage,
		marketMaking,
		scalping,
		complexStrategy,
		futuresTrade,
		optionsTrade,
		fundingArbitrage,
		riskManagement,
		portfolioOptimization,
		hedgePosition,
		volatilityTrading,
	].map((strategy) => [strategy.id, strategy]),
);

/** undefined: this build lacks the strategy (verdict skipped, not_available). */
export const findBuiltStrategy = (id: string): Strategy | undefined => STRATEGIES.get(id);

/** Ids of the built strategies. */
export const builtStrategyIds = (): string[] => [...STRATEGIES.keys()];

export { gatesOf } from "./gates/index.ts";
