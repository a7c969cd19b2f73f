import { TIMEFRAME_MS } from "./contract.ts";
import type { Sector, SimulatedCoin } from "./simulated-coins.ts";
import { SIMULATED_COINS } from "./simulated-coins.ts";
import type { Draws } from "./simulated-random.ts";
import { createDraws, hashKey } from "./simulated-random.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
/** The exchange opens here; nothing is older. Fixed, because a day must never change as time goes on. */
export const SIMULATION_START_MS = Date.UTC(2021, 0, 1);
/** Paths are made in whole blocks of days, so that a growing clock extends them rarely. */
const BLOCK_DAYS = 128;

/*
 * Parameters, as daily log returns. Targets are the figures of STRATEGIES.md: an equal-weight portfolio
 * of coins has about 69 % volatility a year (6.8), one BTC hedge takes out about half the variance (6.7,
 * 6.14), trend rules win 0.45 of their trades with a positive mean and daily mean reversion 0.57 (7.1).
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
const OVERSHOOT = { share: 0.035, vol: 0.075, decay: 0.74, panicShare: 0.8 };
/**
 * News: on a share of days a coin jumps, its drift shifts the same way, and volume rises with the size
 * of the news. This is what a break on raised volume can honestly tell from one on none.
 */
const NEWS = { share: 0.04, jump: 0.024, drift: 1.25 };
/**
 * Spread of a planted pair: half-life ln 0.5 / ln 0.85 = 4.3 days, in the bucket of 2-7 days that did
 * best when measured (STRATEGIES.md 6.2).
 */
export const PAIR_SPREAD = { phi: 0.85, vol: 0.06 };
/*
 * On a share of exchanges relative prices revert: what most coins do beyond the factors is mostly an
 * Ornstein-Uhlenbeck residual, so that a basket against common factors has something to earn there; on
 * the others residuals drift and it honestly loses, as measured. The half-life of ln 0.5 / ln phi = 6.6
 * days is that of the quickest cointegrated pairs of measured coins (6.6 to 12.8 days among the seven
 * discoveries of the reference snapshot), far below the half window of 30 days that Avellaneda and Lee
 * (2010) ask for.
 */
export const RESIDUAL = { exchangeShare: 0.2, coinShare: 0.6, phi: 0.9, walkShare: 0.25 };
const GOLD_VOL = 0.009;

/** One coin's days from the start of the simulation; the listing window is applied by the reader. */
export interface DailyPath {
	days: number;
	/** Log price at the end of each day; the day opens where the one before closed. */
	logClose: Float64Array;
	/** Log price before the first day. */
	logStart: number;
	/** Standard deviation of the log return expected for the day. */
	sigma: Float64Array;
	/** Size of the day's news in standard deviations of news, 0 on most days. */
	news: Float64Array;
}

export interface SimulatedWorld {
	readonly seed: number;
	/** The path up to and including the day of `atMs` at least. */
	path(base: string, atMs: number): DailyPath;
}

export const dayIndex = (atMs: number): number => Math.floor((atMs - SIMULATION_START_MS) / DAY_MS);

/** A factor as cumulated log returns with the volatility of each day. */
interface Factor {
	level: Float64Array;
	sigma: Float64Array;
	news: Float64Array;
}

/** Paths are functions of the seed; they are remembered up to the furthest day anyone has asked for. */
export function createSimulatedWorld(seed: number): SimulatedWorld {
	const coins = new Map(SIMULATED_COINS.map((coin) => [coin.base, coin]));
	let days = 0;
	let factors = new Map<string, Factor>();
	let paths = new Map<string, DailyPath>();

	const reverting = hasRevertingResiduals(seed);

	const factor = (name: "market" | Sector): Factor => {
		const known = factors.get(name);
		if (known) return known;
		const draws = createDraws(hashKey(seed, `factor:${name}`));
		const made = name === "market" ? marketFactor(draws, days) : slowFactor(draws, days, SECTOR, 1, 0);
		factors.set(name, made);
		return made;
	};

	const path = (base: string): DailyPath => {
		const known = paths.get(base);
		if (known) return known;
		const coin = coins.get(base);
		if (!coin) throw new RangeError(`the simulated exchange has no coin '${base}'`);
		const drawsOf = (stream: string) => createDraws(hashKey(seed, `${stream}:${base}`));
		const made = makePath(coin, drawsOf, days, { factor, path, reverting });
		paths.set(base, made);
		return made;
	};

	return {
		seed,
		path(base, atMs) {
			const needed = dayIndex(atMs) + 1;
			if (needed > days) {
				days = Math.ceil(needed / BLOCK_DAYS) * BLOCK_DAYS;
				factors = new Map();
				paths = new Map();
			}
			return path(base);
		},
	};
}

