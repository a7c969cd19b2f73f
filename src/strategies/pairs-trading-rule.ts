import type { Column } from "./columns.ts";
import { engleGranger } from "./statistics/cointegration.ts";
import { betterOfTwo, discoveries } from "./statistics/false-discovery.ts";
import type { PairFit } from "./statistics/pair-fit.ts";

/** Daily closes a pair is judged by, and days its parameters stay frozen. */
export const FORMATION_DAYS = 365;
export const TRADING_DAYS = 90;
export const CORRELATION_MIN = 0.3;
export const FALSE_DISCOVERY_RATE = 0.1;
/** Below it a pair that is no discovery is said to fail by the number of tests, not by itself. */
export const P_RAW = 0.05;
export const HALVES_P_MAX = 0.2;
export const Z_ENTRY = 2;
export const Z_ENTRY_MAX = 3.5;
export const Z_EXIT = 0.5;
export const Z_STOP = 4;
const HOLD_DAYS_MAX = 45;
const HOLD_HALF_LIVES_MAX = 3;
/** Lower bounds of half-life, days: pairs are graded by bucket. */
export const HALF_LIFE_BUCKETS = [2, 7, 14] as const;

/** What may differ between the rule that is traded and the measured table. */
export interface PairRule {
	readonly name: string;
	readonly halfLifeMin: number;
	readonly halfLifeMax: number;
	/** The spread must also look stationary in each half of the formation. */
	readonly halves: boolean;
}

export const PAIR_RULE: PairRule = {
	name: "pairs_trading/1d,365+90,fdr10 of both directions,halflife2-30,halves,2<=z<=3.5,exit.5,stop4",
	halfLifeMin: 2,
	halfLifeMax: 30,
	halves: true,
};

/** The rule that was measured on recorded data (docs/strategies). */
export const TABLE_RULE: PairRule = {
	name: "pairs_trading/1d,365+90,fdr10,halflife2-45,2<=z<=3.5,exit.5,stop4",
	halfLifeMin: 2,
	halfLifeMax: 45,
	halves: false,
};

/**
 * Which of a window's pairs are discoveries among all that were tested. Both directions were tried and
 * the better one kept, which the p of that one direction does not know: uncorrected, one scan in six of
 * independent random walks has a discovery, corrected one in twelve.
 */
export const discoveredPairs = (fits: readonly PairFit[]): boolean[] =>
	discoveries(
		fits.map(({ p }) => betterOfTwo(p)),
		FALSE_DISCOVERY_RATE,
	);

/** Discoveries as the measured table counted them, by the p of the better direction as it stands. */
export const tabledPairs = (fits: readonly PairFit[]): boolean[] =>
	discoveries(
		fits.map(({ p }) => p),
		FALSE_DISCOVERY_RATE,
	);

/** Days a trade may stay open, counted from its signal. */
export const holdDaysOf = (halfLife: number): number => Math.min(HOLD_DAYS_MAX, HOLD_HALF_LIVES_MAX * halfLife);

export const halfLifeFits = (halfLife: number, rule: PairRule): boolean =>
	halfLife >= rule.halfLifeMin && halfLife <= rule.halfLifeMax;

/** Place in HALF_LIFE_BUCKETS. */
export const bucketOf = (halfLife: number): number =>
	HALF_LIFE_BUCKETS.reduce<number>((found, from, i) => (halfLife >= from ? i : found), 0);

export const bucketName = (bucket: number, rule: PairRule): string =>
	`${HALF_LIFE_BUCKETS[bucket]}-${HALF_LIFE_BUCKETS[bucket + 1] ?? rule.halfLifeMax}d`;

/** p-values of the same direction, fitted anew in each half of the formation. */
export function halvesP(y: Column, x: Column): [first: number, second: number] {
	const middle = Math.floor(y.length / 2);
	const of = (from: number, to: number) =>
		engleGranger(y.subarray(from, to), x.subarray(from, to), { trend: "c", lags: 1 }).p;
	return [of(0, middle), of(middle, y.length)];
}

/** Both halves look stationary too. */
export const halvesHold = ([first, second]: readonly [number, number]): boolean =>
	first < HALVES_P_MAX && second < HALVES_P_MAX;

/** Spread in deviations at log prices y and x, parameters frozen. */
export const zOf = (fit: PairFit, logY: number, logX: number): number =>
	(logY - fit.intercept - fit.slope * logX) / fit.deviation;

/** Share of the gross value between z and the stop. */
export const stopDistanceOf = (fit: PairFit, z: number): number =>
	((Z_STOP - Math.abs(z)) * fit.deviation) / (1 + fit.slope);
