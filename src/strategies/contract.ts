import type { DataSource, NearMiss, ScanFilters } from "../../machines/types.ts";
import type {
	Asset,
	FundingSeries,
	Market,
	MarketType,
	OpenInterest,
	OptionChain,
	OrderBook,
	Series,
	Timeframe,
	TradeTape,
	VolatilityHistory,
} from "../market/contract.ts";

export type Side = "long" | "short" | "neutral";
export type RiskLevel = "low" | "medium" | "high" | "very_high";
export type Grade = "A" | "B" | "C" | "D";

/** `costs` of a row: basis points of notional, round trip. */
export interface Costs {
	fee_bps: number;
	spread_bps: number;
	impact_bps: number;
	funding_bps: number;
	total_bps: number;
}

/** `evidence` of a row. Rates 0..1, nets in basis points; null = not measured. */
export interface Evidence {
	method: string;
	n: number;
	n_effective: number;
	wins: number;
	hit_rate: number | null;
	mean_net_bps: number | null;
	median_net_bps: number | null;
	bootstrap_90: [low: number, high: number] | null;
	profit_factor: number | null;
	avg_hold_bars: number | null;
	first_trade: string | null;
	last_trade: string | null;
	universe_size: number;
	grade: Grade;
	p_placebo: number | null;
	brier: number | null;
	ece: number | null;
}

/** A row as a strategy makes it. The effect adds discovered_at. */
export interface Opportunity {
	opportunity_id: string;
	strategy_id: string;
	strategy_name: string;
	opportunity_type: string;
	symbol: string;
	exchange: string;
	side: Side;
	profit_potential_usd: number;
	/** null only in unproven rows. */
	confidence_score: number | null;
	confidence_low: number | null;
	confidence_high: number | null;
	risk_level: RiskLevel;
	required_capital_usd: number;
	estimated_timeframe: string;
	entry_price: number | null;
	exit_price: number | null;
	stop_price: number | null;
	target_price: number | null;
	risk_reward_ratio: number | null;
	costs: Costs;
	evidence: Evidence;
	as_of: string;
	data_source: DataSource;
	discovered_at: string;
	/** Numbers, strings, booleans or plain objects of them; never null. */
	metadata: Record<string, unknown>;
	/** Only in unproven rows. */
	unproven_reason?: string;
}

/** One thing a strategy looks at: an asset's market, a position, a pair ... */
export interface Candidate {
	/** What rejections, near misses and rows are named by. */
	symbol: string;
	asset: Asset | null;
	market: Market | null;
}

export interface Position {
	/** ccxt unified symbol. */
	symbol: string;
	/** Base units; negative only for contracts. */
	quantity: number;
	entry_price: number | null;
	/** Stop order on the position; null = known to have none, absent = the portfolio does not record stops. */
	stop_price?: number | null;
	/** Contracts: price at which the venue liquidates; absent = not recorded. */
	liquidation_price?: number | null;
}

/** The portfolio snapshot of one scan. */
export interface PortfolioSnapshot {
	positions: Position[];
	cash_usd: number;
	version: number;
	/** Deployable capital: cash + marked positions; 10000 and assumed without a portfolio. */
	capital_usd: number;
	assumed: boolean;
}

/** Closed bars that a present reading rests on. Records of past trades use whatever there is beyond them. */
export interface BarHistory {
	/** Fewer are `insufficient_history`. */
	bars_min: number;
	/** From so many on, still older bars move no figure of the present signal by more than 0.1 %. */
	bars_settled: number;
}

