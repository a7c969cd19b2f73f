import type { FundingSeries } from "../market/contract.ts";
import { at, type Column } from "./columns.ts";

export const HOUR_MS = 3_600_000;
/** Window of the mean that decides, hours; nine 8-hour units. */
export const PAST_HOURS = 72;
export const PAST_UNITS = PAST_HOURS / 8;
/** Rates are integers of 1e-8, so that sums are exact and a threshold is strict. */
export const E8 = 100_000_000;
export const BP_E8 = 10_000;

/** What the settlements of one window say; sums in integer 1e-8 of notional. */
export interface FundingWindow {
	settlements: number;
	sumE8: number;
	/** The settlement that moved the sum most, signed. */
	largestE8: number;
	/** Of the newest nine settlements, how many have the sign of the sum. */
	agreeing: number;
	/** Time of the newest settlement, epoch ms; NaN without one. */
	newestMs: number;
}

/** Index of the first time after `ms`. */
export function firstAfter(times: Column, ms: number): number {
	let low = 0;
	let high = times.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (at(times, middle) <= ms) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** Newest settlement up to `asOfMs`, epoch ms; null without one. */
export function newestSettlement({ funding_time }: FundingSeries, asOfMs: number): number | null {
	const known = firstAfter(funding_time, asOfMs);
	return known === 0 ? null : at(funding_time, known - 1);
}

/**
 * The 72 hours that end with the newest settlement up to atMs: three full days for every interval, also
 * when the settlement of this very hour is still to come.
 */
export function pastWindow(funding: FundingSeries, atMs: number): FundingWindow {
	const end = firstAfter(funding.funding_time, atMs);
	const start = firstAfter(funding.funding_time, at(funding.funding_time, end - 1) - PAST_HOURS * HOUR_MS);
	let sumE8 = 0;
	let largestE8 = 0;
	for (let i = start; i < end; i++) {
		const rate = at(funding.rate_e8, i);
		sumE8 += rate;
		if (Math.abs(rate) > Math.abs(largestE8)) largestE8 = rate;
	}
	const sign = Math.sign(sumE8);
	let agreeing = 0;
	for (let i = Math.max(0, end - 9); i < end; i++) if (Math.sign(at(funding.rate_e8, i)) === sign) agreeing++;
	return { settlements: end - start, sumE8, largestE8, agreeing, newestMs: at(funding.funding_time, end - 1) };
}

/** Sum (integer 1e-8) and count of settlements in (fromMs, toMs]; null when the series ends before toMs. */
export function settledBetween(
	funding: FundingSeries,
	fromMs: number,
	toMs: number,
): { sumE8: number; settlements: number } | null {
	if (funding.length === 0 || at(funding.funding_time, funding.length - 1) < toMs) return null;
	let sumE8 = 0;
	const start = firstAfter(funding.funding_time, fromMs);
	const end = firstAfter(funding.funding_time, toMs);
	for (let i = start; i < end; i++) sumE8 += at(funding.rate_e8, i);
	return { sumE8, settlements: end - start };
}

/** A rate of any settlement interval as the rate of 8 hours. */
export const eightHourRate = (rate: number, intervalHours: number): number => (rate * 8) / intervalHours;

/** Simple annual rate: rate * (24 / interval) * 365. Fractions. */
export const simpleApr = (rate: number, intervalHours: number): number => rate * (24 / intervalHours) * 365;

/** The same, every settlement reinvested. */
export const compoundedApy = (rate: number, intervalHours: number): number =>
	(1 + rate) ** ((24 / intervalHours) * 365) - 1;

/** Settlements until a round trip is earned back. */
export const breakEvenIntervals = (roundTrip: number, rate: number): number => roundTrip / Math.abs(rate);

/** Fewest agreeing settlements of the newest nine. */
export const AGREEING_MIN = 7;

/** |3-day mean| above 1 bp per 8 hours, strictly: the venue's default rate is exactly 1 bp. */
export const exceedsThreshold = (sumE8: number): boolean => Math.abs(sumE8) > PAST_UNITS * BP_E8;

/** Not one settlement alone: without the largest the rest still exceeds the threshold, same sign. */
export const isPersistent = (window: FundingWindow): boolean =>
	window.agreeing >= AGREEING_MIN &&
	exceedsThreshold(window.sumE8 - window.largestE8) &&
	Math.sign(window.sumE8 - window.largestE8) === Math.sign(window.sumE8);
