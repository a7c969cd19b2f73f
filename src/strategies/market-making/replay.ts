import { at } from "../columns.ts";
import type { TapeSteps } from "../tape.ts";
import { fitIntensity, type Intensity } from "./intensity.ts";
import { optimalSpread, riskAversion } from "./quotes.ts";

/** Session over which inventory is to be worked off: one hour, in steps. */
export const SESSION_MINUTES = 60;
/** Lots held at most on either side; also the levels that capital is set aside for. */
export const INVENTORY_MAX = 3;
export const REPRICE_SECONDS = 10;
export const LATENCY_SECONDS = 1;
export const STEPS_PER_DAY = 86_400 / REPRICE_SECONDS;
const STEPS_PER_FIVE_MINUTES = 300 / REPRICE_SECONDS;
/** Least edge of a round trip beyond fees and adverse selection. */
export const EDGE_MIN = 0.0001;

/** How a maker quotes, in fractions of price; what he learned before he quotes. */
export interface MakerPlan {
	intensity: Intensity;
	/** Standard deviation of a minute's log return. */
	sigmaMinute: number;
	/** Per fraction of price. */
	gamma: number;
	/** Mid moves against the maker after a fill: 0.5 sigma sqrt(latency + hold). */
	adverse: number;
	/** Full quoted spread at no inventory. */
	spread: number;
	/** Reservation price falls by this for each lot held. */
	skewPerLot: number;
}

export const adverseSelection = (sigmaMinute: number): number =>
	0.5 * sigmaMinute * Math.sqrt((LATENCY_SECONDS + REPRICE_SECONDS) / 60);

/** The plan that fees, a fill intensity and a volatility lead to; all fractions of price. */
export function makerPlan(intensity: Intensity, sigmaMinute: number, makerFee: number): MakerPlan {
	const sigma = sigmaMinute * Math.sqrt(SESSION_MINUTES);
	const gamma = riskAversion(sigma, intensity.k, 1, INVENTORY_MAX);
	const adverse = adverseSelection(sigmaMinute);
	const optimal = optimalSpread({ gamma, sigma, k: intensity.k, tau: 1 });
	const spread = Math.max(optimal, 2 * makerFee + adverse + EDGE_MIN);
	return { intensity, sigmaMinute, gamma, adverse, spread, skewPerLot: gamma * sigma * sigma };
}

/** What the steps [from, until) teach; null where too little was traded. */
export function learnPlan(steps: TapeSteps, from: number, until: number, makerFee: number): MakerPlan | null {
	const excursions = new Float64Array(2 * (until - from));
	let [squares, moves] = [0, 0];
	for (let i = from; i < until; i++) {
		const mid = at(steps.mid, i);
		excursions[2 * (i - from)] = reach(at(steps.highestBuy, i) / mid - 1, mid);
		excursions[2 * (i - from) + 1] = reach(1 - at(steps.lowestSell, i) / mid, mid);
		// Five minutes a move: shorter ones would take the bounce of the mid's estimate for volatility.
		if ((i - from) % STEPS_PER_FIVE_MINUTES !== 0 || i < from + STEPS_PER_FIVE_MINUTES) continue;
		const move = Math.log(mid / at(steps.mid, i - STEPS_PER_FIVE_MINUTES));
		if (!Number.isFinite(move)) continue;
		squares += move * move;
		moves++;
	}
	const intensity = fitIntensity(excursions, 60 / REPRICE_SECONDS);
	const sigmaMinute = Math.sqrt(squares / moves / 5);
	return intensity && sigmaMinute > 0 ? makerPlan(intensity, sigmaMinute, makerFee) : null;
}

/** No trade reaches nowhere; without a mid nothing is known. */
const reach = (excursion: number, mid: number): number =>
	Number.isNaN(mid) ? Number.NaN : Number.isNaN(excursion) ? 0 : excursion;

export interface ReplayedDay {
	/** Epoch ms of the window's start. */
	startMs: number;
	/** Net of fees and of closing what is left, as a fraction of one lot. */
	net: number;
	fills: number;
	/** Mean move of the mid against the maker from the fill's step to the next, fraction; NaN without fills. */
	adverse: number;
	/** Lots that had to be closed at the end. */
	leftover: number;
}

export interface ReplayCosts {
	makerFee: number;
	/** Taker fee and half spread of closing the inventory at the end of the day. */
	closing: number;
}

/**
 * One day of quoting: at each step's start both quotes are set from what was known before it; a side
 * fills once if a taker trades strictly beyond it (the last in the queue); at most INVENTORY_MAX lots;
 * the rest is closed as a taker at the end. Each day starts flat, so days do not share their result.
 */
export function replayDay(steps: TapeSteps, from: number, plan: MakerPlan, costs: ReplayCosts): ReplayedDay {
	const until = from + STEPS_PER_DAY;
	const unit = at(steps.mid, from);
	let [inventory, cash, fills, against] = [0, 0, 0, 0];
	for (let i = from; i < until; i++) {
		const mid = at(steps.mid, i);
		const reservation = mid * (1 - inventory * plan.skewPerLot);
		const half = (mid * plan.spread) / 2;
		const moved = (i + 1 < steps.length ? at(steps.mid, i + 1) : mid) / mid - 1;
		const [bid, ask] = [reservation - half, reservation + half];
		const held = inventory;
		if (held < INVENTORY_MAX && at(steps.lowestSell, i) < bid) {
			cash -= bid * (1 + costs.makerFee);
			inventory++;
			fills++;
			against -= moved;
		}
		if (held > -INVENTORY_MAX && at(steps.highestBuy, i) > ask) {
			cash += ask * (1 - costs.makerFee);
			inventory--;
			fills++;
			against += moved;
		}
	}
	const end = at(steps.mid, until - 1);
	const worth = cash + inventory * end - Math.abs(inventory) * end * costs.closing;
	return {
		startMs: steps.startMs + from * steps.stepMs,
		net: worth / unit,
		fills,
		adverse: fills === 0 ? Number.NaN : against / fills,
		leftover: Math.abs(inventory),
	};
}
