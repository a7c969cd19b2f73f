import { TIMEFRAME_MS } from "./contract.ts";
import { createDraws, hashKey } from "./simulated-random.ts";
import type { DailyPath } from "./simulated-world.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
export const DAYS_PER_YEAR = 365;

/** Days over which the variance of today fades into the usual one: the market's GARCH keeps 0.97 a day. */
const FADE_DAYS = 33;
/** Days whose mean variance is taken for the usual one. */
const USUAL_DAYS = 365;
/** Jumps and drifts that the path's sigma leaves out, as a share of volatility. */
const BEYOND_SIGMA = 1.12;
/** Log premium of implied over expected volatility: an Ornstein-Uhlenbeck process by days. */
const PREMIUM = { mean: 0.06, deviation: 0.19, phi: 0.95 };
/** What moves the short end alone, fading with the tenor. */
const SHORT_END = { deviation: 0.1, phi: 0.85, fadeDays: 10 };
/** Yearly basis of the forwards over the spot price. */
const BASIS = { mean: 0.05, deviation: 0.04, phi: 0.97 };
/** Tilt of the smile (SSVI's rho), and its steepness. */
const TILT = { mean: -0.1, deviation: 0.1, phi: 0.97, max: 0.35 };
const STEEPNESS = 0.85;

/** State of a base's surface by day number, each known as its day begins. */
export interface SurfaceDays {
	path: DailyPath;
	/** Daily variances: today's and the usual one. */
	variance: Float64Array;
	usual: Float64Array;
	/** Log premium of the whole surface and of its short end. */
	premium: Float64Array;
	shortEnd: Float64Array;
	/** Fraction a year. */
	basis: Float64Array;
	tilt: Float64Array;
}

/** Draws of one process each, so that what one takes never moves another; a longer path only adds days. */
export function makeSurfaceDays(seed: number, base: string, path: DailyPath): SurfaceDays {
	const { days } = path;
	const process = (name: string, { mean, deviation, phi }: { mean: number; deviation: number; phi: number }) => {
		const draws = createDraws(hashKey(seed, `options:${name}:${base}`));
		const shock = deviation * Math.sqrt(1 - phi * phi);
		let value = deviation * draws.normal();
		return Float64Array.from({ length: days }, () => {
			value = phi * value + shock * draws.normal();
			return mean + value;
		});
	};
	const variance = Float64Array.from({ length: days }, (_, day) => ((path.sigma[day] as number) * BEYOND_SIGMA) ** 2);
	const usual = new Float64Array(days);
	let sum = 0;
	for (let day = 0; day < days; day++) {
		sum += (variance[day] as number) - (day >= USUAL_DAYS ? (variance[day - USUAL_DAYS] as number) : 0);
		usual[day] = sum / Math.min(day + 1, USUAL_DAYS);
	}
	return {
		path,
		variance,
		usual,
		premium: process("premium", PREMIUM),
		shortEnd: process("short", { mean: 0, ...SHORT_END }),
		basis: process("basis", BASIS),
		tilt: process("tilt", TILT).map((value) => Math.min(TILT.max, Math.max(-TILT.max, value))),
	};
}

/** At-the-money volatility of a tenor in days on a day number, fraction a year. */
export function atmVolatility(surface: SurfaceDays, day: number, tenorDays: number): number {
	const now = surface.variance[day] as number;
	const usual = surface.usual[day] as number;
	const fade = (FADE_DAYS / tenorDays) * (1 - Math.exp(-tenorDays / FADE_DAYS));
	const expected = usual + (now - usual) * fade;
	const premium =
		(surface.premium[day] as number) + (surface.shortEnd[day] as number) * Math.exp(-tenorDays / SHORT_END.fadeDays);
	return Math.sqrt(DAYS_PER_YEAR * expected) * Math.exp(premium);
}

/**
 * Implied volatility at log moneyness ln(K/F) of the SSVI surface (Gatheral and Jacquier 2014) with
 * phi = eta / sqrt(theta (1 + theta)); eta (1 + |rho|) <= 2 and theta growing with the tenor keep it
 * free of butterfly and calendar arbitrage (their theorem 4.2 and remark 4.4). `theta` is the total
 * variance at the money.
 */
export function smileVolatility(theta: number, years: number, tilt: number, logMoneyness: number): number {
	const scaled = (STEEPNESS / Math.sqrt(theta * (1 + theta))) * logMoneyness;
	const total = (theta / 2) * (1 + tilt * scaled + Math.sqrt((scaled + tilt) ** 2 + 1 - tilt * tilt));
	return Math.sqrt(total / years);
}

/** Forward of an instant `years` ahead. */
export const forwardOf = (spot: number, surface: SurfaceDays, day: number, years: number): number =>
	spot * Math.exp((surface.basis[day] as number) * years);

export const daysUntil = (fromMs: number, untilMs: number): number => (untilMs - fromMs) / DAY_MS;
