/** One row of a venue's leverage table: maintenance margin of positions up to `notionalMax`. */
export interface MarginTier {
	/** Upper bound of the position's value, quote currency; Infinity in the last row. */
	notionalMax: number;
	/** Maintenance margin rate, fraction of the position's value. */
	mmr: number;
	/** Maintenance amount, quote currency: makes the margin continuous from row to row. */
	cum: number;
}

/**
 * Completes a table of bounds and rates, ascending, by its maintenance amounts:
 * cum_k = cum_(k-1) + notionalMax_(k-1) * (mmr_k - mmr_(k-1)), as USD-margined venues publish them.
 */
export function marginTiers(rows: readonly (readonly [notionalMax: number, mmr: number])[]): MarginTier[] {
	const tiers: MarginTier[] = [];
	for (const [notionalMax, mmr] of rows) {
		const before = tiers.at(-1);
		const cum = before ? before.cum + before.notionalMax * (mmr - before.mmr) : 0;
		tiers.push({ notionalMax, mmr, cum });
	}
	return tiers;
}

/**
 * Rates of our own where a source gives no table, a design choice: those of a small contract, so that the
 * stated liquidation price lies nearer than a large contract's would.
 */
export const CAUTIOUS_TIERS: readonly MarginTier[] = marginTiers([
	[5_000, 0.02],
	[25_000, 0.025],
	[100_000, 0.05],
	[250_000, 0.1],
	[1_000_000, 0.125],
	[Number.POSITIVE_INFINITY, 0.25],
]);

/** The row for a position of that value. Throws RangeError for an empty table. */
export function tierOf(tiers: readonly MarginTier[], notional: number): MarginTier {
	const tier = tiers.find(({ notionalMax }) => notional <= notionalMax) ?? tiers.at(-1);
	if (!tier) throw new RangeError("a leverage table has at least one row");
	return tier;
}

export interface IsolatedPosition {
	side: 1 | -1;
	/** Base units, > 0. */
	quantity: number;
	entry: number;
	/** Margin put aside for the position alone, quote currency. */
	walletBalance: number;
	tier: Pick<MarginTier, "mmr" | "cum">;
}

/**
 * Liquidation price of an isolated, one-way, linear position (as Binance documents it):
 * LP = (WB + cum - side * qty * entry) / (qty * (mmr - side)). At or below 0: no price liquidates it.
 */
export function liquidationPrice({ side, quantity, entry, walletBalance, tier }: IsolatedPosition): number {
	return (walletBalance + tier.cum - side * quantity * entry) / (quantity * (tier.mmr - side));
}

/** No more, whatever a user allows. */
export const LEVERAGE_CAP = 3;
/** What is taken when the user states no limit of his own. */
export const LEVERAGE_DEFAULT_MAX = 2;
/** Distance to liquidation in distances to the stop. */
export const LIQUIDATION_STOPS_MIN = 3;

export interface LeverageChoice {
	leverage: number;
	/** null: no price liquidates the position. */
	liquidation: number | null;
	tier: MarginTier;
}

/**
 * The largest whole leverage up to min(userMax, 3) whose liquidation lies at least three stop distances
 * from the entry; null when not even 1 does.
 */
export function chooseLeverage(
	position: { side: 1 | -1; entry: number; stop: number; notional: number },
	userMax = LEVERAGE_DEFAULT_MAX,
	tiers: readonly MarginTier[] = CAUTIOUS_TIERS,
): LeverageChoice | null {
	const { side, entry, stop, notional } = position;
	const tier = tierOf(tiers, notional);
	for (let leverage = Math.floor(Math.min(userMax, LEVERAGE_CAP)); leverage >= 1; leverage--) {
		const price = liquidationPrice({
			side,
			entry,
			quantity: notional / entry,
			walletBalance: notional / leverage,
			tier,
		});
		// A price cannot fall further than to 0.
		const reach = Math.abs(Math.max(0, price) - entry);
		if (reach >= LIQUIDATION_STOPS_MIN * Math.abs(stop - entry)) {
			return { leverage, liquidation: price > 0 ? price : null, tier };
		}
	}
	return null;
}
