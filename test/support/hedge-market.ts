import type { FundingSeries, Market, Series } from "../../src/market/contract.ts";
import type { PortfolioSnapshot, Position } from "../../src/strategies/contract.ts";
import { seriesOf } from "./recorded-bars.ts";
import { barsFrom, candidateOf, gaussian, marketOf, requestOf } from "./synthetic-market.ts";

const ID = "ai_hedge_position";
export const BARS = 1300;

/** A market with its own share of one of two factors and own noise; `walk` names the own noise. */
export function market(
	symbol: string,
	walk: number,
	{ beta = 1, second = 0, own = 0.01, bars = BARS, price = 100, tremor = 0 } = {},
): Series {
	const [factor, other, noise, basis] = [gaussian(7), gaussian(8), gaussian(walk), gaussian(walk + 1000)];
	const logs = [0];
	while (logs.length < BARS) {
		logs.push((logs.at(-1) ?? 0) + beta * 0.02 * factor() + second * 0.02 * other() + own * noise());
	}
	const end = logs.at(-1) ?? 0;
	const shifted = logs.map((value) => value - end + Math.log(price) + tremor * basis());
	return seriesOf(barsFrom(shifted, { seed: walk, sigma: 0.01 }).slice(-bars), {
		symbol,
		...(symbol.includes(":") ? { venue: "binanceusdm", market: "perp" } : {}),
	});
}

export const COMMON = [
	market("BTC/USDT", 90, { own: 0.003 }),
	market("BTC/USDT:USDT", 90, { own: 0.003, tremor: 0.0003 }),
	market("ETH/USDT", 91, { beta: 0.7, second: 0.7, own: 0.003 }),
	market("ETH/USDT:USDT", 91, { beta: 0.7, second: 0.7, own: 0.003, tremor: 0.0003 }),
];
/** Goes with the first factor. */
export const FOLLOWER = market("AAA/USDT", 20, { beta: 1.5 });
/** Goes its own way. */
export const LONER = market("LLL/USDT", 21, { beta: 0, own: 0.03 });
export const FOLLOWER_PERP = market("AAA/USDT:USDT", 20, { beta: 1.5, tremor: 0.0005 });
export const LONER_PERP = market("LLL/USDT:USDT", 21, { beta: 0, own: 0.03, tremor: 0.0005 });

/** A book, the markets beside it and what is known of them. */
export interface Setup {
	/** Symbol -> USD held, negative for a short. */
	held: Record<string, number>;
	cash?: number;
	series?: Series[];
	/** Perps that belong to held coins. */
	perps?: Series[];
	funding?: FundingSeries[];
	errors?: Record<string, string>;
	volume?: number;
	capital?: number;
	/** What the source says of the common hedges' markets, and of which it says nothing. */
	common?: Partial<Market>;
	undescribed?: string[];
}

/** A hedge request on that book. */
export function requestFor({ held, cash = 0, perps = [], errors = {}, ...setup }: Setup) {
	const series = [...(setup.series ?? [...COMMON, FOLLOWER, LONER]), ...perps];
	const priceOf = (symbol: string) => series.find((one) => one.symbol === symbol)?.close.at(-1) ?? 1;
	const positions = Object.entries(held).map(([symbol, usd]): Position => {
		return { symbol, quantity: usd / priceOf(symbol), entry_price: null };
	});
	const capital_usd = setup.capital ?? cash + Object.values(held).reduce((sum, usd) => sum + Math.abs(usd), 0);
	const portfolio: PortfolioSnapshot = { positions, cash_usd: cash, version: 1, capital_usd, assumed: false };
	const volume_usd_24h = setup.volume ?? 200_000_000;
	const perpMarkets = perps.map(({ symbol }) => marketOf(symbol, { volume_usd_24h }));
	const candidates = positions.map(({ symbol }) => {
		const own = marketOf(symbol, { volume_usd_24h });
		return candidateOf(
			own,
			perpMarkets.filter((perp) => perp.base === own.base && perp.symbol !== symbol),
		);
	});
	return requestOf({
		strategyId: ID,
		series: series.filter(({ symbol }) => !(symbol in errors)),
		candidates,
		portfolio,
		evidence: [],
		errors,
		markets: [...COMMON.map(({ symbol }) => marketOf(symbol, setup.common)), ...perpMarkets].filter(
			({ symbol }) => !setup.undescribed?.includes(symbol),
		),
		funding: setup.funding ?? [],
	});
}
