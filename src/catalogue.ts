/**
 * The one list of strategies: ids, names, prices, limits.
 * Order is the order everywhere; `index` is the position in it.
 */
export interface CatalogueEntry {
	readonly index: number;
	readonly id: string;
	readonly name: string;
	readonly types: readonly string[];
	readonly category: "spot" | "algorithmic" | "derivatives" | "portfolio";
	readonly credits_monthly: number;
	readonly risk_level: "low" | "medium" | "high";
	/** Default policy; null = no limit ("positions" strategies look at the portfolio). */
	readonly symbols_max: number | null;
	readonly chunk_size: number | null;
	readonly priority: number;
	readonly free: boolean;
	/** false: in the catalogue, not among the default 14. */
	readonly standard: boolean;
	readonly description: string;
}

const row = (
	index: number,
	id: string,
	name: string,
	types: string[],
	category: CatalogueEntry["category"],
	credits_monthly: number,
	risk_level: CatalogueEntry["risk_level"],
	symbols_max: number | null,
	priority: number,
	free: boolean,
	description: string,
	extra: Partial<CatalogueEntry> = {},
): CatalogueEntry => ({
	index,
	id,
	name,
	types,
	category,
	credits_monthly,
	risk_level,
	symbols_max,
	chunk_size: null,
	priority,
	free,
	standard: true,
	description,
	...extra,
});

export const CATALOGUE: readonly CatalogueEntry[] = [
	row(
		0,
		"ai_spot_momentum_strategy",
		"AI Momentum Trading",
		["spot_momentum"],
		"spot",
		0,
		"medium",
		30,
		120,
		true,
		"Follows daily trends of spot coins whose 28-day return is large against their volatility.",
	),
	row(
		1,
		"ai_spot_mean_reversion",
		"AI Mean Reversion",
		["mean_reversion"],
		"spot",
		25,
		"medium",
		25,
		118,
		false,
		"Looks for oversold spot coins below two standard deviations of their 20-day mean.",
	),
	row(
		2,
		"ai_spot_breakout_strategy",
		"AI Breakout Trading",
		["breakout"],
		"spot",
		25,
		"medium",
		20,
		116,
		false,
		"Looks for closes above the 20-day channel on raised volume.",
	),
	row(
		3,
		"ai_pairs_trading",
		"AI Pairs Trading",
		["pairs_trading"],
		"algorithmic",
		40,
		"high",
		25,
		114,
		false,
		"Tests pairs of coins for cointegration and trades a stretched spread.",
	),
	row(
		4,
		"ai_statistical_arbitrage",
		"AI Statistical Arbitrage",
		["statistical_arbitrage"],
		"algorithmic",
		40,
		"high",
		50,
		125,
		false,
		"Trades residuals of coins against common factors.",
	),
	row(
		5,
		"ai_market_making",
		"AI Market Making",
		["market_making"],
		"algorithmic",
		40,
		"high",
		10,
		110,
		false,
		"Quotes both sides of a real order book where the spread pays for fees and adverse selection.",
	),
	row(
		6,
		"ai_scalping_strategy",
		"AI Scalping",
		["scalping"],
		"algorithmic",
		40,
		"high",
		8,
		112,
		false,
		"Short trades on order flow where the range exceeds costs.",
	),
	row(
		7,
		"ai_complex_strategy",
		"AI Complex Derivatives",
		["complex_derivative"],
		"derivatives",
		60,
		"high",
		10,
		94,
		false,
		"Builds multi-leg option structures from a quoted chain.",
	),
	row(
		8,
		"ai_futures_trade",
		"AI Futures Trading",
		["futures"],
		"derivatives",
		60,
		"high",
		20,
		108,
		false,
		"Follows trends on perpetual contracts in both directions, funding and liquidation included.",
	),
	row(
		9,
		"ai_options_trade",
		"AI Options Strategies",
		["options"],
		"derivatives",
		60,
		"high",
		15,
		106,
		false,
		"Compares implied with forecast volatility on a quoted option chain.",
		{ chunk_size: 5 },
	),
	row(
		10,
		"ai_funding_arbitrage",
		"AI Funding Arbitrage",
		["funding_arbitrage"],
		"derivatives",
		60,
		"high",
		20,
		130,
		false,
		"Collects persistent funding of perpetual contracts against a spot leg.",
	),
	row(
		11,
		"ai_risk_management",
		"AI Risk Manager",
		["risk_mitigation", "risk_hedge"],
		"portfolio",
		0,
		"low",
		null,
		100,
		true,
		"Measures the portfolio's risk against its limits and names the trade that restores them.",
	),
	row(
		12,
		"ai_portfolio_optimization",
		"AI Portfolio Optimizer",
		["portfolio_rebalance", "optimization_analysis"],
		"portfolio",
		0,
		"low",
		null,
		96,
		true,
		"Compares the portfolio with robust allocations after costs.",
	),
	row(
		13,
		"ai_hedge_position",
		"AI Portfolio Hedging",
		["hedge"],
		"derivatives",
		60,
		"high",
		5,
		98,
		false,
		"Finds hedges that reduced variance out of sample.",
	),
	row(
		14,
		"ai_volatility_trading",
		"AI Volatility Trading",
		["volatility_breakout"],
		"derivatives",
		60,
		"high",
		12,
		104,
		false,
		"Looks for volatility squeezes and the bracket that trades their end.",
		{ standard: false },
	),
];

