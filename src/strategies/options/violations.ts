import type { Board, Expiry, Option } from "./chain.ts";
import { type Combination, combine, type Leg } from "./combination.ts";
import { deliveryFee } from "./fees.ts";

/** Cost of the leg in the forward itself, which a chain does not quote: taker fee and half spread, fractions. */
export const FORWARD_LEG_COST = 0.0005 + 0.0001;

export type ViolationName = "box" | "butterfly" | "parity";

/** A combination whose payoff at expiry is bounded from below by the contracts themselves. */
export interface Violation {
	name: ViolationName;
	expiry: Expiry;
	combination: Combination;
	/** The least it earns after all fees, quote currency per unit of the base; may be below 0. */
	net: number;
	/** Capital bound per unit. */
	capital: number;
	/** All its legs are quoted, so the result is certain once they are filled. */
	executable: boolean;
}

type Pair = Expiry["strikes"][number];
const leg = (option: Option | undefined, units: number): Leg | null => (option ? { option, units } : null);

/**
 * The best of each kind over all expiries, whether it pays or not; absent where nothing can be priced.
 * Premiums in the base currency are converted at whichever forward up to 60 days is worse, so that a
 * yield of the forward never looks like a profit.
 */
export function findViolations(board: Board): Map<ViolationName, Violation> {
	const best = new Map<ViolationName, Violation>();
	const consider = (violation: Violation | null) => {
		if (!violation) return;
		const known = best.get(violation.name);
		if (!known || worth(violation) > worth(known)) best.set(violation.name, violation);
	};
	for (const expiry of board.expiries) {
		for (let i = 0; i < expiry.strikes.length; i++) {
			const low = expiry.strikes[i];
			if (!low) continue;
			for (const direction of [1, -1] as const) consider(parity(expiry, low, direction));
			for (const high of expiry.strikes.slice(i + 1)) {
				for (const direction of [1, -1] as const) consider(box(board, expiry, low, high, direction));
			}
			for (const [middle, high] of evenlySpaced(expiry.strikes, i)) {
				for (const kind of ["call", "put"] as const)
					consider(butterfly(board, expiry, [low[kind], middle[kind], high[kind]]));
			}
		}
	}
	return best;
}

/** What pays counts by all that the quotes allow; what does not, by how close one unit comes. */
const worth = ({ net, combination }: Violation): number => (net > 0 ? net * combination.contractsMax : net);

/** Pairs above strike `i` that stand equally far apart, so that the body counts exactly twice. */
function evenlySpaced(strikes: readonly Pair[], i: number): [Pair, Pair][] {
	const low = strikes[i];
	if (!low) return [];
	return strikes.slice(i + 1).flatMap((middle): [Pair, Pair][] => {
		const wanted = 2 * middle.strike - low.strike;
		const high = strikes.find(({ strike }) => Math.abs(strike - wanted) <= 1e-9 * wanted);
		return high ? [[middle, high]] : [];
	});
}

/** Money paid now, in quote currency at the worse of all forwards. */
function convert(board: Board, combination: Combination): number {
	if (!board.chain.inverse) return combination.debit;
	return (combination.debit / combination.forward) * (combination.debit > 0 ? board.forwardHigh : board.forwardLow);
}

/** Two synthetic forwards against each other: at expiry the strikes' difference changes hands, whatever the price. */
function box(board: Board, expiry: Expiry, low: Pair, high: Pair, direction: 1 | -1): Violation | null {
	const combination = combine([
		leg(low.call, direction),
		leg(low.put, -direction),
		leg(high.call, -direction),
		leg(high.put, direction),
	]);
	if (!combination) return null;
	const width = high.strike - low.strike;
	// Exactly two of the four end in the money.
	combination.fees += 2 * deliveryFee(board.forwardHigh);
	const paid = convert(board, combination);
	const net = direction * width - paid - combination.fees;
	return { name: "box", expiry, combination, net, capital: direction > 0 ? paid : width, executable: true };
}

/** A tent whose price is below nothing: convexity of the premium in the strike is violated. */
function butterfly(board: Board, expiry: Expiry, options: readonly (Option | undefined)[]): Violation | null {
	const [low, middle, high] = options;
	const combination = combine([leg(low, 1), leg(middle, -2), leg(high, 1)]);
	if (!combination || !low || !middle) return null;
	combination.fees += 4 * deliveryFee(board.forwardHigh);
	const net = -convert(board, combination) - combination.fees;
	return { name: "butterfly", expiry, combination, net, capital: middle.strike - low.strike, executable: true };
}

/** A synthetic forward against the chain's own, whose price is stated but not quoted; one implied by parity says nothing against it. */
function parity(expiry: Expiry, at: Pair, direction: 1 | -1): Violation | null {
	if (expiry.forward_implied) return null;
	const combination = combine([leg(at.call, direction), leg(at.put, -direction)]);
	if (!combination) return null;
	combination.fees += deliveryFee(expiry.forward) + FORWARD_LEG_COST * expiry.forward;
	const net = direction * (expiry.forward - at.strike) - combination.debit - combination.fees;
	return { name: "parity", expiry, combination, net, capital: expiry.forward, executable: false };
}
