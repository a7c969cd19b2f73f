/**
 * What the effects need of their neighbours, as small as they need it; `main` passes the real ones,
 * tests pass a few lines.
 */
import type { AssetTier } from "../catalogue.ts";
import type { Clock } from "../clock.ts";
import type { Asset, MarketData, Universe } from "../market/contract.ts";
import type { HoldingsReader, PortfolioStore } from "../services.ts";
import type { Evaluation, EvaluationRequest, Opportunity, Strategy, StrategyLimits } from "../strategies/contract.ts";

/** Discovers the whole universe of a market, one deadline per source. Throws only when it cannot say anything. */
export type Discover = (
	market: MarketData,
	options: { signal: AbortSignal; asOfMs: number; begunMs?: number; perSourceTimeoutMs: number; clock: Clock },
) => Promise<Universe>;

/** Applies a user's floor and filters; `unmatched` names filter words that select nothing. */
export type SelectAssets = (
	universe: Universe,
	filters: { floorTier: AssetTier; tiers?: readonly string[]; symbols?: readonly string[] },
) => { assets: Asset[]; unmatched: string[] };

/** Universes by the SHA-256 of their canonical JSON. `get` answers null for what it no longer holds. */
export interface UniverseStore {
	put(hash: string, universe: Universe): Promise<void>;
	get(hash: string): Promise<Universe | null>;
}

export type StrategyLookup = (strategyId: string) => Pick<Strategy, "id" | "needs"> | undefined;

/** Evaluates off the event loop. Rejects with the signal's reason when aborted. */
export interface EvaluationPool {
	evaluate(request: EvaluationRequest, signal: AbortSignal): Promise<Evaluation>;
}

/** The output check of strategies; the shape of a zod schema's `safeParse`. */
export interface EvaluationSchema {
	safeParse(
		value: unknown,
	):
		| { success: true }
		| { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

/** Best row first. Negative: `a` stands before `b`. */
export type RowOrder = (a: Opportunity, b: Opportunity) => number;

/** A measured figure about a strategy on this market, with the number of trades behind it. */
export interface MeasuredBenefit {
	mean_net_bps: number;
	n: number;
}
export type MeasureStrategy = (strategyId: string, signal: AbortSignal) => Promise<MeasuredBenefit | null>;

export interface EffectDeps {
	market: MarketData;
	portfolios: Pick<PortfolioStore, "get">;
	/** Absent: no exchange account is read. */
	accounts?: HoldingsReader;
	discover: Discover;
	selectAssets: SelectAssets;
	universes: UniverseStore;
	strategyOf: StrategyLookup;
	pool: EvaluationPool;
	schema: EvaluationSchema;
	compareRows: RowOrder;
	clock: Clock;
	/** Absent: no figure is known, recommendations say "not measured". */
	measure?: MeasureStrategy;
	settings?: Partial<EffectSettings>;
}

/** Times in milliseconds of `clock`. */
export interface EffectSettings {
	/** Longest wait for the tickers that mark a portfolio. */
	portfolio_marks_timeout_ms: number;
	/** Longest wait for the exchange accounts of a portfolio, before it is marked. */
	portfolio_accounts_timeout_ms: number;
	/** One source inside discovery. */
	source_timeout_ms: number;
	/** Part of a strategy's time that is kept for evaluating what has arrived. */
	evaluation_reserve_ms: number;
	/** How often results are handed over while data still arrive. */
	progress_every_ms: number;
	recommendations_timeout_ms: number;
	/** Universes kept in the process. */
	universes_max: number;
	sizing: Omit<StrategyLimits, "rows_max">;
}

export const DEFAULT_EFFECT_SETTINGS: EffectSettings = {
	portfolio_marks_timeout_ms: 5_000,
	portfolio_accounts_timeout_ms: 4_000,
	source_timeout_ms: 15_000,
	evaluation_reserve_ms: 5_000,
	progress_every_ms: 1_000,
	recommendations_timeout_ms: 6_000,
	universes_max: 8,
	sizing: { risk_per_trade: 0.01, max_position_share: 0.25 },
};

export const effectSettings = (deps: Pick<EffectDeps, "settings">): EffectSettings => ({
	...DEFAULT_EFFECT_SETTINGS,
	...deps.settings,
});
