import { isDollarQuote } from "./dollars.ts";

/**
 * The words that filters are spelled in: market symbols and timeframes.
 * Pure text rules; whether a symbol exists is the market's business.
 */

const GLUED_QUOTE = /^([A-Z0-9]+?)(USDT|USDC|USD)$/;

/**
 * One spelling per symbol: `btc` -> `BTC`, `BTC-USDT`, `BTC_USDT`, `btcusdt` -> `BTC/USDT`,
 * `BTCUSDT:USDT` -> `BTC/USDT:USDT`. Unknown words come back upper-cased. Idempotent.
 */
export function canonicalSymbol(word: string): string {
	const [pair = "", ...settle] = word.replace(/\s+/g, "").toUpperCase().split(":");
	return [canonicalPair(pair), ...settle].join(":");
}

function canonicalPair(pair: string): string {
	// A dollar coin is a word of its own: `TUSD` is not `T/USD`.
	if (pair.includes("/") || isDollarQuote(pair)) return pair;
	const separated = /^([^-_]+)[-_]([^-_]+)$/.exec(pair);
	if (separated) return `${separated[1]}/${separated[2]}`;
	const glued = GLUED_QUOTE.exec(pair);
	return glued ? `${glued[1]}/${glued[2]}` : pair;
}

export interface SymbolParts {
	base: string;
	quote: string | null;
	/** Contracts: everything behind the colon. */
	settle: string | null;
}

/** Parts of a unified symbol; a bare base has neither quote nor settle. */
export function symbolParts(symbol: string): SymbolParts {
	const [pair = "", settle] = symbol.split(":");
	const [base = "", quote] = pair.split("/");
	return { base, quote: quote ?? null, settle: settle ?? null };
}

/**
 * Whether one canonical filter word means this unified symbol: a base means every market of it,
 * `BTC/USDT` means base and quote in any market type, `BTC/USDT:USDT` only that contract.
 */
export function symbolMatches(symbol: string, word: string): boolean {
	if (symbol === word) return true;
	const wanted = symbolParts(word);
	if (wanted.settle !== null) return false;
	const actual = symbolParts(symbol);
	return actual.base === wanted.base && (wanted.quote === null || actual.quote === wanted.quote);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS: readonly [unit: string, pattern: string, ms: number][] = [
	["m", "m|min|mins|minutes?", MINUTE_MS],
	["h", "h|hours?", HOUR_MS],
	["d", "d|days?", DAY_MS],
	["w", "w|weeks?", 7 * DAY_MS],
	/** A month is 30 days wherever lengths are compared. */
	["mo", "mo|months?", 30 * DAY_MS],
];

/** A span of holding times, both ends included. */
export interface TimeframeSpan {
	/** The one spelling: `5m`, `4-24h`, `1-3mo`, `immediate`. */
	word: string;
	from_ms: number;
	to_ms: number;
}

/** Reads `5m`, `4h`, `1d`, `1w`, `1mo`, `immediate`, ranges `4-24h`, long units `1-3 months`; else null. */
export function parseTimeframe(text: string): TimeframeSpan | null {
	const word = text.trim().toLowerCase();
	if (word === "immediate") return { word, from_ms: 0, to_ms: 0 };
	const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*([a-z]+)$/.exec(word);
	if (!match) return null;
	const unit = UNITS.find(([, pattern]) => new RegExp(`^(?:${pattern})$`).test(match[3] ?? ""));
	const from = Number(match[1]);
	const to = match[2] === undefined ? from : Number(match[2]);
	if (!unit || from < 1 || to < from) return null;
	const length = from === to ? `${from}` : `${from}-${to}`;
	return { word: `${length}${unit[0]}`, from_ms: from * unit[2], to_ms: to * unit[2] };
}

/** Two spans overlap when they share at least one length; ends count. */
export const spansOverlap = (a: TimeframeSpan, b: TimeframeSpan): boolean =>
	a.from_ms <= b.to_ms && b.from_ms <= a.to_ms;
