import type { Strategy } from "./contract.ts";
import { fundingArbitrage } from "./funding-arbitrage.ts";
import { futuresTrade } from "./futures-trade.ts";
import { riskManagement } from "./risk-management.ts";
import { spotBreakout } from "./spot-breakout.ts";
import { spotMeanReversion } from "./spot-mean-reversion.ts";
import { spotMomentum } from "./spot-momentum.ts";
import { volatilityTrading } from "./volatility-trading.ts";

/** The strategies of this build. What the catalogue names beyond them is `not_available`. */
const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(
	[
		spotMomentum,
		spotMeanReversion,
		spotBreakout,
		fundingArbitrage,
		futuresTrade,
		riskManagement,
		volatilityTrading,
	].map((strategy) => [strategy.id, strategy]),
);

/** undefined: this build lacks the strategy (verdict skipped, not_available). */
export const findBuiltStrategy = (id: string): Strategy | undefined => STRATEGIES.get(id);

/** Ids of the built strategies. */
export const builtStrategyIds = (): string[] => [...STRATEGIES.keys()];