/** What a strategy wants to have read before it is evaluated. */
export interface DataNeeds {
	/** Which market of an asset makes it a candidate; `positions`: the portfolio's positions. */
	candidates: MarketType | "positions" | "chain";
	/** What is counted, where it is not the symbol or position itself: each two of them once. */
	unit?: "pair";
	timeframe: Timeframe | null;
	/** Series needed for each candidate. */
	candles: boolean;
	funding: boolean;
	orderBook: boolean;
	/**
	 * The walk-forward universe, independent of who asks: every market of the type that has at least
	 * `bars_min` bars, ended ones included. null: none needed.
	 */
	evidence: { market: MarketType; timeframe: Timeframe; bars_min: number; funding: boolean } | null;
	/** Series that are always read, e.g. the BTC benchmark. */
	benchmarks: string[];
	/**
	 * Also read what the source says (fees, volume, least order) of the benchmarks' markets and of positions that lie
	 * outside the scan's universe.
	 */
	benchmark_markets?: boolean;
	/** Trades of the last so many ms for each candidate. */
	trades_window_ms?: number;
	/** The option chain and its volatility history of each candidate's base. */
	chain?: boolean;
	/** Bases whose volatility history is always read, for evidence that does not depend on who asks. */
	volatility_bases?: string[];
	/** Open interest of each candidate now and so many ms before. */
	open_interest_change_ms?: number;
	/** Also read candles (and funding and books, if asked for) of these markets of each candidate's base. */
	companions?: MarketType[];
	/** Also read the same of perps of the candidate's base at other venues, and the funding of all bases of several venues. */
	rival_venues?: boolean;
	/** How far back the present reading of a series looks; absent where no bars are read. */
	history?: BarHistory;
}

/** A perp of a candidate's base at another venue, as far as it could be read; null: the venue has none. */
export interface Rival {
	market: Market;
	funding: FundingSeries | null;
	series: Series | null;
	book: OrderBook | null;
	/** Why it could not be read; null when it was. */
	error: string | null;
}

/** Funding of one perp of a base that several venues list. */
export interface VenueFunding {
	base: string;
	funding: FundingSeries;
}

/** Read-only view a strategy evaluates. Everything in it can cross to a worker thread. */
export interface MarketView {
	/** The pinned instant, epoch ms. */
	as_of_ms: number;
	data_source: DataSource;
	/** By symbol; a candidate whose read failed is absent here and present in `errors`. */
	series: Record<string, Series>;
	funding: Record<string, FundingSeries>;
	books: Record<string, OrderBook>;
	/** Evidence universe. Order must not matter. */
	evidence: { series: Series[]; funding: FundingSeries[]; venue_funding?: VenueFunding[] };
	markets: Record<string, Market>;
	/** By candidate; absent: no other venue lists a perp of its base. */
	rivals?: Record<string, Rival[]>;
	/** By symbol; absent: the source records none. */
	trades?: Record<string, TradeTape>;
	/** By base; absent: there is no quoted chain. */
	chains?: Record<string, OptionChain>;
	volatility?: Record<string, VolatilityHistory>;
	/** By symbol: at the pinned instant and `open_interest_change_ms` before; absent: one of them is not recorded. */
	open_interest?: Record<string, { now: OpenInterest; before: OpenInterest }>;
	/** symbol -> why its data could not be read. */
	errors: Record<string, string>;
}

export interface StrategyLimits {
	rows_max: number;
	risk_per_trade: number;
	max_position_share: number;
}

export interface Rejection {
	symbol: string;
	reason: string;
	detail?: string;
	/** Symbol of the candidate at fault, where `symbol` names something made of several (a pair). */
	cause?: string;
}

/** Invariant: evaluated = published.length + unproven.length + rejected.length. */
export interface Evaluation {
	candidate_unit: string;
	evaluated: number;
	published: Opportunity[];
	unproven: Opportunity[];
	rejected: Rejection[];
	/** At most three, nearest first. */
	near_misses: NearMiss[];
	thresholds: Record<string, number>;
	data_as_of: string | null;
	/** Facts that are shown whatever the rows say (measures against limits, base rates ...). */
	report: Record<string, unknown>;
}

/**
 * One object in one file per strategy, with its rules, records and rows in files beside it, all pure and
 * deterministic: no clock, no network, no random source but a seed derived from its input. `evaluate` must not depend on the order of candidates.
 */
export interface Strategy {
	readonly id: string;
	readonly needs: DataNeeds;
	evaluate(
		candidates: readonly Candidate[],
		view: MarketView,
		portfolio: PortfolioSnapshot,
		limits: StrategyLimits,
	): Evaluation;
}

/** The request that crosses into a worker thread; series travel as shared memory. */
export interface EvaluationRequest {
	strategy_id: string;
	candidates: Candidate[];
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
}

export type { ScanFilters };
