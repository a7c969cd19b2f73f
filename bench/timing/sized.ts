import { sealColumns } from "../../src/market/content.ts";
import type { EvaluationRequest, Strategy } from "../../src/strategies/contract.ts";
import { syntheticRequest } from "./synthetic.ts";

/** What weighs or fits coins against one another: copies of coins would be a market like no other. */
const COMPARES_COINS: ReadonlySet<string> = new Set([
	"ai_pairs_trading",
	"ai_statistical_arbitrage",
	"ai_portfolio_optimization",
]);

/** A market in which most strategies that can write rows write some, about as many a coin at every size. */
const SEED = 12;

/**
 * The synthetic market of a size, as a market's cache would have handed it over: columns that never change again,
 * digested once. `telling` tells markets of one size apart: the same in another unit of price, -20 to 20. `market`
 * numbers markets that chance has made otherwise.
 */
export function sizedRequest(
	strategy: Strategy,
	size: { symbols: number; bars: number },
	telling: number,
	market = 0,
): EvaluationRequest {
	const alike = !COMPARES_COINS.has(strategy.id);
	const request = syntheticRequest(strategy, { ...size, seed: SEED + market, unit: 2 ** telling, alike });
	const { series, funding, trades = {}, volatility = {}, evidence } = request.view;
	const read = [series, funding, trades, volatility].flatMap((record) => Object.values<object>(record));
	for (const answer of [...read, ...evidence.series, ...evidence.funding]) sealColumns(answer);
	return request;
}
