import type { ScanContext, ScanFilters, StrategyEntry, Tally, UserProfile } from "../../machines/types.ts";
import { CATALOGUE, tierOfVolume } from "../../src/catalogue.ts";
import type { Clock } from "../../src/clock.ts";
import type { Attachments, EffectContext, StrategyEffectContext } from "../../src/effects/contract.ts";
import type { EffectDeps, EvaluationPool, RowOrder, SelectAssets, UniverseStore } from "../../src/effects/ports.ts";
import { symbolMatches } from "../../src/filter-words.ts";
import type { Asset, Market, MarketData, MarketType, Series, Universe } from "../../src/market/contract.ts";
import type {
	DataNeeds,
	Evaluation,
	EvaluationRequest,
	Opportunity,
	PortfolioSnapshot,
} from "../../src/strategies/contract.ts";

export const AS_OF_MS = Date.UTC(2026, 2, 19, 19);
export const MOMENTUM = "ai_spot_momentum_strategy";

/** Time that moves only when told to; timers fire in order. */
export class ManualClock implements Clock {
	private nowMs = AS_OF_MS;
	private timers: { atMs: number; run: () => void }[] = [];
	now(): number {
		return this.nowMs;
	}
	setTimeout(callback: () => void, delayMs: number): unknown {
		const timer = { atMs: this.nowMs + delayMs, run: callback };
		this.timers.push(timer);
		return timer;
	}
	clearTimeout(handle: unknown): void {
		this.timers = this.timers.filter((timer) => timer !== handle);
	}
	armed(): number {
		return this.timers.length;
	}
	/** Moves on in small steps and lets promises settle in between. */
	async advance(byMs: number, stepMs = 100): Promise<void> {
		await settled();
		for (let moved = 0; moved < byMs; moved += stepMs) {
			this.nowMs += Math.min(stepMs, byMs - moved);
			for (const timer of this.timers.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs)) {
				this.clearTimeout(timer);
				timer.run();
			}
			await settled();
		}
	}
}

/** Lets everything that can run now run; no time passes. */
export async function settled(): Promise<void> {
	for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Every test ends: one that hangs fails by name after ten seconds. */
export const bounded = (run: () => Promise<void>) => async () => {
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error("the test did not end within 10 s")), 10_000);
	});
	try {
		await Promise.race([run(), limit]);
	} finally {
		clearTimeout(timer);
	}
};

export interface Deferred<T> {
	promise: Promise<T>;
	resolve(value: T): void;
	reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
	let resolve: (value: T) => void = () => {};
	let reject: (error: unknown) => void = () => {};
	const promise = new Promise<T>((onValue, onError) => {
		resolve = onValue;
		reject = onError;
	});
	return { promise, resolve, reject };
}

export const never = <T>(): Promise<T> => new Promise<T>(() => {});

export function market(symbol: string, type: MarketType, volume: number | null, extra: Partial<Market> = {}): Market {
	const [pair = ""] = symbol.split(":");
	const [base = "", quote = ""] = pair.split("/");
	return {
		symbol,
		id: `${base}${quote}`,
		venue: "fake",
		type,
		base,
		quote,
		maker_fee: 0.001,
		taker_fee: 0.001,
		min_notional: 10,
		quantity_step: null,
		price_tick: null,
		volume_usd_24h: volume,
		data_age_ms: 0,
		tags: [],
		funding_interval_hours: null,
		open_interest_usd: null,
		open_interest_at_ms: null,
		...extra,
	};
}

export const asset = (base: string, volume: number, markets?: Market[]): Asset => ({
	base,
	tier: tierOfVolume(volume),
	volume_usd_24h: volume,
	markets: markets ?? [market(`${base}/USDT`, "spot", volume)],
});

export const universe = (assets: Asset[], overrides: Partial<Universe> = {}): Universe => ({
	as_of_ms: AS_OF_MS,
	assets,
	excluded: {},
	sources: [{ name: "fake", ok: true, error: null, assets: assets.length }],
	...overrides,
});

export function series(symbol: string, length = 300): Series {
	const column = new Float64Array(length).fill(1);
	return {
		symbol,
		venue: "fake",
		market: "spot",
		timeframe: "1d",
		length,
		open_time: column,
		open: column,
		high: column,
		low: column,
		close: column,
		volume: column,
		quote_volume: column,
		missing: 0,
		as_of_ms: AS_OF_MS,
	};
}

