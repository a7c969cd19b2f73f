import type { SimulatedCoin } from "./simulated-coins.ts";
import type { Draws } from "./simulated-random.ts";
import { createDraws, hashKey } from "./simulated-random.ts";

/*
 * Parameters, as daily log returns. Targets are figures measured on recorded coins: an equal-weight
 * portfolio has about 69 % volatility a year, one BTC hedge takes out about half the variance, trend rules
 * win 0.45 of their trades with a positive mean and daily mean reversion 0.57.
 * Trend persistence is put in on purpose (regimes of the market, slow drifts of single coins): without
 * it every directional rule would honestly end as negative expectancy, and there would be nothing to
 * show. Overshoots that decay within days, mostly panics, do the same for mean reversion.
 */
const MARKET = { vol: 0.031, arch: 0.12, garch: 0.85, anchorDays: 300 };
/** Days a market regime lasts on average, and its drifts: rising, falling, sideways. */
const REGIME_DAYS = 75;
const REGIME_DRIFTS = [0.0045, -0.004, 0];
const SECTOR = { vol: 0.01, arch: 0.08, garch: 0.88, driftVol: 0.0015, driftDays: 40, anchorDays: 400 };
const COIN = { vol: 0.023, arch: 0.14, garch: 0.82, driftVol: 0.0032, driftDays: 32, anchorDays: 300 };
/** Overshoots: a share of days carries a shock that decays by this factor a day. */
export const OVERSHOOT = { share: 0.035, vol: 0.075, decay: 0.74, panicShare: 0.8 };
/**
 * News: on a share of days a coin jumps, its drift shifts the same way, and volume rises with the size
 * of the news. This is what a break on raised volume can honestly tell from one on none.
 */
const NEWS = { share: 0.04, jump: 0.024, drift: 1.25 };
/*
 * On a share of exchanges relative prices revert: what most coins do beyond the factors is mostly an
 * Ornstein-Uhlenbeck residual, so that a basket against common factors has something to earn there; on
 * the others residuals drift and it honestly loses, as measured. The half-life of ln 0.5 / ln phi = 6.6
 * days is that of the quickest cointegrated pairs of measured coins (6.6 to 12.8 days among the seven
 * discoveries of the reference snapshot), far below the half window of 30 days that Avellaneda and Lee
 * (2010) ask for.
 */
export const RESIDUAL = { exchangeShare: 0.2, coinShare: 0.6, phi: 0.9, walkShare: 0.25 };

/** A factor as cumulated log returns with the volatility of each day. */
export interface Factor {
	level: Float64Array;
	sigma: Float64Array;
	news: Float64Array;
}

/** Regimes with a drift, GARCH(1,1) volatility (Bollerslev 1986), fat tails, a weak pull to the start. */
export function marketFactor(draws: Draws, days: number): Factor {
	const level = new Float64Array(days);
	const sigma = new Float64Array(days);
	let variance = MARKET.vol ** 2;
	let value = 0;
	let drift = REGIME_DRIFTS[2] as number;
	let overshoot = 0;
	for (let day = 0; day < days; day++) {
		const [turn, choice] = [draws.uniform(), draws.uniform()];
		if (turn < 1 / REGIME_DAYS) drift = REGIME_DRIFTS[Math.floor(choice * REGIME_DRIFTS.length)] as number;
		const shock = Math.sqrt(variance) * draws.fatTailed();
		sigma[day] = Math.sqrt(variance);
		value += drift - value / MARKET.anchorDays + shock;
		overshoot = OVERSHOOT.decay * overshoot + overshootShock(draws);
		level[day] = value + overshoot;
		variance = nextVariance(variance, shock, MARKET, 1);
	}
	return { level, sigma, news: new Float64Array(days) };
}

/** Always three draws, so that what follows in the sequence does not depend on the day. */
export function overshootShock(draws: Draws): number {
	const [hit, panic, size] = [draws.uniform(), draws.uniform(), Math.abs(draws.normal())];
	if (hit >= OVERSHOOT.share) return 0;
	return OVERSHOOT.vol * (panic < OVERSHOOT.panicShare ? -size : size);
}

/** A factor whose drift is itself a slow autoregression: trends of some weeks that nobody announced. */
function slowFactor(draws: Draws, days: number, p: typeof SECTOR, scale: number, newsShare: number): Factor {
	const level = new Float64Array(days);
	const sigma = new Float64Array(days);
	const news = new Float64Array(days);
	const phi = 1 - 1 / p.driftDays;
	const driftShock = p.driftVol * Math.sqrt(1 - phi * phi);
	let variance = (p.vol * scale) ** 2;
	let value = 0;
	let drift = 0;
	for (let day = 0; day < days; day++) {
		const [hit, size] = [draws.uniform(), draws.normal()];
		const told = hit < newsShare ? size : 0;
		news[day] = Math.abs(told);
		drift = phi * drift + scale * (driftShock * draws.normal() + NEWS.drift * p.driftVol * told);
		const shock = Math.sqrt(variance) * draws.fatTailed();
		sigma[day] = Math.sqrt(variance);
		value += drift - value / p.anchorDays + shock + NEWS.jump * scale * told;
		level[day] = value;
		variance = nextVariance(variance, shock, p, scale);
	}
	return { level, sigma, news };
}

/** Whether residuals revert on the exchange of this seed. */
export const hasRevertingResiduals = (seed: number): boolean =>
	createDraws(hashKey(seed, "reverting")).uniform() < RESIDUAL.exchangeShare;

/** A coin's own factor of which all but a share is a residual that reverts, on most coins; variance as before. */
function withResidual(draws: Draws, residual: Draws, days: number, scale: number): Factor {
	const reverts = residual.uniform() < RESIDUAL.coinShare;
	const own = slowFactor(draws, days, COIN, reverts ? scale * RESIDUAL.walkShare : scale, NEWS.share);
	if (!reverts) return own;
	const shock = scale * COIN.vol * Math.sqrt(1 - RESIDUAL.walkShare ** 2);
	let value = 0;
	for (let day = 0; day < days; day++) {
		value = RESIDUAL.phi * value + shock * residual.normal();
		own.level[day] = (own.level[day] as number) + value;
		own.sigma[day] = Math.sqrt((own.sigma[day] as number) ** 2 + shock ** 2);
	}
	return own;
}

function nextVariance(
	variance: number,
	shock: number,
	p: { vol: number; arch: number; garch: number },
	scale: number,
): number {
	const longRun = (p.vol * scale) ** 2;
	return (1 - p.arch - p.garch) * longRun + p.arch * shock * shock + p.garch * variance;
}

/** Majors move less on their own than small coins do. */
export function ownScale(coin: SimulatedCoin): number {
	const size = Math.log10(coin.spot_volume + coin.perp_volume);
	return Math.min(1.3, Math.max(0.4, 1.15 - 0.2 * (size - 7)));
}

export const sectorFactor = (draws: Draws, days: number): Factor => slowFactor(draws, days, SECTOR, 1, 0);

/** What a coin does on its own; `residual` is read only where residuals revert. */
export function ownFactor(
	draws: Draws,
	residual: Draws,
	days: number,
	coin: SimulatedCoin,
	reverting: boolean,
): Factor {
	const scale = ownScale(coin);
	return reverting ? withResidual(draws, residual, days, scale) : slowFactor(draws, days, COIN, scale, NEWS.share);
}
