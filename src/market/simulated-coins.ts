/**
 * The listing of the simulated exchange. Names are those of real coins, so that filters and benchmarks
 * work as on a real venue; prices and volumes are inventions of the simulation and labelled so.
 */

export type Sector = "store" | "platform" | "defi" | "meme" | "infra" | "game";

/** How a price comes about; see simulated-world.ts. */
export type PriceRule =
	| { kind: "factor"; sector: Sector; beta: number }
	/** Cointegrated with another coin: log price = constant + slope * log price of `with` + spread. */
	| { kind: "pair"; with: string; slope: number }
	| { kind: "stable" }
	/** Gold: a walk of its own that owes nothing to the coins. */
	| { kind: "gold" }
	/** Follows another coin: `leverage` 1 for a wrapped one. */
	| { kind: "follower"; of: string; leverage: number };

export interface SimulatedCoin {
	base: string;
	/** Long-run centre of the price, USD. */
	price: number;
	/** Typical traded value a day in USD; 0: no such market. */
	spot_volume: number;
	perp_volume: number;
	rule: PriceRule;
	/** Hours between funding settlements. Mix as measured: most 4 h, a quarter 8 h, few 1 h. */
	funding_interval_hours: number;
	/**
	 * Premium of the perp in its crowded times, bp per 8 h, 0: none beyond the usual. At the reference
	 * snapshot the positive candidates stood at 1.1 to 21.9 bp.
	 */
	crowded_bp: number;
	/** First day and the day after the last, ISO dates; null: from the start, to no end. */
	listed: string | null;
	ended: string | null;
}

const M = 1_000_000;

/** Spot and perp volume in millions of USD a day. */
function coin(
	base: string,
	price: number,
	spotMillions: number,
	perpMillions: number,
	rule: PriceRule,
	extra: Partial<SimulatedCoin> = {},
): SimulatedCoin {
	return {
		base,
		price,
		spot_volume: spotMillions * M,
		perp_volume: perpMillions * M,
		rule,
		funding_interval_hours: 4,
		crowded_bp: 0,
		listed: null,
		ended: null,
		...extra,
	};
}

const on = (sector: Sector, beta: number): PriceRule => ({ kind: "factor", sector, beta });
const EIGHT = { funding_interval_hours: 8 };