export interface FakeMarket extends MarketData {
	/** Reads that have neither ended nor been aborted. */
	running(): number;
	calls: { symbol: string; as_of_ms: number }[];
}

/** `candles` decides what a symbol answers; every read ends when its signal aborts. */
export function fakeMarket(overrides: Partial<MarketData> = {}): FakeMarket {
	const calls: FakeMarket["calls"] = [];
	let running = 0;
	const tracked = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
		running += 1;
		return new Promise<T>((resolve, reject) => {
			signal.addEventListener("abort", () => reject(signal.reason), { once: true });
			work.then(resolve, reject);
		}).finally(() => {
			running -= 1;
		});
	};
	const candles = overrides.candles ?? (async (symbol: string) => series(symbol));
	return {
		source: { kind: "simulated", name: "simulated:fake" },
		now: () => AS_OF_MS,
		venues: () => ["fake"],
		markets: async () => [],
		tickers: async () => [],
		funding: async () => null,
		orderBook: async () => null,
		openInterest: async () => null,
		check: async () => ({ ok: true, error: null }),
		close: async () => {},
		...overrides,
		candles: (symbol, timeframe, options) => {
			calls.push({ symbol, as_of_ms: options.as_of_ms });
			return tracked(candles(symbol, timeframe, options), options.signal);
		},
		running: () => running,
		calls,
	};
}

export const spotNeeds = (overrides: Partial<DataNeeds> = {}): DataNeeds => ({
	candidates: "spot",
	timeframe: "1d",
	candles: true,
	funding: false,
	orderBook: false,
	evidence: null,
	benchmarks: [],
	...overrides,
});

export function row(symbol: string, overrides: Partial<Opportunity> = {}): Opportunity {
	const strategy_id = overrides.strategy_id ?? MOMENTUM;
	return {
		opportunity_id: `${strategy_id}:${symbol}`,
		strategy_id,
		strategy_name: "AI Momentum Trading",
		opportunity_type: "spot_momentum",
		symbol,
		exchange: "fake",
		side: "long",
		profit_potential_usd: 10,
		confidence_score: 45,
		confidence_low: 40,
		confidence_high: 50,
		risk_level: "medium",
		required_capital_usd: 1000,
		estimated_timeframe: "1-4w",
		entry_price: 100,
		exit_price: 110,
		stop_price: 95,
		target_price: 110,
		risk_reward_ratio: 2,
		costs: { fee_bps: 20, spread_bps: 2, impact_bps: 0, funding_bps: 0, total_bps: 22 },
		evidence: {
			method: "walk-forward/pooled",
			n: 100,
			n_effective: 40,
			wins: 45,
			hit_rate: 0.45,
			mean_net_bps: 300,
			median_net_bps: -100,
			bootstrap_90: [10, 500],
			profit_factor: 1.4,
			avg_hold_bars: 16,
			first_trade: null,
			last_trade: null,
			universe_size: 35,
			grade: "B",
			p_placebo: 0.01,
			brier: null,
			ece: null,
		},
		as_of: new Date(AS_OF_MS).toISOString(),
		data_source: { kind: "simulated", name: "simulated:fake", as_of: null },
		discovered_at: "",
		metadata: { side: "long" },
		...overrides,
	};
}

/** Publishes every candidate whose base stands in `found`, rejects the others, unread ones included. */
export function evaluationOf(request: EvaluationRequest, found: readonly string[]): Evaluation {
	const published: Opportunity[] = [];
	const rejected: Evaluation["rejected"] = [];
	for (const { symbol } of request.candidates) {
		if (request.view.errors[symbol]) rejected.push({ symbol, reason: "fetch_failed" });
		else if (found.includes(symbol.split("/")[0] ?? ""))
			published.push(row(symbol, { strategy_id: request.strategy_id }));
		else rejected.push({ symbol, reason: "no_trigger" });
	}
	return {
		candidate_unit: "symbol",
		evaluated: request.candidates.length,
		published,
		unproven: [],
		rejected,
		near_misses: [],
		thresholds: { z: 0.5 },
		data_as_of: new Date(AS_OF_MS - 60_000).toISOString(),
		report: { series: Object.keys(request.view.series).length },
	};
}

