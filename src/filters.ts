/**
 * Filters of a scan: one canonical object per meaning, its key, and the test every row must pass
 *. Pure; every process derives the same key from the same request.
 */
import type { ScanFilters } from "../machines/types.ts";
import { canonicalJson, compareText, sha256Hex } from "./canonical.ts";
import { ASSET_TIERS, CATALOGUE, findStrategy } from "./catalogue.ts";
import type { ProblemField } from "./errors.ts";
import { canonicalSymbol, parseTimeframe, spansOverlap, symbolMatches } from "./filter-words.ts";
import type { Opportunity } from "./strategies/contract.ts";

/** Bounds of one list: more entries, or a longer word, is a validation error. */
export const FILTER_ENTRIES_MAX = 1000;
export const FILTER_WORD_LENGTH_MAX = 100;

const RISK_WORDS: Record<string, string> = {
	low: "low",
	medium: "medium",
	medium_high: "high",
	high: "high",
	very_high: "very_high",
};
const TIER_WORDS = new Set<string>(ASSET_TIERS.map((tier) => tier.name));
const TYPE_WORDS = new Set(CATALOGUE.flatMap((entry) => [...entry.types]));

export type ParsedFilters =
	| { ok: true; filters: ScanFilters; filter_key: string; unmatched: string[] }
	| { ok: false; errors: ProblemField[] };

interface Word {
	text: string;
	path: string;
}

/**
 * Parses the filter members of a discover body (unknown members are ignored).
 * `unmatched` names strategies and opportunity types that the catalogue does not know; symbols are
 * judged by discovery. Errors carry dotted paths below `body`.
 */
export function parseFilters(body: Record<string, unknown>): ParsedFilters {
	const errors: ProblemField[] = [];
	const list = (...fields: string[]) => fields.flatMap((field) => words(body[field], `body.${field}`, errors));
	const filters: ScanFilters = {};
	const unmatched: string[] = [];

	put(
		filters,
		"symbols",
		list("symbols").map((word) => canonicalSymbol(word.text)),
	);
	put(
		filters,
		"asset_tiers",
		mapWords(list("asset_tiers"), errors, "asset tier", (word) => (TIER_WORDS.has(word) ? word : null)),
	);
	put(
		filters,
		"strategy_ids",
		list("strategy_ids").map((word) => resolveStrategy(word.text, unmatched)),
	);
	put(
		filters,
		"filter_by_risk_level",
		mapWords(list("filter_by_risk_level"), errors, "risk level", (word) =>
			Object.hasOwn(RISK_WORDS, word) ? (RISK_WORDS[word] ?? null) : null,
		),
	);
	put(
		filters,
		"preferred_timeframes",
		mapWords(list("preferred_timeframes"), errors, "timeframe", (word) => parseTimeframe(word)?.word ?? null),
	);
	put(
		filters,
		"opportunity_type",
		list("opportunity_type", "strategy_types").map((word) => resolveType(word.text, unmatched)),
	);
	const minProfit = amount(
		body.min_profit_potential,
		"body.min_profit_potential",
		"at least 0",
		(value) => value >= 0,
		errors,
	);
	if (minProfit !== null) filters.min_profit_potential = minProfit;
	const maxCapital = amount(
		body.max_required_capital,
		"body.max_required_capital",
		"above 0",
		(value) => value > 0,
		errors,
	);
	if (maxCapital !== null) filters.max_required_capital = maxCapital;

	if (errors.length > 0) return { ok: false, errors };
	return { ok: true, filters, filter_key: filterKey(filters), unmatched: sortedUnique(unmatched) };
}

/** SHA-256 of the canonical JSON of a canonical filter object. */
export const filterKey = (filters: ScanFilters): string => sha256Hex(canonicalJson(filters));

export type FilterReason =
	| "filter_symbol"
	| "filter_risk_level"
	| "filter_min_profit"
	| "filter_max_capital"
	| "filter_timeframe"
	| "filter_opportunity_type";

