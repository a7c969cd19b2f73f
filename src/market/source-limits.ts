import type { WeightLimit } from "./sharing.ts";

/**
 * What exchanges allow one address in a time, in the units of the weights that adapters name. Binance publishes
 * request weights per minute, and counts accounts' settings (/sapi) and options (/eapi, a host of its own) apart from them,
 * and funding rates and the statistics under /futures/data in requests over five minutes. For options its documentation
 * shows 2400 a minute and its answers 400: the lower counts. Of the others the unit is one step of ccxt's own limiter,
 * whose pace (steps per second) is what their documentation allows. Bursts are as short as the windows the exchanges count
 * in.
 */
const LIMITS: Readonly<Record<string, WeightLimit>> = {
	binance: { weight_max: 6000, window_ms: 60_000 },
	"binance:sapi": { weight_max: 12_000, window_ms: 60_000 },
	"binance:options": { weight_max: 400, window_ms: 60_000 },
	binanceusdm: { weight_max: 2400, window_ms: 60_000 },
	"binanceusdm:funding": { weight_max: 500, window_ms: 300_000 },
	"binanceusdm:data": { weight_max: 1000, window_ms: 300_000 },
	bybit: { weight_max: 250, window_ms: 5_000 },
	okx: { weight_max: 18, window_ms: 2_000 },
	kraken: { weight_max: 15, window_ms: 15_000 },
	coinbase: { weight_max: 140, window_ms: 5_000 },
	deribit: { weight_max: 100, window_ms: 5_000 },
};

/** An exchange of which nothing is known: five small requests a second. */
const UNKNOWN: WeightLimit = { weight_max: 50, window_ms: 10_000 };

/** Part of the allowance that is used: others may call from the same address, and clocks differ. */
const HEADROOM = 0.85;

/** The budget of all processes together. */
export function limitOf(source: string): WeightLimit {
	const { weight_max, window_ms } = LIMITS[source] ?? UNKNOWN;
	return { weight_max: Math.max(1, Math.floor(weight_max * HEADROOM)), window_ms };
}