export interface FakePool extends EvaluationPool {
	requests: EvaluationRequest[];
	inFlightMax: number;
}

export function fakePool(evaluate: (request: EvaluationRequest, signal: AbortSignal) => Promise<Evaluation>): FakePool {
	let inFlight = 0;
	const pool: FakePool = {
		requests: [],
		inFlightMax: 0,
		evaluate: async (request, signal) => {
			pool.requests.push(request);
			inFlight += 1;
			pool.inFlightMax = Math.max(pool.inFlightMax, inFlight);
			try {
				return await evaluate(request, signal);
			} finally {
				inFlight -= 1;
			}
		},
	};
	return pool;
}

/** The order of CONTRACT.md 6.6 without its last word (the id), which the effect itself adds. */
export const contractOrder: RowOrder = (a, b) => {
	const perRisk = ({ evidence, entry_price, stop_price }: Opportunity) => {
		if (entry_price === null || stop_price === null || evidence.mean_net_bps === null) return Number.NEGATIVE_INFINITY;
		return evidence.mean_net_bps / ((Math.abs(entry_price - stop_price) / entry_price) * 10_000);
	};
	if (a.evidence.grade !== b.evidence.grade) return a.evidence.grade < b.evidence.grade ? -1 : 1;
	const [left, right] = [perRisk(a), perRisk(b)];
	if (left !== right) return right - left;
	return b.evidence.n_effective - a.evidence.n_effective;
};

/** Tier names are ignored but for the floor; enough for what the effects ask. */
export const selectAssets: SelectAssets = (from, { floorTier, tiers, symbols }) => {
	const order = [
		"tier_institutional",
		"tier_enterprise",
		"tier_professional",
		"tier_retail",
		"tier_emerging",
		"tier_micro",
		"tier_any",
	];
	const assets = from.assets
		.filter(({ tier }) => order.indexOf(tier) <= order.indexOf(floorTier))
		.filter(({ tier }) => !tiers || tiers.includes(tier))
		.filter(
			({ markets }) => !symbols || markets.some(({ symbol }) => symbols.some((word) => symbolMatches(symbol, word))),
		);
	const unmatched = (symbols ?? []).filter(
		(word) => !assets.some(({ markets }) => markets.some(({ symbol }) => symbolMatches(symbol, word))),
	);
	return { assets, unmatched };
};

export interface FakeUniverseStore extends UniverseStore {
	held: Map<string, Universe>;
}

export function fakeUniverseStore(): FakeUniverseStore {
	const held = new Map<string, Universe>();
	return {
		held,
		put: async (hash, stored) => {
			held.set(hash, stored);
		},
		get: async (hash) => held.get(hash) ?? null,
	};
}

export function fakeDeps(overrides: Partial<EffectDeps> = {}): EffectDeps & { clock: Clock } {
	return {
		market: fakeMarket(),
		portfolios: { get: async () => ({ positions: [], cash_usd: 0, version: 0, updated_at: null }) },
		discover: async () => universe([asset("BTC", 2e9), asset("ETH", 1e9)]),
		selectAssets,
		universes: fakeUniverseStore(),
		strategyOf: (id) => ({ id, needs: spotNeeds() }),
		pool: fakePool(async (request) => evaluationOf(request, [])),
		schema: { safeParse: () => ({ success: true }) },
		compareRows: contractOrder,
		clock: new ManualClock(),
		...overrides,
	};
}

export const emptyTally = (): Tally => ({
	candidate_unit: "symbol",
	candidates_total: 0,
	evaluated: 0,
	row_ids: [],
	unproven_ids: [],
	rejected: {},
	near_misses: [],
	data_as_of: null,
	data_age_seconds: null,
});

export const entry = (strategy_id: string, tally: Partial<Tally>): StrategyEntry => ({
	strategy_id,
	index: CATALOGUE.find((candidate) => candidate.id === strategy_id)?.index ?? 0,
	priority: 0,
	state: "settled",
	attempt: 1,
	failures: 0,
	started_at_ms: 0,
	ended_at_ms: 0,
	deadline_at_ms: null,
	retry_at_ms: null,
	tally: { ...emptyTally(), ...tally },
	verdict: "ok_found",
	reason: null,
	error: null,
	carried_over_from: null,
});

