import type { OptionChain, VolatilityHistory } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";
import type { SimulatedExchange } from "./simulated-exchange.ts";
import { expiriesAt, OPTION_MARKETS, type OptionMarket } from "./simulated-options-listing.ts";
import { quoteExpiry } from "./simulated-options-quotes.ts";
import {
	atmVolatility,
	DAYS_PER_YEAR,
	daysUntil,
	forwardOf,
	makeSurfaceDays,
	type SurfaceDays,
} from "./simulated-options-surface.ts";
import { createDraws, hashKey } from "./simulated-random.ts";
import { dayIndex, SIMULATION_START_MS } from "./simulated-world.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
const HOUR_MS = TIMEFRAME_MS["1h"];
export const SIMULATED_OPTIONS_VENUE = "simulated_options";
/** Tenor of the recorded at-the-money history. */
const HISTORY_TENOR_DAYS = 30;
/** Hourly noise of the surface's level, in logs. */
const HOURLY_NOISE = 0.008;

export interface SimulatedOptions {
	/** The chain at an instant, quoted on the newest closed minute; null: no options on that base then. */
	chain(base: string, asOfMs: number): OptionChain | null;
	/** One value a day at 00:00 UTC, from the start of the simulation. */
	volatility(base: string, asOfMs: number): VolatilityHistory | null;
}

/**
 * Option classes of the simulated exchange: implied volatility is the expected one of the simulated
 * underlying times a premium that comes and goes, quotes follow from an arbitrage-free surface, and a few
 * are left behind. All of it is a function of seed and instant. `spotAt` gives the newest closed minute.
 */
export function createSimulatedOptions(
	exchange: SimulatedExchange,
	spotAt: (symbol: string, asOfMs: number) => { price: number; atMs: number } | null,
): SimulatedOptions {
	const surfaces = new Map<string, SurfaceDays>();
	const classes = new Map(OPTION_MARKETS.map((market) => [market.base, market]));

	const surfaceOf = (base: string, atMs: number): SurfaceDays | null => {
		const underlying = exchange.find(`${base}/USDT`);
		if (!underlying || atMs < SIMULATION_START_MS) return null;
		const { path } = exchange.days(underlying, atMs);
		const known = surfaces.get(base);
		if (known?.path === path) return known;
		const made = makeSurfaceDays(exchange.seed, base, path);
		surfaces.set(base, made);
		return made;
	};

	return {
		chain(base, asOfMs) {
			const market = classes.get(base);
			const spot = market ? spotAt(`${base}/USDT`, asOfMs) : null;
			const surface = spot ? surfaceOf(base, spot.atMs) : null;
			if (!market || !spot || !surface) return null;
			return {
				base,
				venue: SIMULATED_OPTIONS_VENUE,
				inverse: market.inverse,
				contract_size: market.contractSize,
				quotes: quoteChain(exchange.seed, market, surface, spot),
				at_ms: spot.atMs,
			};
		},
		volatility(base, asOfMs) {
			const surface = classes.has(base) ? surfaceOf(base, asOfMs) : null;
			if (!surface) return null;
			const length = dayIndex(asOfMs) + 1;
			const buffer = new SharedArrayBuffer(2 * length * Float64Array.BYTES_PER_ELEMENT);
			const time = new Float64Array(buffer, 0, length);
			const atm_iv = new Float64Array(buffer, length * Float64Array.BYTES_PER_ELEMENT, length);
			for (let day = 0; day < length; day++) {
				time[day] = SIMULATION_START_MS + day * DAY_MS;
				atm_iv[day] = atmVolatility(surface, day, HISTORY_TENOR_DAYS);
			}
			return { base, venue: SIMULATED_OPTIONS_VENUE, length, time, atm_iv, as_of_ms: asOfMs };
		},
	};
}

/** The surface belongs to the day; what moves within it is the spot price and a little noise. */
function quoteChain(
	seed: number,
	market: OptionMarket,
	surface: SurfaceDays,
	spot: { price: number; atMs: number },
): OptionChain["quotes"] {
	const day = dayIndex(spot.atMs);
	const listedPrice = Math.exp(day > 0 ? (surface.path.logClose[day - 1] as number) : surface.path.logStart);
	const noise = createDraws(hashKey(seed, `options:level:${market.base}`, Math.floor(spot.atMs / HOUR_MS))).normal();
	const level = Math.exp(HOURLY_NOISE * noise);
	let thetaBefore = 0;
	return expiriesAt(spot.atMs).flatMap((expiryMs) => {
		const tenor = daysUntil(spot.atMs, expiryMs);
		const years = tenor / DAYS_PER_YEAR;
		const listedVolatility = atmVolatility(surface, day, tenor);
		// Total variance grows with the tenor, or a later option would be worth less than an earlier one.
		const theta = Math.max((listedVolatility * level) ** 2 * years, thetaBefore * 1.002);
		thetaBefore = theta;
		return quoteExpiry({
			seed,
			market,
			expiryMs,
			atMs: spot.atMs,
			forward: forwardOf(spot.price, surface, day, years),
			listedPrice,
			listedVolatility,
			theta,
			tilt: surface.tilt[day] as number,
		});
	});
}
