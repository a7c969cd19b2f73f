import { at, type Column, last } from "../columns.ts";
import { dot, meanOf } from "./least-squares.ts";
import { mackinnonP } from "./mackinnon.ts";
import { chanHalfLife } from "./reversion.ts";

/** One leg over the formation window; what its pairs share is computed once. */
export interface Leg {
	/** Log closes. */
	log: Column;
	mean: number;
	centred: Column;
	/** Sum of squares of `centred`. */
	squares: number;
	/** For t = 2..: centred level and difference of t-1, difference of t. */
	lagged: { level: Column; before: Column; change: Column };
	/** Products of the leg with itself. */
	own: Moments;
	/** Log returns less their mean, scaled to length 1. */
	returns: Column;
}

/** Sums over t = 2.. that make a Dickey-Fuller regression with one lag; bilinear in the two legs. */
interface Moments {
	levelLevel: number;
	levelBefore: number;
	beforeBefore: number;
	levelChange: number;
	beforeChange: number;
	changeChange: number;
}

/** `log`: log closes without holes. */
export function legOf(log: Column): Leg {
	const mean = meanOf(log);
	const centred = log.map((value) => value - mean);
	const steps = log.subarray(1).map((value, t) => value - at(log, t));
	const drift = meanOf(steps);
	const moves = steps.map((value) => value - drift);
	const size = Math.sqrt(dot(moves, moves));
	const lagged = { level: centred.slice(1, -1), before: steps.slice(0, -1), change: steps.slice(1) };
	return {
		log,
		mean,
		centred,
		squares: dot(centred, centred),
		lagged,
		own: momentsOf(lagged, lagged),
		returns: moves.map((value) => value / size),
	};
}

/** Each product of two unlike columns is the mean of both ways round, so that the form is symmetric. */
function momentsOf(a: Leg["lagged"], b: Leg["lagged"]): Moments {
	const { level: la, before: ba, change: ca } = a;
	const { level: lb, before: bb, change: cb } = b;
	let ll = 0;
	let lbSum = 0;
	let bbSum = 0;
	let lc = 0;
	let bc = 0;
	let cc = 0;
	for (let t = 0; t < la.length; t++) {
		const l1 = la[t] as number;
		const b1 = ba[t] as number;
		const c1 = ca[t] as number;
		const l2 = lb[t] as number;
		const b2 = bb[t] as number;
		const c2 = cb[t] as number;
		ll += l1 * l2;
		lbSum += l1 * b2 + b1 * l2;
		bbSum += b1 * b2;
		lc += l1 * c2 + c1 * l2;
		bc += b1 * c2 + c1 * b2;
		cc += c1 * c2;
	}
	return {
		levelLevel: ll,
		levelBefore: lbSum / 2,
		beforeBefore: bbSum,
		levelChange: lc / 2,
		beforeChange: bc / 2,
		changeChange: cc,
	};
}

/** The better direction of a pair: log y = intercept + slope * log x + e. */
export interface PairFit {
	/** true: the second leg is y. */
	flipped: boolean;
	intercept: number;
	slope: number;
	tau: number;
	/** MacKinnon, two series, constant. */
	p: number;
	halfLife: number;
	/** Sample standard deviation of e. */
	deviation: number;
	/** e of the newest bar in deviations. */
	z: number;
	/** Correlation of log returns. */
	correlation: number;
}

/**
 * Engle-Granger with one lag in both directions; the one with the smaller tau stays, the first at a
 * tie. The same numbers as `engleGranger`, but a residual's sums are a quadratic form in those of the
 * legs, so one pass over the bars serves both directions: a walk-forward asks thousands of times.
 */
export function fitPair(a: Leg, b: Leg): PairFit {
	const cross = dot(a.centred, b.centred);
	const joint = momentsOf(a.lagged, b.lagged);
	const straight = residualMoments(a.own, b.own, joint, cross / b.squares);
	const turned = residualMoments(b.own, a.own, joint, cross / a.squares);
	const taus = [tauOf(straight, a.log.length), tauOf(turned, a.log.length)] as const;
	const flipped = taus[1] < taus[0];
	const [y, x, moments, tau] = flipped ? [b, a, turned, taus[1]] : [a, b, straight, taus[0]];
	const slope = cross / x.squares;
	const deviation = Math.sqrt((y.squares - slope * cross) / (y.log.length - 1));
	return {
		flipped,
		intercept: y.mean - slope * x.mean,
		slope,
		tau,
		p: mackinnonP(tau, "c", 2),
		halfLife: chanHalfLife(speedOf(y, x, slope, moments)),
		deviation,
		z: (last(y.centred) - slope * last(x.centred)) / deviation,
		correlation: dot(a.returns, b.returns),
	};
}

/** Moments of y - slope * x. */
function residualMoments(y: Moments, x: Moments, joint: Moments, slope: number): Moments {
	const of = (own: number, shared: number, other: number) => own - 2 * slope * shared + slope * slope * other;
	return {
		levelLevel: of(y.levelLevel, joint.levelLevel, x.levelLevel),
		levelBefore: of(y.levelBefore, joint.levelBefore, x.levelBefore),
		beforeBefore: of(y.beforeBefore, joint.beforeBefore, x.beforeBefore),
		levelChange: of(y.levelChange, joint.levelChange, x.levelChange),
		beforeChange: of(y.beforeChange, joint.beforeChange, x.beforeChange),
		changeChange: of(y.changeChange, joint.changeChange, x.changeChange),
	};
}

/** Dickey-Fuller tau without deterministic terms, one lagged difference, over `bars` residuals. */
function tauOf(m: Moments, bars: number): number {
	const determinant = m.levelLevel * m.beforeBefore - m.levelBefore ** 2;
	const phi = (m.beforeBefore * m.levelChange - m.levelBefore * m.beforeChange) / determinant;
	const gamma = (m.levelLevel * m.beforeChange - m.levelBefore * m.levelChange) / determinant;
	const variance = (m.changeChange - phi * m.levelChange - gamma * m.beforeChange) / (bars - 4);
	return phi / Math.sqrt((variance * m.beforeBefore) / determinant);
}

/** phi of de = phi * e(-1); the moments begin one bar later, so the first is added. */
function speedOf(y: Leg, x: Leg, slope: number, moments: Moments): number {
	const [first, second] = [0, 1].map((t) => at(y.centred, t) - slope * at(x.centred, t)) as [number, number];
	return (moments.levelChange + first * (second - first)) / (moments.levelLevel + first * first);
}
