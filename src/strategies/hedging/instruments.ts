import type { Market, Series } from "../../market/contract.ts";
import { at, type Column } from "../columns.ts";
import type { Candidate, MarketView } from "../contract.ts";
import { seriesFingerprint } from "../evidence/memo.ts";
import { checkSeries } from "../quality.ts";
import type { Holding } from "../risk/book.ts";
import { type Effectiveness, ESTIMATION_DAYS, effectivenessOf, type HedgeReturns } from "./effectiveness.ts";

/** Perps any position may be hedged with, and the spot market whose days stand in before their listing. */
export const COMMON_HEDGES = [
	{ perp: "BTC/USDT:USDT", spot: "BTC/USDT" },
	{ perp: "ETH/USDT:USDT", spot: "ETH/USDT" },
] as const;

export type HedgeKind = "own_perp" | "btc_perp" | "eth_perp" | "btc_eth_perps";

/** One contract to be sold (or bought, against a short). */
export interface Leg {
	symbol: string;
	series: Series;
	market: Market;
}

/** A way to hedge one position, with its record out of sample. */
export interface HedgeChoice {
	kind: HedgeKind;
	legs: Leg[];
	effectiveness: Effectiveness;
}

/** Every hedge the source offers for a position, the coin's own contract first. */
export function hedgeChoices(holding: Holding, candidate: Candidate | undefined, view: MarketView): HedgeChoice[] {
	const own = ownPerp(holding, candidate, view);
	const [btc, eth] = COMMON_HEDGES.map(({ perp }) => commonLeg(perp, holding, view));
	const taken = (leg: Leg | null | undefined): leg is Leg =>
		leg !== null && leg !== undefined && leg.symbol !== own?.symbol;
	const choices: HedgeChoice[] = [];
	if (own) choices.push(choiceOf("own_perp", holding, [own], view, [1]));
	if (taken(btc)) choices.push(choiceOf("btc_perp", holding, [btc], view, null));
	if (taken(eth)) choices.push(choiceOf("eth_perp", holding, [eth], view, null));
	if (taken(btc) && taken(eth)) choices.push(choiceOf("btc_eth_perps", holding, [btc, eth], view, null));
	return choices;
}

/** The perp of the position's own base with the highest volume; none for a position that is that perp. */
function ownPerp({ position, market }: Holding, candidate: Candidate | undefined, view: MarketView): Leg | null {
	const base = market?.base ?? candidate?.asset?.base;
	const listed = [...(candidate?.asset?.markets ?? []), ...Object.values(view.markets)].filter(
		(one) => one.type === "perp" && one.base === base && one.symbol !== position.symbol,
	);
	const ranked = listed
		.filter((one) => usable(one.symbol, view))
		.sort((a, b) => (b.volume_usd_24h ?? -1) - (a.volume_usd_24h ?? -1) || (a.symbol < b.symbol ? -1 : 1));
	const [best] = ranked;
	const series = best && view.series[best.symbol];
	return best && series ? { symbol: best.symbol, series, market: best } : null;
}

function commonLeg(symbol: string, { position }: Holding, view: MarketView): Leg | null {
	const [series, market] = [view.series[symbol], view.markets[symbol]];
	if (!series || !market || symbol === position.symbol || !usable(symbol, view)) return null;
	return { symbol, series, market };
}

const usable = (symbol: string, view: MarketView): boolean =>
	checkSeries({ symbol, asset: null, market: null }, view, ESTIMATION_DAYS + 1).ok;

/** A series is part of several hedges of several positions: its content is read once. */
const fingerprints = new WeakMap<Series, string>();

function fingerprintOf(series: Series): string {
	const known = fingerprints.get(series) ?? seriesFingerprint(series);
	fingerprints.set(series, known);
	return known;
}

function choiceOf(
	kind: HedgeKind,
	holding: Holding,
	legs: Leg[],
	view: MarketView,
	fixed: readonly number[] | null,
): HedgeChoice {
	const sources = legs.map(({ symbol, series }) => {
		const spot = COMMON_HEDGES.find(({ perp }) => perp === symbol)?.spot;
		// A coin cannot be its own stand-in: that hedge would look perfect.
		const before = spot && kind !== "own_perp" && spot !== holding.position.symbol ? view.series[spot] : undefined;
		return { series, before };
	});
	const key = [holding.series, ...sources.flatMap(({ series, before }) => (before ? [series, before] : [series]))]
		.map(fingerprintOf)
		.join("|");
	const read = () => alignedReturns(holding.series, sources);
	return { kind, legs, effectiveness: effectivenessOf(`${kind}#${key}`, read, fixed) };
}

/** Log return of each bar whose predecessor is exactly one step older, by its open. */
function returnsByDay(series: Series): Map<number, number> {
	const step = 86_400_000;
	const found = new Map<number, number>();
	for (let i = 1; i < series.length; i++) {
		const time = at(series.open_time, i);
		if (time - at(series.open_time, i - 1) === step)
			found.set(time, Math.log(at(series.close, i) / at(series.close, i - 1)));
	}
	return found;
}

/** Daily log returns on common days; before a perp's first return its spot market stands in. */
export function alignedReturns(
	position: Series,
	sources: readonly { series: Series; before?: Series | undefined }[],
): HedgeReturns {
	const own = returnsByDay(position);
	const legs = sources.map(({ series, before }) => {
		const perp = returnsByDay(series);
		const first = perp.keys().next().value ?? Number.POSITIVE_INFINITY;
		const earlier = before ? [...returnsByDay(before)].filter(([day]) => day < first) : [];
		return { first, byDay: new Map([...earlier, ...perp]) };
	});
	const days = [...own.keys()].filter((day) => legs.every(({ byDay }) => byDay.has(day)));
	const column = (byDay: ReadonlyMap<number, number>): Column =>
		Float64Array.from(days, (day) => byDay.get(day) ?? Number.NaN);
	return {
		position: column(own),
		legs: legs.map(({ byDay }) => column(byDay)),
		days,
		standInDays: days.filter((day) => legs.some(({ first }) => day < first)).length,
	};
}