export const STANDARD_STRATEGIES = CATALOGUE.filter((entry) => entry.standard);
export const FREE_STRATEGIES = CATALOGUE.filter((entry) => entry.free);

const aliases = new Map<string, CatalogueEntry>();
for (const entry of CATALOGUE) {
	for (const word of [
		entry.id,
		entry.id.replace(/^ai_/, ""),
		entry.id.replace(/_strategy$/, ""),
		entry.id.replace(/^ai_/, "").replace(/_strategy$/, ""),
		entry.name,
	]) {
		aliases.set(word.toLowerCase(), entry);
	}
}
for (const [word, id] of [
	["ai_options_strategies", "ai_options_trade"],
	["options_strategies", "ai_options_trade"],
	["ai futures trading", "ai_futures_trade"],
	["ai options trading", "ai_options_trade"],
] as const) {
	aliases.set(word, CATALOGUE.find((entry) => entry.id === id) as CatalogueEntry);
}

/** Id, id without `ai_` or `_strategy`, display name or a known alias, case-insensitive. */
export function findStrategy(word: string): CatalogueEntry | undefined {
	return aliases.get(word.trim().toLowerCase());
}

export function strategyById(id: string): CatalogueEntry {
	const entry = CATALOGUE.find((candidate) => candidate.id === id);
	if (!entry) throw new RangeError(`no strategy '${id}' in the catalogue`);
	return entry;
}

/** The key of policies and of /strategies/available: the id without `ai_`. */
export const strategyKey = (entry: CatalogueEntry): string => entry.id.replace(/^ai_/, "");

/** Volume tiers by 24 h USD volume, highest first. */
export const ASSET_TIERS = [
	{ name: "tier_institutional", volume_usd_min: 100_000_000, priority: 1 },
	{ name: "tier_enterprise", volume_usd_min: 50_000_000, priority: 2 },
	{ name: "tier_professional", volume_usd_min: 10_000_000, priority: 3 },
	{ name: "tier_retail", volume_usd_min: 1_000_000, priority: 4 },
	{ name: "tier_emerging", volume_usd_min: 100_000, priority: 5 },
	{ name: "tier_micro", volume_usd_min: 10_000, priority: 6 },
	{ name: "tier_any", volume_usd_min: 0, priority: 7 },
] as const;
export type AssetTier = (typeof ASSET_TIERS)[number]["name"];

export function tierOfVolume(volumeUsd: number): AssetTier {
	for (const tier of ASSET_TIERS) if (volumeUsd >= tier.volume_usd_min) return tier.name;
	return "tier_any";
}
