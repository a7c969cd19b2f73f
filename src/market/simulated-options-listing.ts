import { TIMEFRAME_MS } from "./contract.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
const HOUR_MS = TIMEFRAME_MS["1h"];
const EXPIRY_HOUR = 8;
const WEEKLIES = 4;
const MONTHS_AHEAD = 3;
const QUARTERS_AHEAD = 3;
/** 1970-01-02 was a Friday. */
const FRIDAY = 1;

/** An option class of the simulated exchange. Sizes follow real venues, prices are the simulation's. */
export interface OptionMarket {
	base: string;
	/** Premiums in the base currency. */
	inverse: boolean;
	contractSize: number;
	/** Half spread at the money at 30 days, in volatility. */
	halfSpread: number;
	/** Typical open interest and quoted size at the money, contracts. */
	openInterest: number;
	quoteSize: number;
}

export const OPTION_MARKETS: readonly OptionMarket[] = [
	{ base: "BTC", inverse: true, contractSize: 0.01, halfSpread: 0.0035, openInterest: 9000, quoteSize: 400 },
	{ base: "ETH", inverse: true, contractSize: 0.1, halfSpread: 0.0045, openInterest: 7000, quoteSize: 300 },
	{ base: "AVAX", inverse: false, contractSize: 10, halfSpread: 0.075, openInterest: 14, quoteSize: 12 },
];

const lastFriday = (year: number, month: number): number => {
	const end = Math.floor(Date.UTC(year, month + 1, 0) / DAY_MS);
	return end - ((((end - FRIDAY) % 7) + 7) % 7);
};

/** Expiries listed at `atMs`, growing: four Fridays, then last Fridays of months and of quarters, 08:00 UTC. */
export function expiriesAt(atMs: number): number[] {
	const today = Math.floor(atMs / DAY_MS);
	const moment = (day: number) => day * DAY_MS + EXPIRY_HOUR * HOUR_MS;
	const days = new Set<number>();
	const friday = today + ((((FRIDAY - today) % 7) + 7) % 7);
	for (let week = 0; week <= WEEKLIES; week++) days.add(friday + 7 * week);
	const date = new Date(atMs);
	for (let ahead = 0; ahead <= 3 * QUARTERS_AHEAD; ahead++) {
		const month = date.getUTCMonth() + ahead;
		if (ahead <= MONTHS_AHEAD || (month + 1) % 3 === 0) days.add(lastFriday(date.getUTCFullYear(), month));
	}
	return [...days]
		.map(moment)
		.filter((expiry) => expiry > atMs + HOUR_MS)
		.sort((a, b) => a - b);
}

/** Without 2, neighbouring steps share every other strike at least, so that expiries can be compared. */
const NICE = [1, 2.5, 5, 10] as const;

/** Round strikes around `price`: a step near 0.4 standard deviations of the tenor, out to 2.6 of them. */
export function strikesAround(price: number, deviation: number): number[] {
	const wished = price * deviation * 0.4;
	const power = 10 ** Math.floor(Math.log10(wished));
	const step =
		power *
		NICE.reduce((best, nice) => (Math.abs(nice - wished / power) < Math.abs(best - wished / power) ? nice : best));
	const first = Math.max(1, Math.ceil((price * Math.exp(-2.6 * deviation)) / step));
	const end = Math.floor((price * Math.exp(2.6 * deviation)) / step);
	const digits = Math.max(0, 2 - Math.floor(Math.log10(step)));
	return Array.from({ length: Math.max(0, end - first + 1) }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}

const two = (value: number): string => String(value).padStart(2, "0");

/** ccxt unified, e.g. `BTC/USD:BTC-260327-70000-C`. */
export function optionSymbol(market: OptionMarket, expiryMs: number, strike: number, kind: "call" | "put"): string {
	const date = new Date(expiryMs);
	const day = two(date.getUTCFullYear() % 100) + two(date.getUTCMonth() + 1) + two(date.getUTCDate());
	const pair = market.inverse ? `${market.base}/USD:${market.base}` : `${market.base}/USDC:USDC`;
	return `${pair}-${day}-${strike}-${kind === "call" ? "C" : "P"}`;
}
