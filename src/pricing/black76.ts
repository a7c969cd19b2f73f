import { normalDensity, normalDistribution } from "./normal.ts";

/** A European option on a forward. Prices in quote currency per unit of the base. */
export interface OptionTerms {
	kind: "call" | "put";
	forward: number;
	strike: number;
	/** Time to expiry, years of 365 days. */
	years: number;
}

export const YEAR_MS = 365 * 86_400_000;

/** What the option is worth if it ends at `price`. */
export const payoffAt = (kind: "call" | "put", strike: number, price: number): number =>
	Math.max(0, kind === "call" ? price - strike : strike - price);

/**
 * Value of the option in quote currency, not discounted (F. Black, "The pricing of commodity contracts",
 * 1976). `volatility` as a fraction a year. Without time or volatility: the intrinsic value. A premium
 * paid in the base currency is this over the forward.
 */
export function black76({ kind, forward, strike, years }: OptionTerms, volatility: number): number {
	const deviation = volatility * Math.sqrt(years);
	if (!(deviation > 0)) return payoffAt(kind, strike, forward);
	const sign = kind === "call" ? 1 : -1;
	const d1 = Math.log(forward / strike) / deviation + deviation / 2;
	return sign * (forward * normalDistribution(sign * d1) - strike * normalDistribution(sign * (d1 - deviation)));
}

/** Sensitivities to the forward, of one unit of the base. */
export interface Greeks {
	/** Per unit of the forward. */
	delta: number;
	/** Change of delta per unit of the forward. */
	gamma: number;
	/** Quote currency per 1.00 of volatility; a vol point is a hundredth. */
	vega: number;
	/** Quote currency per year that passes; negative for an option held. */
	theta: number;
}

/** Greeks of Black-76 with the forward and the volatility held, no rates. Zero where nothing is left to happen. */
export function black76Greeks({ kind, forward, strike, years }: OptionTerms, volatility: number): Greeks {
	const root = Math.sqrt(years);
	const deviation = volatility * root;
	if (!(deviation > 0)) {
		const inside = payoffAt(kind, strike, forward) > 0;
		return { delta: inside ? (kind === "call" ? 1 : -1) : 0, gamma: 0, vega: 0, theta: 0 };
	}
	const d1 = Math.log(forward / strike) / deviation + deviation / 2;
	const density = normalDensity(d1);
	return {
		delta: kind === "call" ? normalDistribution(d1) : normalDistribution(d1) - 1,
		gamma: density / (forward * deviation),
		vega: forward * density * root,
		theta: (-forward * density * volatility) / (2 * root),
	};
}
