import type { FundingSeries } from "../market/contract.ts";
import { at } from "./columns.ts";
import type { VenueFunding } from "./contract.ts";
import {
	E8,
	exceedsThreshold,
	type FundingWindow,
	firstAfter,
	HOUR_MS,
	isPersistent,
	newestSettlement,
	PAST_HOURS,
	PAST_UNITS,
	settledBetween,
} from "./funding-rates.ts";
import { type FundingSample, HORIZON_DAYS, HORIZON_UNITS } from "./funding-samples.ts";

const DAY_MS = 24 * HOUR_MS;
const UNIT_MS = 8 * HOUR_MS;

/**
 * What one perp paid more than another over the 72 hours that end with the newest settlement both have up to
 * atMs, in nine units of 8 hours: contracts of 1, 4 and 8 hours have no common settlement but these. `settlements`
 * counts those of the one that had fewer. null where one of them does not reach back so far.
 */
export function differenceWindow(a: FundingSeries, b: FundingSeries, atMs: number): FundingWindow | null {
	const newest = (funding: FundingSeries) => at(funding.funding_time, firstAfter(funding.funding_time, atMs) - 1);
	const endMs = Math.min(newest(a), newest(b));
	const startMs = endMs - PAST_HOURS * HOUR_MS;
	if (!(at(a.funding_time, 0) <= startMs + UNIT_MS && at(b.funding_time, 0) <= startMs + UNIT_MS)) return null;
	const units: number[] = [];
	let [ofA, ofB] = [0, 0];
	for (let unit = 0; unit < PAST_UNITS; unit++) {
		const from = startMs + unit * UNIT_MS;
		const [paidA, paidB] = [settledBetween(a, from, from + UNIT_MS), settledBetween(b, from, from + UNIT_MS)];
		if (!paidA || !paidB) return null;
		ofA += paidA.settlements;
		ofB += paidB.settlements;
		units.push(paidA.sumE8 - paidB.sumE8);
	}
	const sumE8 = units.reduce((sum, unit) => sum + unit, 0);
	return {
		settlements: Math.min(ofA, ofB),
		sumE8,
		largestE8: units.reduce((largest, unit) => (Math.abs(unit) > Math.abs(largest) ? unit : largest), 0),
		agreeing: units.filter((unit) => Math.sign(unit) === Math.sign(sumE8)).length,
		newestMs: endMs,
	};
}

/** Names the same pair of venues whichever comes first. */
export const venuePairName = (base: string, a: string, b: string): string => `${base} ${[a, b].sort().join("/")}`;

/**
 * One sample a day of every two venues of a base: the 3-day difference before it, leaning to the side that then
 * earns it, and what the next 7 days paid to that side (below 0: it turned). All settled by `asOfMs`.
 */
export function differenceSamples(all: readonly VenueFunding[], asOfMs = Number.POSITIVE_INFINITY): FundingSample[] {
	const byBase = new Map<string, FundingSeries[]>();
	for (const { base, funding } of all) if (funding.length > 0) byBase.set(base, [...(byBase.get(base) ?? []), funding]);
	return [...byBase]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.flatMap(([base, venues]) => {
			const ordered = [...venues].sort((x, y) =>
				x.venue < y.venue ? -1 : x.venue > y.venue ? 1 : x.symbol < y.symbol ? -1 : 1,
			);
			return ordered.flatMap((a, i) =>
				ordered.slice(i + 1).flatMap((b) => (a.venue === b.venue ? [] : samplesOfPair(base, a, b, asOfMs))),
			);
		});
}

function samplesOfPair(base: string, a: FundingSeries, b: FundingSeries, asOfMs: number): FundingSample[] {
	const samples: FundingSample[] = [];
	const oldest = Math.max(at(a.funding_time, 0), at(b.funding_time, 0));
	const newest = Math.min(...[a, b].map((one) => newestSettlement(one, asOfMs) ?? Number.NEGATIVE_INFINITY));
	const first = Math.ceil(oldest / DAY_MS) * DAY_MS + PAST_HOURS * HOUR_MS;
	for (let timeMs = first; timeMs + HORIZON_DAYS * DAY_MS <= newest; timeMs += DAY_MS) {
		const window = differenceWindow(a, b, timeMs);
		const ahead = [a, b].map((one) => settledBetween(one, timeMs, timeMs + HORIZON_DAYS * DAY_MS));
		const [aheadA, aheadB] = ahead;
		// Holes in a record are not days without funding.
		const complete =
			window && window.newestMs > timeMs - UNIT_MS && window.settlements >= PAST_UNITS && aheadA && aheadB;
		if (!complete || Math.min(aheadA.settlements, aheadB.settlements) < HORIZON_UNITS) continue;
		const side = window.sumE8 < 0 ? -1 : 1;
		samples.push({
			symbol: venuePairName(base, a.venue, b.venue),
			timeMs,
			past: (side * window.sumE8) / PAST_UNITS / E8,
			forward: (side * (aheadA.sumE8 - aheadB.sumE8)) / HORIZON_UNITS / E8,
			signal: exceedsThreshold(window.sumE8) && isPersistent(window),
		});
	}
	return samples;
}
