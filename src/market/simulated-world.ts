import { TIMEFRAME_MS } from "./contract.ts";
import type { Sector, SimulatedCoin } from "./simulated-coins.ts";
import { SIMULATED_COINS } from "./simulated-coins.ts";
import {
	type Factor,
	hasRevertingResiduals,
	marketFactor,
	OVERSHOOT,
	overshootShock,
	ownFactor,
	ownScale,
	sectorFactor,
} from "./simulated-factors.ts";
import type { Draws } from "./simulated-random.ts";
import { createDraws, hashKey } from "./simulated-random.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
/** The exchange opens here; nothing is older. Fixed, because a day must never change as time goes on. */
export const SIMULATION_START_MS = Date.UTC(2021, 0, 1);
/** Paths are made in whole blocks of days, so that a growing clock extends them rarely. */
const BLOCK_DAYS = 128;

/**
 * Spread of a planted pair: half-life ln 0.5 / ln 0.85 = 4.3 days, in the bucket of 2-7 days that did
 * best when measured.
 */
export const PAIR_SPREAD = { phi: 0.85, vol: 0.06 };
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
		const made = name === "market" ? marketFactor(draws, days) : sectorFactor(draws, days);
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
		const own = ownFactor(draws, drawsOf("residual"), days, coin, reverting);
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
