import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { at, type Column, last } from "./columns.ts";
import type { Candidate, MarketView } from "./contract.ts";
import { PAIR_SYMBOLS_MAX } from "./pair-counts.ts";
import { FORMATION_DAYS } from "./pairs-trading-rule.ts";
import { checkSeries, MISSING_SHARE_MAX, type Refusal } from "./quality.ts";
import { fitPair, type Leg, legOf, type PairFit } from "./statistics/pair-fit.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

/** A candidate as a leg of pairs. */
export interface PairLeg {
	candidate: Candidate;
	base: string;
	series: Series;
	/** The whole formation window without holes; null: its pairs are joined bar by bar. */
	window: Leg | null;
}

/** A pair whose data were good enough to be tested; legs by base in alphabetical order. */
export interface PairTest {
	/** `ETH-LINK`. */
	name: string;
	y: PairLeg;
	x: PairLeg;
	/** Log closes the fit was made on. */
	logY: Column;
	logX: Column;
	/** Open of the newest common bar, epoch ms. */
	newestMs: number;
	fit: PairFit;
}

export interface RefusedPair extends Refusal {
	name: string;
	/** The candidate whose data are missing or unfit. */
	cause?: string;
}

type Read = { base: string; candidate: Candidate } & ({ leg: PairLeg } | { refusal: Refusal });

/**
 * All pairs of the candidates, tested or refused; beyond 25 candidates those of the highest volume
 * (ties by symbol). The order of candidates does not matter.
 */
export function scanPairs(
	candidates: readonly Candidate[],
	view: MarketView,
): { tests: PairTest[]; refused: RefusedPair[] } {
	const volume = ({ asset, market }: Candidate) => asset?.volume_usd_24h ?? market?.volume_usd_24h ?? 0;
	const reads = [...candidates]
		.sort((a, b) => volume(b) - volume(a) || (a.symbol < b.symbol ? -1 : 1))
		.slice(0, PAIR_SYMBOLS_MAX)
		.map((candidate) => readLeg(candidate, view))
		.sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : a.candidate.symbol < b.candidate.symbol ? -1 : 1));
	const tests: PairTest[] = [];
	const refused: RefusedPair[] = [];
	reads.forEach((a, i) => {
		for (const b of reads.slice(i + 1)) {
			const name = `${a.base}-${b.base}`;
			const outcome = testPair(name, a, b);
			if ("fit" in outcome) tests.push(outcome);
			else refused.push(outcome);
		}
	});
	return { tests, refused };
}

function readLeg(candidate: Candidate, view: MarketView): Read {
	const base = candidate.market?.base ?? candidate.asset?.base ?? candidate.symbol.split("/")[0] ?? candidate.symbol;
	const check = checkSeries(candidate, view, FORMATION_DAYS);
	if (!check.ok) return { base, candidate, refusal: { reason: check.reason, detail: check.detail } };
	const { series } = check;
	const from = series.length - FORMATION_DAYS;
	const whole = last(series.open_time) - at(series.open_time, from) === (FORMATION_DAYS - 1) * DAY_MS;
	const window = whole ? legOf(series.close.subarray(from).map(Math.log)) : null;
	return { base, candidate, leg: { candidate, base, series, window } };
}

function testPair(name: string, a: Read, b: Read): PairTest | RefusedPair {
	if (!("leg" in a && "leg" in b)) return refusedPair(name, a, b);
	const joined = join(a.leg, b.leg);
	if (!joined) return { name, reason: "gaps", detail: `too few common bars in ${FORMATION_DAYS} days` };
	const fit = fitPair(joined.a, joined.b);
	const [y, x, logY, logX] = fit.flipped
		? [b.leg, a.leg, joined.b.log, joined.a.log]
		: [a.leg, b.leg, joined.a.log, joined.b.log];
	return { name, y, x, logY, logX, newestMs: joined.newestMs, fit };
}

/** A read that failed speaks before a gate that did not hold. */
function refusedPair(name: string, a: Read, b: Read): RefusedPair {
	const refusals = [a, b].flatMap((read) => ("refusal" in read ? [read] : []));
	const first = refusals.find(({ refusal }) => refusal.reason === "fetch_failed") ?? refusals[0];
	if (!first) return { name, reason: "fetch_failed", detail: "no bars were read" };
	const { candidate, refusal } = first;
	return { name, reason: refusal.reason, detail: `${candidate.symbol}: ${refusal.detail}`, cause: candidate.symbol };
}

/** Both legs on their common days of the formation; null when more than 1 % of them are missing. */
function join(a: PairLeg, b: PairLeg): { a: Leg; b: Leg; newestMs: number } | null {
	const newestMs = last(a.series.open_time);
	if (a.window && b.window && newestMs === last(b.series.open_time)) return { a: a.window, b: b.window, newestMs };
	const [times, logA, logB]: [number[], number[], number[]] = [[], [], []];
	const from = Math.min(newestMs, last(b.series.open_time)) - (FORMATION_DAYS - 1) * DAY_MS;
	let j = 0;
	for (let i = 0; i < a.series.length; i++) {
		const time = at(a.series.open_time, i);
		while (at(b.series.open_time, j) < time) j++;
		if (time < from || at(b.series.open_time, j) !== time) continue;
		times.push(time);
		logA.push(Math.log(at(a.series.close, i)));
		logB.push(Math.log(at(b.series.close, j)));
	}
	if (times.length < (1 - MISSING_SHARE_MAX) * FORMATION_DAYS) return null;
	return { a: legOf(Float64Array.from(logA)), b: legOf(Float64Array.from(logB)), newestMs: times.at(-1) ?? newestMs };
}