/** Regimes with a drift, GARCH(1,1) volatility (Bollerslev 1986), fat tails, a weak pull to the start. */
function marketFactor(draws: Draws, days: number): Factor {
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
function overshootShock(draws: Draws): number {
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

/** What a coin's path may build on. */
interface Surroundings {
	factor(name: "market" | Sector): Factor;
	path(base: string): DailyPath;
	reverting: boolean;
}

function makePath(
	coin: SimulatedCoin,
	drawsOf: (stream: string) => Draws,
	days: number,
	{ factor, path: pathOf, reverting }: Surroundings,
): DailyPath {
	const { rule } = coin;
	const draws = drawsOf("coin");
	if (rule.kind === "factor") {
		// A sequence for each loop over the days: what one draws must not move with the number of days.
		const own = reverting
			? withResidual(draws, drawsOf("residual"), days, ownScale(coin))
			: slowFactor(draws, days, COIN, ownScale(coin), NEWS.share);
		return factorPath(coin, rule.beta, own, drawsOf("overshoot"), factor("market"), factor(rule.sector), days);
	}
	if (rule.kind === "pair") return pairPath(coin, rule.slope, draws, pathOf(rule.with), days);
	if (rule.kind === "follower") return followerPath(coin, rule.leverage, draws, pathOf(rule.of), days);
	const vol = rule.kind === "stable" ? 0.0004 : GOLD_VOL;
	return walkPath(coin, vol, rule.kind === "stable" ? 2 : 600, draws, days);
}

function emptyPath(coin: SimulatedCoin, days: number): DailyPath {
	const column = () => new Float64Array(days);
	return { days, logClose: column(), logStart: Math.log(coin.price), sigma: column(), news: column() };
}

/** Majors move less on their own than small coins do. */
function ownScale(coin: SimulatedCoin): number {
	const size = Math.log10(coin.spot_volume + coin.perp_volume);
	return Math.min(1.3, Math.max(0.4, 1.15 - 0.2 * (size - 7)));
}

function factorPath(
	coin: SimulatedCoin,
	beta: number,
	own: Factor,
	draws: Draws,
	market: Factor,
	sector: Factor,
	days: number,
): DailyPath {
	const path = emptyPath(coin, days);
	const scale = ownScale(coin);
	path.news.set(own.news);
	let overshoot = 0;
	for (let day = 0; day < days; day++) {
		overshoot = OVERSHOOT.decay * overshoot + scale * overshootShock(draws);
		const level =
			beta * (market.level[day] as number) + 0.8 * (sector.level[day] as number) + (own.level[day] as number);
		path.logClose[day] = path.logStart + level + overshoot;
		const [common, shared, alone] = [
			beta * (market.sigma[day] as number),
			0.8 * (sector.sigma[day] as number),
			own.sigma[day] as number,
		];
		// Math.hypot guards against overflow at ten times the cost; there is none to guard against here.
		path.sigma[day] = Math.sqrt(common * common + shared * shared + alone * alone);
	}
	return path;
}

function pairPath(coin: SimulatedCoin, slope: number, draws: Draws, other: DailyPath, days: number): DailyPath {
	const path = emptyPath(coin, days);
	const shock = PAIR_SPREAD.vol * Math.sqrt(1 - PAIR_SPREAD.phi ** 2);
	let spread = 0;
	for (let day = 0; day < days; day++) {
		spread = PAIR_SPREAD.phi * spread + shock * draws.normal();
		path.logClose[day] = path.logStart + slope * ((other.logClose[day] as number) - other.logStart) + spread;
		path.sigma[day] = Math.sqrt((slope * (other.sigma[day] as number)) ** 2 + shock ** 2);
	}
	return path;
}

/** Daily returns of another coin times the leverage, with a small tracking error that decays. */
function followerPath(coin: SimulatedCoin, leverage: number, draws: Draws, other: DailyPath, days: number): DailyPath {
	const path = emptyPath(coin, days);
	let value = 0;
	let error = 0;
	let before = other.logStart;
	for (let day = 0; day < days; day++) {
		const now = other.logClose[day] as number;
		// Leverage decays with variance and would run away over years; the pull stands for re-denominations.
		value += leverage * (now - before) - (leverage === 1 ? 0 : value / 120);
		error = 0.6 * error + 0.0008 * draws.normal();
		before = now;
		path.logClose[day] = path.logStart + value + error;
		path.sigma[day] = leverage * (other.sigma[day] as number);
	}
	return path;
}

function walkPath(coin: SimulatedCoin, vol: number, anchorDays: number, draws: Draws, days: number): DailyPath {
	const path = emptyPath(coin, days);
	let value = 0;
	for (let day = 0; day < days; day++) {
		value += vol * draws.fatTailed() - value / anchorDays;
		path.logClose[day] = path.logStart + value;
		path.sigma[day] = vol;
	}
	return path;
}
