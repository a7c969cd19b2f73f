import { DOLLAR_STABLECOINS } from "../dollars.ts";
import type { MarketTag } from "./contract.ts";

/** Stablecoins of other currencies. */
const OTHER_STABLECOINS: ReadonlySet<string> = new Set(["EURI", "AEUR", "EURC", "EURT", "XSGD", "BIDR", "IDRT"]);

/** Fiat money traded as a base. */
const FIAT: ReadonlySet<string> = new Set(["EUR", "GBP", "AUD", "TRY", "BRL", "USD"]);

/** Tokens that follow the price of a thing which is no coin. */
const PEGGED: ReadonlySet<string> = new Set(["PAXG", "XAUT", "KAU", "DGX"]);

/** Tokens that stand for another coin, staking receipts included. */
const WRAPPED: ReadonlySet<string> = new Set([
	"WBTC",
	"BTCB",
	"CBBTC",
	"TBTC",
	"RENBTC",
	"HBTC",
	"FBTC",
	"LBTC",
	"SOLVBTC",
	"WETH",
	"WBETH",
	"BETH",
	"STETH",
	"WSTETH",
	"RETH",
	"CBETH",
	"METH",
	"EZETH",
	"WEETH",
	"RSETH",
	"OSETH",
	"WBNB",
	"BNSOL",
	"MSOL",
	"JITOSOL",
	"JUPSOL",
	"BBSOL",
	"WSOL",
	"WAVAX",
	"WMATIC",
	"WTRX",
	"STRX",
]);

/** Endings of leveraged tokens: `BTCUP`, `ETHBULL`, `BTC3L`. */
const LEVERAGED_ENDING = /^(.{2,}?)(UP|DOWN|BULL|BEAR|HALF|HEDGE|[2-5][LS])$/u;

/**
 * Tags of a base. A leveraged token is known by an ending after the name of another base of the same
 * venue (`knownBases`), so that JUP and SYRUP stay what they are.
 */
export function tagsOf(base: string, knownBases: ReadonlySet<string>): MarketTag[] {
	const tags: MarketTag[] = [];
	if (DOLLAR_STABLECOINS.has(base) || OTHER_STABLECOINS.has(base) || FIAT.has(base)) tags.push("stablecoin");
	if (PEGGED.has(base)) tags.push("pegged");
	if (WRAPPED.has(base)) tags.push("wrapped");
	const underlying = LEVERAGED_ENDING.exec(base)?.[1];
	if (underlying !== undefined && knownBases.has(underlying)) tags.push("leveraged");
	return tags;
}
