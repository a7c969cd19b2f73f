import { TIMEFRAME_MS } from "./contract.ts";
import type { FundingColumns } from "./series.ts";
import { createFundingColumns } from "./series.ts";
import type { SimulatedCoin } from "./simulated-coins.ts";
import { createDraws, hashKey } from "./simulated-random.ts";
import { SIMULATION_START_MS } from "./simulated-world.ts";

const HOUR_MS = TIMEFRAME_MS["1h"];

/**
 * Premium of the perp over its index in bp per 8 h: a level of its own, slow swings, fast noise, and
 * crowded times that come and go. Tuned so that over all contracts the mean of three days correlates
 * with the mean of the next seven by about 0.72 (measured over 32 symbols).
 */
const PREMIUM = { swing: 5.5, swingHours: 40, noise: 2.5, crowdedHours: 24 * 20, calmHours: 24 * 32 };
/** Rate while the premium stays within 5 bp of it, bp per 8 h: the crowd at exactly 1 bp. */
const INTEREST_BP = 1;
const CLAMP_BP = 5;
const CAP_BP = 75;
/** 1 bp as a count of 1e-8. */
const E8_PER_BP = 10_000;

/**
 * The venues' funding formula before caps: premium + clamp(interest - premium, -within, within), all in one unit. While
 * the premium stays within that distance of the interest, the rate is the interest.
 */
export const fundingRate = (premium: number, interest: number, within: number): number =>
	premium + Math.min(within, Math.max(-within, interest - premium));

/**
 * Settlements from the start of the simulation to `untilMs`. The rate is capped, and a contract of shorter interval pays the
 * same per hour in smaller parts.
 */
export function simulateFunding(seed: number, coin: SimulatedCoin, untilMs: number): FundingColumns {
	const hours = coin.funding_interval_hours;
	const count = Math.max(0, Math.floor((untilMs - SIMULATION_START_MS) / (hours * HOUR_MS)));
	const columns = createFundingColumns(count);
	const draws = createDraws(hashKey(seed, `funding:${coin.base}`));
	const level = 0.8 + 1.1 * draws.normal();
	const phi = Math.exp(-hours / PREMIUM.swingHours);
	const shock = PREMIUM.swing * Math.sqrt(1 - phi * phi);
	let swing = PREMIUM.swing * draws.normal();
	let crowded = draws.uniform() < PREMIUM.crowdedHours / (PREMIUM.crowdedHours + PREMIUM.calmHours);
	let crowd = crowded ? coin.crowded_bp : 0;
	for (let i = 0; i < count; i++) {
		swing = phi * swing + shock * draws.normal();
		if (draws.uniform() < hours / (crowded ? PREMIUM.crowdedHours : PREMIUM.calmHours)) crowded = !crowded;
		// A crowd gathers and leaves over a day or two, not between two settlements.
		crowd += ((crowded ? coin.crowded_bp : 0) - crowd) * (1 - Math.exp(-hours / 30));
		const premium = level + swing + crowd + PREMIUM.noise * draws.normal();
		const rate = fundingRate(premium, INTEREST_BP, CLAMP_BP);
		const capped = Math.min(CAP_BP, Math.max(-CAP_BP, rate));
		columns.funding_time[i] = SIMULATION_START_MS + (i + 1) * hours * HOUR_MS;
		columns.rate_e8[i] = Math.round((capped * E8_PER_BP * hours) / 8);
	}
	return columns;
}
