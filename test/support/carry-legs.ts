import type { FundingSeries, Series } from "../../src/market/contract.ts";
import { type BarRow, fundingOf, seriesOf } from "./recorded-bars.ts";
import { barsFrom, DAY_MS, gaussian } from "./synthetic-market.ts";

const HOUR_MS = 3_600_000;
const BARS = 200;

/** One market of a coin whose price all its markets share but for a trembling basis. */
export interface CarryMarket {
	symbol: string;
	venue: string;
	/** Deviation of the daily basis, fraction. */
	tremor: number;
}

/** Daily bars of several markets of one coin that end at `asOfMs`. */
export function carrySeries(markets: readonly CarryMarket[], asOfMs: number, seed: number): Series[] {
	const walk = gaussian(seed);
	const logs: number[] = [Math.log(100)];
	while (logs.length < BARS) logs.push((logs.at(-1) ?? 0) + 0.03 * walk());
	return markets.map(({ symbol, venue, tremor }, i) => {
		const basis = gaussian(seed + 9_000 + i);
		const rows = barsFrom(
			logs.map((value) => value + tremor * basis()),
			{ seed, sigma: 0.01 },
		).map(([, ...prices], t): BarRow => [asOfMs - (BARS - t) * DAY_MS, ...prices] as BarRow);
		return seriesOf(rows, { symbol, venue, market: symbol.includes(":") ? "perp" : "spot" });
	});
}

/** The spot and the perp of a coin. */
export const carryLegs = (base: string, asOfMs: number, seed: number): Series[] =>
	carrySeries(
		[
			{ symbol: `${base}/USDT`, venue: "binance", tremor: 0 },
			{ symbol: `${base}/USDT:USDT`, venue: "binanceusdm", tremor: 0.0005 },
		],
		asOfMs,
		seed,
	);

/** Settlements of one perp every `hours` that end at `asOfMs`; the rate of a settlement by its number. */
export function venueFunding(
	{ symbol, venue }: Pick<CarryMarket, "symbol" | "venue">,
	hours: number,
	asOfMs: number,
	days: number,
	rate: (i: number) => number,
): FundingSeries {
	const count = Math.floor((days * 24) / hours);
	const rows = Array.from({ length: count }, (_, i) => [asOfMs - (count - 1 - i) * hours * HOUR_MS, rate(i)] as const);
	return { ...fundingOf(rows, symbol, asOfMs), venue };
}
