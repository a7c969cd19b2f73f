import { TIMEFRAME_MS } from "./contract.ts";
import type { SimulatedExchange, SimulatedMarket } from "./simulated-exchange.ts";
import { createDraws, hashKey } from "./simulated-random.ts";
import { dayIndex } from "./simulated-world.ts";

const MINUTE_MS = TIMEFRAME_MS["1m"];
const FIVE_MS = TIMEFRAME_MS["5m"];

/**
 * Pressure of the takers: noise that keeps its sign for about an hour, a quarter and a few minutes
 * (weights of standard normals). Sums of such scales give the slow decay that order flow shows.
 */
const SCALES = [
	{ minutes: 60, weight: 0.5 },
	{ minutes: 15, weight: 0.4 },
	{ minutes: 4, weight: 0.35 },
];
/** Pressure stays inside +-this, so that both sides always trade. */
const PRESSURE_MAX = 0.9;

/**
 * Planted truth: in these coins some takers know the next hour, so their flow leads the price; the
 * number weighs that hour's return in standard deviations against the noise above. In all other coins
 * the flow says nothing about what comes.
 */
export const INFORMED_FLOW: Readonly<Record<string, number>> = { SOL: 0.3, DOGE: 0.3, "1000PEPE": 0.6 };
const LEAD_MINUTES = 60;
const LEAD_CLIP = 2.5;

/**
 * Takers' pressure of each minute of [fromMs, untilMs), from -1 (all sell) to 1 (all buy). A function of
 * seed, market and minute; what informed takers know comes from the path that the seed has fixed.
 * Both ends on whole minutes.
 */
export function takerPressure(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	fromMs: number,
	untilMs: number,
): Float64Array {
	const first = fromMs / MINUTE_MS;
	const pressure = new Float64Array((untilMs - fromMs) / MINUTE_MS);
	for (const { minutes, weight } of SCALES) {
		const key = hashKey(exchange.seed, `flow:${minutes}:${market.symbol}`);
		const level = (block: number) => weight * createDraws(hashKey(key, "", block)).normal();
		let [block, before, after] = [Number.NaN, 0, 0];
		for (let i = 0; i < pressure.length; i++) {
			const position = (first + i) / minutes;
			if (Math.floor(position) !== block) {
				before = Math.floor(position) === block + 1 ? after : level(Math.floor(position));
				block = Math.floor(position);
				after = level(block + 1);
			}
			pressure[i] = (pressure[i] as number) + before + (after - before) * (position - block);
		}
	}
	const informed = INFORMED_FLOW[market.coin.base] ?? 0;
	if (informed > 0) addLead(exchange, market, fromMs, untilMs, informed, pressure);
	return pressure.map((value) => PRESSURE_MAX * Math.tanh(value));
}

/** Adds `weight` times the standardised return of the hour after each minute; nothing past the listing's end. */
function addLead(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	fromMs: number,
	untilMs: number,
	weight: number,
	pressure: Float64Array,
): void {
	const reachMs = untilMs + LEAD_MINUTES * MINUTE_MS;
	const fives = exchange.bars(market, "5m", fromMs, reachMs);
	const { path } = exchange.days(market, reachMs);
	if (fives.length === 0) return;
	const start = fives.open_time[0] as number;
	const ahead = (LEAD_MINUTES * MINUTE_MS) / FIVE_MS;
	for (let i = 0; i < pressure.length; i++) {
		const minuteMs = fromMs + i * MINUTE_MS;
		const at = Math.floor((minuteMs - start) / FIVE_MS);
		if (at < 0 || at + ahead >= fives.length) continue;
		const move = Math.log((fives.close[at + ahead] as number) / (fives.close[at] as number));
		const sigma = (path.sigma[dayIndex(minuteMs)] as number) * Math.sqrt(LEAD_MINUTES / 1440);
		pressure[i] = (pressure[i] as number) + weight * Math.min(LEAD_CLIP, Math.max(-LEAD_CLIP, move / sigma));
	}
}
