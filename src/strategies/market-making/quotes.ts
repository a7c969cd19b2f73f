/**
 * Quotes of Avellaneda and Stoikov (2008), Quantitative Finance 8(3), 217-224, eq. (29) and (30), in
 * absolute units: `sigma` is price volatility per square root of the session, `k` and `gamma` are per
 * unit of price, `q` is the inventory in lots, `tau` the part of the session that is left.
 */
export interface QuoteInput {
	mid: number;
	q: number;
	gamma: number;
	sigma: number;
	k: number;
	tau: number;
}

export interface Quotes {
	/** Price at which the maker is indifferent to one lot more or less. */
	reservation: number;
	spread: number;
	bid: number;
	ask: number;
}

/** Indifference price r = s - q gamma sigma^2 tau. */
export const reservationPrice = ({ mid, q, gamma, sigma, tau }: QuoteInput): number =>
	mid - q * gamma * sigma * sigma * tau;

/** delta_a + delta_b = gamma sigma^2 tau + (2 / gamma) ln(1 + gamma / k). */
export const optimalSpread = ({ gamma, sigma, k, tau }: Omit<QuoteInput, "mid" | "q">): number =>
	gamma * sigma * sigma * tau + (2 / gamma) * Math.log1p(gamma / k);

/** Bid and ask half a spread around the reservation price; `spreadMin` widens a spread that earns nothing. */
export function quotesOf(input: QuoteInput, spreadMin = 0): Quotes {
	const reservation = reservationPrice(input);
	const spread = Math.max(spreadMin, optimalSpread(input));
	return { reservation, spread, bid: reservation - spread / 2, ask: reservation + spread / 2 };
}

/**
 * Risk aversion at which the skew at `inventoryMax` lots equals half the spread, so that a full maker
 * quotes one side at the mid: (Q - 1/2) gamma^2 sigma^2 tau = ln(1 + gamma/k). Solved for x = gamma/k by
 * bisection, which keeps it free of the unit of price. `inventoryMax` above 1/2.
 */
export function riskAversion(sigma: number, k: number, tau: number, inventoryMax: number): number {
	const weight = (inventoryMax - 0.5) * sigma * sigma * tau * k * k;
	const excess = (x: number) => weight * x * x - Math.log1p(x);
	let [low, high] = [0, 1];
	while (excess(high) < 0) high *= 2;
	for (let i = 0; i < 80; i++) {
		const middle = (low + high) / 2;
		if (excess(middle) < 0) low = middle;
		else high = middle;
	}
	return high * k;
}

/** Bid down and ask up to the tick; unchanged without one. */
export function onTicks(bid: number, ask: number, tick: number | null): { bid: number; ask: number } {
	if (tick === null || !(tick > 0)) return { bid, ask };
	const perUnit = Math.round(1 / tick);
	// Ticks below one are kept as whole counts per unit, so that 0.1 * 3 is 0.3.
	const places = (price: number, round: (ticks: number) => number) =>
		perUnit >= 1 ? round(price * perUnit) / perUnit : round(price / tick) * tick;
	const floor = (ticks: number) => Math.floor(ticks + 1e-9);
	const ceil = (ticks: number) => Math.ceil(ticks - 1e-9);
	return { bid: places(bid, floor), ask: places(ask, ceil) };
}