/** Why a row does not pass the user's filters, the first failing one; null when it passes. */
export function rowPasses(row: Opportunity, filters: ScanFilters): FilterReason | null {
	if (filters.symbols && !rowHasSymbol(row.symbol, filters.symbols)) return "filter_symbol";
	if (filters.filter_by_risk_level && !filters.filter_by_risk_level.includes(row.risk_level))
		return "filter_risk_level";
	if (filters.min_profit_potential !== undefined && !(row.profit_potential_usd >= filters.min_profit_potential))
		return "filter_min_profit";
	if (filters.max_required_capital !== undefined && !(row.required_capital_usd <= filters.max_required_capital))
		return "filter_max_capital";
	if (filters.preferred_timeframes && !timeframeOverlaps(row.estimated_timeframe, filters.preferred_timeframes))
		return "filter_timeframe";
	if (filters.opportunity_type && !filters.opportunity_type.includes(row.opportunity_type.toLowerCase()))
		return "filter_opportunity_type";
	return null;
}

/** A pair `ETH-LINK` passes when both its bases are wanted; a portfolio-level row never does. */
function rowHasSymbol(symbol: string, wanted: readonly string[]): boolean {
	if (symbol === "PORTFOLIO") return false;
	const legs = symbol.includes("/") ? [symbol] : symbol.split("-");
	return legs.every((leg) =>
		wanted.some((word) => symbolMatches(leg, word) || (!leg.includes("/") && word.split("/")[0] === leg)),
	);
}

function timeframeOverlaps(text: string, wanted: readonly string[]): boolean {
	const span = parseTimeframe(text);
	if (!span) return false;
	return wanted.some((word) => {
		const preferred = parseTimeframe(word);
		return preferred !== null && spansOverlap(span, preferred);
	});
}

/** List rules of 4.2: strings split on commas, entries made text and trimmed, blanks and null dropped. */
function words(value: unknown, path: string, errors: ProblemField[]): Word[] {
	if (value === undefined || value === null) return [];
	if (typeof value !== "string" && !Array.isArray(value)) {
		errors.push({ path, message: "must be a list or a comma-separated string" });
		return [];
	}
	const entries: unknown[] = typeof value === "string" ? value.split(",") : value;
	if (entries.length > FILTER_ENTRIES_MAX) {
		errors.push({ path, message: `must have at most ${FILTER_ENTRIES_MAX} entries` });
		return [];
	}
	const found: Word[] = [];
	for (const [position, entry] of entries.entries()) {
		const place = typeof value === "string" ? path : `${path}.${position}`;
		if (entry !== null && typeof entry === "object") {
			errors.push({ path: place, message: "must be text" });
			continue;
		}
		const text = String(entry ?? "").trim();
		if (text.length > FILTER_WORD_LENGTH_MAX)
			errors.push({ path: place, message: `must have at most ${FILTER_WORD_LENGTH_MAX} characters` });
		else if (text !== "") found.push({ text, path: place });
	}
	return found;
}

function mapWords(list: Word[], errors: ProblemField[], kind: string, map: (word: string) => string | null): string[] {
	return list.flatMap((word) => {
		const mapped = map(word.text.toLowerCase());
		if (mapped !== null) return [mapped];
		errors.push({ path: word.path, message: `unknown ${kind} '${word.text}'` });
		return [];
	});
}

function resolveStrategy(word: string, unmatched: string[]): string {
	const entry = findStrategy(word);
	if (entry) return entry.id;
	unmatched.push(word.toLowerCase());
	return word.toLowerCase();
}

function resolveType(word: string, unmatched: string[]): string {
	const type = word.toLowerCase();
	if (!TYPE_WORDS.has(type)) unmatched.push(type);
	return type;
}

function amount(
	value: unknown,
	path: string,
	rule: string,
	holds: (value: number) => boolean,
	errors: ProblemField[],
): number | null {
	if (value === undefined || value === null) return null;
	if (typeof value === "number" && Number.isFinite(value) && holds(value)) return value === 0 ? 0 : value;
	errors.push({ path, message: `must be a number ${rule}` });
	return null;
}

type ListField =
	| "symbols"
	| "asset_tiers"
	| "strategy_ids"
	| "filter_by_risk_level"
	| "preferred_timeframes"
	| "opportunity_type";

function put(filters: ScanFilters, field: ListField, values: string[]): void {
	if (values.length > 0) filters[field] = sortedUnique(values);
}

const sortedUnique = (values: readonly string[]): string[] => [...new Set(values)].sort(compareText);
