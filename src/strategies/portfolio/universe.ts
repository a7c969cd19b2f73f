import { type Market, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { type Column, last } from "../columns.ts";
import type { Candidate, MarketView, PortfolioSnapshot } from "../contract.ts";
import { Memo, seriesFingerprint, universeFingerprint } from "../evidence/memo.ts";
import { checkSeries, type Refusal, UNDESCRIBED } from "../quality.ts";
import { bySymbol, joinCloses, RETURNS_MIN, simpleReturns } from "../risk/book.ts";

/** Coins that may be bought without being held: the deepest markets there are. */
export const MAJORS = ["BTC/USDT", "ETH/USDT"] as const;

/**
 * Daily returns for each coin that is weighed. Weights of least variance made from T returns of n coins have, out of
 * sample, (T - 2)/(T - n - 1) times the variance that the true covariance would have led to (Basak, Jagannathan and Ma
 * 2009, for normal returns): a quarter more at five returns a coin, half at three, without end as n nears T. Shrinkage
 * and bounds take away some of it, but what they leave is not known beforehand.
 */
export const RETURNS_PER_COIN_MIN = 5;
/** Coins weighed at most; matrices of them do not grow with the portfolio. */
export const COINS_MAX = RETURNS_MIN / RETURNS_PER_COIN_MIN;

/** One coin that can be given weight. */
export interface Asset {
	symbol: string;
	market: Market;
	series: Series;
	price: number;
	/** USD; 0 for a major that is not held. */
	value: number;
}

export interface AssetUniverse {
	/** By symbol, so that the order of candidates does not matter. */
	assets: Asset[];
	/** Values over their sum: weights of the part that is invested in these coins. */
	current: number[];
	/** Sum of values, USD. */
	investedUsd: number;
	equityUsd: number;
	/** Whole common history of daily returns, oldest first. */
	simple: Column[];
	logs: Column[];
	/** Opens of those days, epoch ms. */
	days: number[];
	/** Names the returns by content. */
	key: string;
	asOfMs: number | null;
	/** Positions that take no part, each with its reason. */
	left: ({ symbol: string } & Refusal)[];
}

/**
 * The majors and the largest spot holdings, COINS_MAX together, with enough history; what takes no part stays as it is
 * and is named with its reason.
 */
export function assetUniverse(
	candidates: readonly Candidate[],
	view: MarketView,
	portfolio: PortfolioSnapshot,
): AssetUniverse {
	const left: AssetUniverse["left"] = [];
	const readable: Asset[] = [];
	const candidateOf = bySymbol(candidates);
	const held = new Map<string, number>();
	for (const { symbol, quantity } of portfolio.positions) held.set(symbol, (held.get(symbol) ?? 0) + quantity);
	for (const symbol of [...new Set([...held.keys(), ...MAJORS])].sort()) {
		const quantity = held.get(symbol) ?? 0;
		const market = candidateOf.get(symbol)?.market ?? view.markets[symbol] ?? null;
		const asset = readAsset(symbol, quantity, market, view);
		if ("series" in asset) readable.push(asset);
		// A major that is not held is an offer; without its data nothing is missing.
		else if (held.has(symbol)) left.push({ symbol, ...asset });
	}
	const assets = largest(readable);
	const weighed = new Set(assets);
	for (const asset of readable) if (!weighed.has(asset)) left.push({ symbol: asset.symbol, ...TOO_MANY });
	const investedUsd = assets.reduce((sum, asset) => sum + asset.value, 0);
	return { assets, left, investedUsd, equityUsd: portfolio.capital_usd, ...joined(assets, investedUsd) };
}

const TOO_MANY: Refusal = {
	reason: "insufficient_history",
	detail: `${RETURNS_MIN} daily returns bear ${COINS_MAX} coins: there are larger positions`,
};

/** The majors, then the others by value, ties by symbol; in the order in which they came. */
function largest(readable: readonly Asset[]): Asset[] {
	const major = ({ symbol }: Asset) => Number(MAJORS.some((one) => one === symbol));
	const ranked = [...readable].sort(
		(a, b) => major(b) - major(a) || b.value - a.value || (a.symbol < b.symbol ? -1 : 1),
	);
	const kept = new Set(ranked.slice(0, COINS_MAX));
	return readable.filter((asset) => kept.has(asset));
}

function readAsset(symbol: string, quantity: number, market: Market | null, view: MarketView): Asset | Refusal {
	const series = view.series[symbol];
	if ((market?.type ?? series?.market) === "perp" || quantity < 0)
		return { reason: "no_spot_market", detail: "a contract or a short has no weight to be rebalanced" };
	if (market?.tags.includes("stablecoin"))
		return { reason: "pegged_or_wrapped", detail: "a stablecoin counts as cash and is left alone" };
	const check = checkSeries({ symbol, asset: null, market: null }, view, RETURNS_MIN + 1);
	if (!check.ok) return check;
	if (!market) return UNDESCRIBED;
	const price = last(check.series.close);
	return { symbol, market, series: check.series, price, value: quantity * price };
}

interface JoinedReturns {
	simple: Column[];
	logs: Column[];
	days: number[];
}

const memo = new Memo<JoinedReturns>(32);

function joined(assets: readonly Asset[], investedUsd: number) {
	const key = universeFingerprint(assets.map((asset) => seriesFingerprint(asset.series)));
	const returns = memo.get(key, () => {
		const { days, columns } = joinCloses(assets.map((asset) => asset.series));
		const simple = columns.map(simpleReturns);
		return { simple, logs: simple.map((column) => column.map(Math.log1p)), days: days.slice(1) };
	});
	const newest = returns.days.at(-1);
	return {
		...returns,
		key,
		current: assets.map((asset) => (investedUsd > 0 ? asset.value / investedUsd : 0)),
		asOfMs: newest === undefined ? null : newest + TIMEFRAME_MS["1d"],
	};
}
