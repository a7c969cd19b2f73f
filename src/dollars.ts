/**
 * Dollar stablecoins: as quotes they count as dollars, as bases they are no assets.
 * Left out on purpose: USTC, which lost its peg in 2022 and floats, and FRAX, whose name an exchange
 * may have given to the governance token.
 */
export const DOLLAR_STABLECOINS: ReadonlySet<string> = new Set([
	"USDT",
	"USDC",
	"FDUSD",
	"BUSD",
	"TUSD",
	"USDP",
	"PAX",
	"DAI",
	"USDE",
	"USDS",
	"PYUSD",
	"USD1",
	"RLUSD",
	"GUSD",
	"SUSD",
	"LUSD",
	"USDD",
	"BFUSD",
	"XUSD",
	"USDG",
]);

/** Whether a quote counts as US dollars: the dollar itself and the coins that promise one. */
export const isDollarQuote = (quote: string): boolean => quote === "USD" || DOLLAR_STABLECOINS.has(quote);
