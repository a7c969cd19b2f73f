import type { DataSource } from "../../machines/types.ts";
import { tierOfVolume } from "../../src/catalogue.ts";
import type { FundingSeries, Market, Series } from "../../src/market/contract.ts";
import type {
	Candidate,
	EvaluationRequest,
	MarketView,
	PortfolioSnapshot,
	StrategyLimits,
} from "../../src/strategies/contract.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { type BarRow, seriesOf } from "./recorded-bars.ts";

export const DAY_MS = 86_400_000;
export const START_MS = Date.UTC(2020, 0, 1);

export const LIMITS: StrategyLimits = { rows_max: 100, risk_per_trade: 0.01, max_position_share: 0.25 };
export const SIMULATED: DataSource = { kind: "simulated", name: "simulated:test", as_of: null };
export const RECORDED: DataSource = { kind: "recorded", name: "recorded:test", as_of: null };

export const portfolioOf = (capital_usd = 10_000): PortfolioSnapshot => ({
	positions: [],
	cash_usd: capital_usd,
	version: 1,
	capital_usd,
	assumed: false,
});

/** Standard normal numbers from a seed (Box-Muller). */
export function gaussian(seed: number): () => number {
	const random = createRandom(seed);
	return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Daily bars from log closes; highs and lows spread around open and close by a seeded share of `sigma`. */
export function barsFrom(
	logCloses: readonly number[],
	options: { seed: number; sigma: number; volume?: (t: number) => number },
): BarRow[] {
	const random = createRandom(options.seed ^ 0xabcdef);
	return logCloses.map((logClose, t) => {
		const open = Math.exp(logCloses[t - 1] ?? logClose);
		const close = Math.exp(logClose);
		const high = Math.max(open, close) * Math.exp(options.sigma * random() * 0.5);
		const low = Math.min(open, close) * Math.exp(-options.sigma * random() * 0.5);
		return [START_MS + t * DAY_MS, open, high, low, close, options.volume?.(t) ?? 1_000_000];
	});
}

const STEPS_PER_DAY = 12;

/**
 * A market without edge: a martingale (log drift -sigma^2/2) walked in steps within the day, so that
 * highs and lows are places the price has been; volume is noise.
 */
export function randomWalk(symbol: string, bars: number, seed: number, sigma = 0.04): Series {
	const normal = gaussian(seed);
	const volumes = gaussian(seed + 77);
	const step = sigma / Math.sqrt(STEPS_PER_DAY);
	let log = Math.log(100);
	const rows = Array.from({ length: bars }, (_, t): BarRow => {
		const open = log;
		let [high, low] = [log, log];
		for (let i = 0; i < STEPS_PER_DAY; i++) {
			log += step * normal() - step ** 2 / 2;
			high = Math.max(high, log);
			low = Math.min(low, log);
		}
		const [o, h, l, c] = [open, high, low, log].map(Math.exp) as [number, number, number, number];
		return [START_MS + t * DAY_MS, o, h, l, c, 1_000_000 * Math.exp(0.5 * volumes())];
	});
	return seriesOf(rows, { symbol });
}

export function marketOf(symbol: string, extra: Partial<Market> = {}): Market {
	const [pair = "", settle] = symbol.split(":");
	const [base = "", quote = ""] = pair.split("/");
	return {
		symbol,
		id: base + quote,
		venue: settle ? "binanceusdm" : "binance",
		type: settle ? "perp" : "spot",
		base,
		quote,
		maker_fee: settle ? 0.0002 : 0.001,
		taker_fee: settle ? 0.0005 : 0.001,
		min_notional: 5,
		quantity_step: null,
		price_tick: null,
		volume_usd_24h: 200_000_000,
		data_age_ms: 0,
		tags: [],
		funding_interval_hours: settle ? 8 : null,
		open_interest_usd: settle ? 50_000_000 : null,
		open_interest_at_ms: settle ? START_MS : null,
		...extra,
	};
}

export function candidateOf(market: Market, others: Market[] = []): Candidate {
	const volume = market.volume_usd_24h ?? 0;
	return {
		symbol: market.symbol,
		asset: { base: market.base, tier: tierOfVolume(volume), volume_usd_24h: volume, markets: [market, ...others] },
		market,
	};
}

export interface RequestParts {
	strategyId: string;
	series?: Series[];
	evidence?: Series[];
	funding?: FundingSeries[];
	evidenceFunding?: FundingSeries[];
	candidates?: Candidate[];
	markets?: Market[];
	portfolio?: PortfolioSnapshot;
	source?: DataSource;
	errors?: Record<string, string>;
	openInterest?: MarketView["open_interest"];
	asOfMs?: number;
	limits?: StrategyLimits;
}

/** A request over given series; every series is a candidate with an institutional market by default. */
export function requestOf(parts: RequestParts): EvaluationRequest {
	const series = parts.series ?? [];
	const candidates = parts.candidates ?? series.map((one) => candidateOf(marketOf(one.symbol)));
	const view: MarketView = {
		as_of_ms: parts.asOfMs ?? Math.max(0, ...series.map((one) => one.as_of_ms)),
		data_source: parts.source ?? SIMULATED,
		series: Object.fromEntries(series.map((one) => [one.symbol, one])),
		funding: Object.fromEntries((parts.funding ?? []).map((one) => [one.symbol, one])),
		books: {},
		evidence: { series: parts.evidence ?? series, funding: parts.evidenceFunding ?? [] },
		markets: Object.fromEntries((parts.markets ?? []).map((one) => [one.symbol, one])),
		errors: parts.errors ?? {},
		...(parts.openInterest ? { open_interest: parts.openInterest } : {}),
	};
	return {
		strategy_id: parts.strategyId,
		candidates,
		view,
		portfolio: parts.portfolio ?? portfolioOf(),
		limits: parts.limits ?? LIMITS,
	};
}

/** Trends: a drift that keeps its sign for long; the newest regime rises. */
export function trendingSeries(symbol: string, bars: number, seed: number): Series {
	const normal = gaussian(seed);
	const random = createRandom(seed + 1);
	const logs: number[] = [Math.log(100)];
	const drifts: number[] = [0];
	let drift = random() < 0.5 ? 0.006 : -0.006;
	while (logs.length < bars) {
		if (random() < 1 / 60) drift = -drift;
		const forced = logs.length > bars - 40 ? 0.006 : drift;
		drifts.push(forced);
		logs.push((logs.at(-1) ?? 0) + forced + 0.015 * normal());
	}
	return seriesOf(barsFrom(logs, { seed, sigma: 0.015, volume: () => 1_000_000 }), { symbol });
}

/** Mean reversion: panics of four days that are taken back within two weeks; the newest is under way. */
export function revertingSeries(symbol: string, bars: number, seed: number, crash = true): Series {
	const normal = gaussian(seed);
	const random = createRandom(seed + 5);
	const level = Math.log(100);
	const logs: number[] = [level];
	let panic = 0;
	while (logs.length < bars) {
		const t = logs.length;
		const previous = logs.at(-1) ?? level;
		if (panic === 0 && t > 40 && t < bars - 30 && random() < 1 / 40) panic = 4;
		if (crash && t === bars - 4) panic = 4;
		const fall = panic > 0 ? -0.06 : 0;
		if (panic > 0) panic--;
		logs.push(previous - 0.12 * (previous - level) + fall + 0.008 * normal());
	}
	return seriesOf(barsFrom(logs, { seed, sigma: 0.01 }), { symbol });
}

/** Breakouts that run: quiet noise, then a leap on high volume followed by a drift; the last bar leaps. */
export function breakingSeries(symbol: string, bars: number, seed: number): Series {
	const normal = gaussian(seed);
	const random = createRandom(seed + 3);
	const centre = Math.log(100);
	const logs: number[] = [centre];
	const loud = new Set<number>();
	let base = centre;
	let run = 0;
	while (logs.length < bars) {
		const t = logs.length;
		if (run > 0) {
			run--;
			base += 0.012;
		} else if (t === bars - 1 || (t > 40 && t < bars - 40 && random() < 1 / 40)) {
			base = Math.max(...logs.slice(-21)) + 0.02;
			loud.add(t);
			run = 15;
		} else base -= 0.004;
		logs.push(base + 0.006 * normal());
	}
	return seriesOf(barsFrom(logs, { seed, sigma: 0.012, volume: (t) => (loud.has(t) ? 4_000_000 : 1_000_000) }), {
		symbol,
	});
}
