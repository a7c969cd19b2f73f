import { black76, black76Greeks, type OptionTerms, payoffAt } from "./black76.ts";

const VOLATILITY_MIN = 1e-4;
const VOLATILITY_MAX = 20;
const STEPS_MAX = 100;

/**
 * The volatility (fraction a year) at which Black-76 gives `premium` (quote currency, undiscounted).
 * Newton's steps from the inflection of price in volatility (Manaster and Koehler 1982), and a bisection
 * wherever one would leave the bracket or shrink it too slowly. null when no volatility gives it: outside
 * the bounds of arbitrage (intrinsic value; forward of a call, strike of a put), no time left, or beyond
 * 0.01 .. 2000 % a year.
 */
export function impliedVolatility(terms: OptionTerms, premium: number): number | null {
	const { kind, forward, strike, years } = terms;
	const ceiling = kind === "call" ? forward : strike;
	const intrinsic = payoffAt(kind, strike, forward);
	if (!(years > 0) || !(premium > intrinsic) || !(premium < ceiling)) return null;
	// The same volatility makes the other option worth only its time value: no digits are lost in the money.
	const outside: OptionTerms = intrinsic > 0 ? { ...terms, kind: kind === "call" ? "put" : "call" } : terms;
	const wanted = intrinsic > 0 ? premium - intrinsic : premium;
	let [low, high] = [VOLATILITY_MIN, VOLATILITY_MAX];
	if (!(black76(outside, low) <= wanted) || !(black76(outside, high) >= wanted)) return null;
	let volatility = Math.min(high, Math.max(0.05, Math.sqrt((2 * Math.abs(Math.log(forward / strike))) / years)));
	for (let step = 0; step < STEPS_MAX; step++) {
		const error = black76(outside, volatility) - wanted;
		if (error > 0) high = volatility;
		else low = volatility;
		const newton = volatility - error / black76Greeks(outside, volatility).vega;
		const next = newton > low && newton < high ? newton : (low + high) / 2;
		if (Math.abs(next - volatility) <= 1e-12 * volatility) return next;
		volatility = next;
	}
	return volatility;
}