export const SIMULATED_COINS: readonly SimulatedCoin[] = [
	coin("BTC", 42_000, 1600, 15_000, on("store", 0.85), EIGHT),
	coin("ETH", 2600, 900, 9000, on("platform", 1), EIGHT),
	coin("SOL", 90, 320, 2100, on("platform", 1.2), EIGHT),
	coin("XRP", 0.9, 210, 900, on("infra", 0.95), EIGHT),
	coin("BNB", 420, 120, 340, on("store", 0.85), EIGHT),
	coin("DOGE", 0.13, 90, 420, on("meme", 1.15), { ...EIGHT, crowded_bp: 9 }),
	coin("SUI", 1.8, 30, 130, on("platform", 1.25), { listed: "2023-05-03", crowded_bp: 12 }),
	coin("ADA", 0.55, 22, 62, on("platform", 1.05), EIGHT),
	coin("LINK", 14, 20, 55, on("infra", 1.05), { crowded_bp: 10 }),
	coin("AVAX", 28, 16, 44, on("platform", 1.15)),
	coin("TRX", 0.14, 18, 34, on("infra", 0.6)),
	coin("LTC", 85, 14, 40, on("store", 0.9)),
	coin("BCH", 300, 12, 38, on("store", 0.95), { crowded_bp: -11 }),
	coin("DOT", 7, 9, 26, on("platform", 1.05)),
	coin("ATOM", 9, 6, 16, { kind: "pair", with: "DOT", slope: 0.9 }),
	coin("NEAR", 4, 8, 27, on("platform", 1.2), { crowded_bp: 14 }),
	coin("APT", 8, 6, 20, on("platform", 1.2), { listed: "2022-10-19", crowded_bp: 11 }),
	coin("ARB", 1, 6, 22, on("infra", 1.15), { listed: "2023-03-23" }),
	coin("OP", 1.6, 5, 18, on("infra", 1.2), { listed: "2022-06-01", crowded_bp: 16 }),
	coin("UNI", 8, 7, 22, on("defi", 1.1)),
	coin("AAVE", 130, 7, 21, { kind: "pair", with: "UNI", slope: 1 }),
	coin("INJ", 15, 4, 19, on("defi", 1.25), { crowded_bp: 20 }),
	coin("FIL", 5.5, 4, 15, on("infra", 1.1)),
	coin("XLM", 0.16, 5, 14, on("infra", 0.9), { crowded_bp: 8 }),
	coin("HBAR", 0.09, 4, 17, on("platform", 1.05), { crowded_bp: 13 }),
	coin("ETC", 24, 2.5, 6, on("store", 1)),
	coin("ALGO", 0.25, 1.6, 4.5, on("platform", 1.05)),
	coin("CRV", 0.6, 1.4, 5.5, on("defi", 1.2), { crowded_bp: -14 }),
	coin("SAND", 0.5, 1.2, 4, on("game", 1.2)),
	coin("MANA", 0.5, 1.1, 3.2, { kind: "pair", with: "SAND", slope: 1.05 }),
	coin("GRT", 0.16, 0.9, 2.6, on("infra", 1.15)),
	coin("VET", 0.03, 0.9, 2.2, on("infra", 1)),
	coin("XTZ", 1.1, 0.8, 1.9, on("platform", 0.95)),
	coin("COMP", 60, 0.7, 1.6, on("defi", 1.05)),
	coin("AXS", 8, 0.7, 1.8, on("game", 1.2), { funding_interval_hours: 1, crowded_bp: 18 }),
	coin("NEO", 13, 0.8, 0, on("platform", 1)),
	coin("DASH", 40, 0.4, 0.3, on("store", 0.95)),
	coin("ENJ", 0.3, 0.35, 0.3, on("game", 1.15)),
	coin("BAT", 0.22, 0.3, 0.2, on("infra", 1)),
	coin("ONE", 0.02, 0.25, 0, on("platform", 1.2)),
	coin("SNX", 2.6, 0.2, 0.25, on("defi", 1.2), { funding_interval_hours: 1 }),
	coin("QTUM", 3, 0.15, 0, on("platform", 1)),
	coin("CVC", 0.11, 0.06, 0, on("infra", 1)),
	coin("WAXP", 0.05, 0.05, 0, on("game", 1.1)),
	coin("PHA", 0.13, 0.03, 0, on("infra", 1.1)),
	coin("STEEM", 0.2, 0.006, 0, on("infra", 0.9)),
	// Perps without a spot market.
	coin("1000PEPE", 0.004, 0, 160, on("meme", 1.35), { listed: "2023-05-05", crowded_bp: 15 }),
	coin("1000SHIB", 0.013, 0, 60, on("meme", 1.2)),
	coin("WIF", 1.2, 0, 24, on("meme", 1.4), { listed: "2024-01-18", crowded_bp: 22 }),
	coin("币安人生", 0.1, 0, 2.4, on("meme", 1.4), { listed: "2025-10-08" }),
	// Ended ones: history for the evidence, nothing to trade.
	coin("LUNA", 40, 9, 20, on("platform", 1.3), { ended: "2022-05-13" }),
	coin("FTT", 28, 3, 6, on("defi", 1), { ended: "2022-11-15" }),
	// What discovery has to leave out.
	coin("USDC", 1, 420, 0, { kind: "stable" }),
	coin("FDUSD", 1, 95, 0, { kind: "stable" }, { listed: "2023-07-26" }),
	coin("PAXG", 2300, 11, 30, { kind: "gold" }),
	coin("WBTC", 42_000, 6, 0, { kind: "follower", of: "BTC", leverage: 1 }),
	coin("WBETH", 2700, 4, 0, { kind: "follower", of: "ETH", leverage: 1 }, { listed: "2023-04-27" }),
	coin("BTC3L", 10, 0.5, 0, { kind: "follower", of: "BTC", leverage: 3 }),
];

/** The planted truth for whoever tests pairs trading: these spreads revert, the others owe nothing to each other. */
export const SIMULATED_PAIRS = SIMULATED_COINS.flatMap((entry) =>
	entry.rule.kind === "pair" ? [{ base: entry.base, with: entry.rule.with, slope: entry.rule.slope }] : [],
);