export interface ScanOptions {
	filters?: ScanFilters;
	profile?: Partial<UserProfile>;
	symbolsMax?: number | null;
	chunkSize?: number | null;
	rowsMax?: number;
	universeRef?: string;
	entries?: StrategyEntry[];
	recommendations?: boolean;
	positions?: number;
}

export function scanContext(options: ScanOptions = {}): ScanContext {
	const { filters = {}, symbolsMax = null, chunkSize = null } = options;
	return {
		input: {
			scan_id: `scan_${"0".repeat(31)}1`,
			user_id: "11111111-1111-4111-8111-111111111111",
			accepted_at_ms: AS_OF_MS,
			deadline_at_ms: AS_OF_MS + 150_000,
			limits: {
				budget_ms: 150_000,
				ranking_reserve_ms: 5_000,
				portfolio_timeout_ms: 10_000,
				discovery_timeout_ms: 30_000,
				strategy_timeout_ms: 60_000,
				strategy_concurrency: 15,
				strategy_attempts_max: 2,
				retry_backoff_ms: 500,
				resumes_max: 2,
				rows_max: options.rowsMax ?? 1000,
			},
			filters,
			filter_key: "k",
			filters_unmatched: [],
			force_refresh: false,
			include_strategy_recommendations: options.recommendations ?? true,
			redrive_of: null,
			supersedes: null,
			schedule_id: null,
			profile: {
				role: "trader",
				user_tier: "enterprise",
				asset_tier_floor: "tier_micro",
				max_asset_tier: "tier_institutional",
				scan_limit: null,
				strategy_ids: [MOMENTUM],
				monthly_cost_credits: 0,
				risk_profile: "balanced",
				strategy_fingerprint: "f",
				portfolio_version: 0,
				...options.profile,
			},
			strategies: CATALOGUE.map(({ id, index, priority }) => ({
				strategy_id: id,
				index,
				priority,
				symbols_max: symbolsMax,
				chunk_size: chunkSize,
				skip: null,
			})),
		},
		now_ms: AS_OF_MS,
		worker_id: "w",
		claimed_at_ms: AS_OF_MS,
		attempt: 1,
		resumes: 0,
		phases: {},
		portfolio: {
			positions: options.positions ?? 0,
			portfolio_version: 0,
			capital_usd: 10_000,
			assumed: true,
			source: "default",
			duration_ms: 0,
		},
		assets: {
			total_assets: 0,
			tiers: {},
			excluded: {},
			sources: [],
			universe_ref: options.universeRef ?? "unknown",
			as_of_ms: AS_OF_MS,
			data_source: { kind: "simulated", name: "simulated:fake", as_of: new Date(AS_OF_MS).toISOString() },
			filters_unmatched: [],
			duration_ms: 0,
		},
		strategies: options.entries ?? [],
		opportunities_found: 0,
		wake_at_ms: null,
		ranking: null,
		outcome: null,
		end: null,
	};
}

export interface Shown {
	tally: Tally;
	attachments: Attachments;
}

export interface FakeContext extends StrategyEffectContext {
	abort(reason?: unknown): void;
	shown: Shown[];
}

const noPositions: PortfolioSnapshot = { positions: [], cash_usd: 0, version: 0, capital_usd: 10_000, assumed: true };

/** A context whose deadline lies `timeMs` ahead on `clock`; the test itself aborts. */
export function effectContext(
	scan: ScanContext,
	clock: Clock,
	options: { timeMs?: number; portfolio?: PortfolioSnapshot; rows?: Map<string, Opportunity> } = {},
): FakeContext {
	const controller = new AbortController();
	const deadlineAtMs = clock.now() + (options.timeMs ?? 60_000);
	const shown: Shown[] = [];
	const context: EffectContext = {
		signal: controller.signal,
		scan,
		portfolio: async () => options.portfolio ?? noPositions,
		rows: async () => options.rows ?? new Map(),
		timeLeftMs: () => deadlineAtMs - clock.now(),
	};
	return {
		...context,
		progress: (report, attachments) => shown.push({ tally: report.tally, attachments }),
		abort: (reason) => controller.abort(reason),
		shown,
	};
}
