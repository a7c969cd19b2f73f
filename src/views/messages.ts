import type {
	AccountReport,
	PortfolioSummary,
	ScanContext,
	ScanPosition,
	StrategyEntry,
	Verdict,
} from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { listWords, plural, positionOf, strategyName } from "./words.ts";

/** Warnings within a message; all of them stand in the phase. */
const WARNINGS_MAX = 3;

const GAPS: readonly Verdict[] = ["degraded", "failed", "timed_out"];

/** Filter words that met nothing, from the request and from discovery, each once. */
export function unmatchedFilters(context: ScanContext): string[] {
	return [...new Set([...context.input.filters_unmatched, ...(context.assets?.filters_unmatched ?? [])])];
}

function unmatchedSentence(context: ScanContext): string {
	const words = unmatchedFilters(context);
	return words.length === 0 ? "" : ` Filters without a match: ${listWords(words, 10)}.`;
}

/** A sentence per exchange account that the portfolio lacks, wholly or in part. */
const accountWarnings = (accounts: readonly AccountReport[]): string[] =>
	accounts.flatMap(({ exchange, error, missing, as_of_ms }) => {
		const counted =
			as_of_ms === null ? "it is left out of the portfolio" : `its state of ${isoOf(as_of_ms)} is counted`;
		if (error !== null) return [`An account at ${exchange} was not read (${error}), ${counted}.`];
		if (missing.length === 0) return [];
		return [`An account at ${exchange} was read in part, without ${missing.map(missingWords).join(" and ")}.`];
	});

/** A sentence for each thing of the portfolio that is missing or old. */
export const portfolioWarnings = ({ accounts = [], stale_prices }: PortfolioSummary): string[] => [
	...(stale_prices
		? [
				`Prices of the portfolio are the last good ones, up to ${stale_prices.age_seconds} s old, because their source failed (${stale_prices.error}).`,
			]
		: []),
	...accountWarnings(accounts),
];

const missingWords = (part: string): string =>
	part === "beyond_limit" ? "what is beyond the limit of entries" : part.replaceAll("_", " ");

const portfolioSentences = ({ portfolio }: ScanContext): string =>
	(portfolio ? portfolioWarnings(portfolio) : [])
		.slice(0, WARNINGS_MAX)
		.map((warning) => ` ${warning}`)
		.join("");

function named(entries: readonly StrategyEntry[], verdicts: readonly Verdict[]): string {
	return listWords(
		entries
			.filter((entry) => entry.verdict !== null && verdicts.includes(entry.verdict))
			.map((entry) => strategyName(entry.strategy_id)),
	);
}

function nothingToScan(context: ScanContext): string {
	const { profile, filters, strategies } = context.input;
	if (strategies.length === 0 && profile.strategy_ids.length === 0) return "Nothing to scan: you own no strategy yet.";
	if (strategies.length === 0 && filters.strategy_ids) return "Nothing to scan: no strategy matches the filters.";
	const skips = context.strategies.filter((entry) => entry.verdict === "skipped");
	if (skips.length > 0) {
		const reasons = [...new Set(skips.map((entry) => entry.reason ?? "not_available"))].sort();
		return `Nothing to scan: ${plural(skips.length, "strategy was", "strategies were")} skipped (${reasons.join(", ")}).`;
	}
	return "Nothing to scan: the filters leave nothing to run.";
}

function completeMessage(context: ScanContext): string {
	const rows = context.ranking?.ranked_count ?? context.opportunities_found;
	const skipped = context.strategies.filter((entry) => entry.verdict === "skipped").length;
	const strategies = plural(context.strategies.length - skipped, "strategy", "strategies");
	const rest = skipped === 0 ? "" : ` (${skipped} skipped)`;
	const found = plural(rows, "opportunity", "opportunities");
	switch (context.outcome) {
		case "found":
			return `Scan complete: ${found} from ${strategies}${rest}.`;
		case "found_with_gaps":
			return `Scan complete with gaps: ${found} from ${strategies}; not fully answered: ${named(context.strategies, GAPS)}.`;
		case "empty":
			return `Scan complete: no opportunities; ${strategies} looked${rest} and the counts say why.`;
		case "incomplete":
			return `Scan complete with gaps and nothing to show; not fully answered: ${named(context.strategies, GAPS)}.`;
		case "nothing_to_scan":
			return nothingToScan(context);
		default:
			return "Scan complete.";
	}
}

function cancelledMessage(context: ScanContext): string {
	const { end } = context;
	if (end?.reason === "superseded") return "The scan was superseded by a newer forced scan; what it had found is kept.";
	const by = end?.reason === "admin_request" ? "an administrator" : "its owner";
	return `The scan was cancelled by ${by}; what it had found is kept.`;
}

const PHASE_WORDS: Partial<Record<ScanPosition, string>> = {
	queued: "Waiting for a worker",
	started: "The scan has started",
	portfolio_fetch: "Reading the portfolio",
	asset_discovery: "Discovering assets",
	ranking: "Ranking the opportunities",
};

function runningMessage(context: ScanContext, position: ScanPosition): string {
	if (position !== "strategies_scan") return `${PHASE_WORDS[position] ?? "Scan in progress"}.`;
	const done = context.strategies.filter((entry) => entry.verdict !== null).length;
	const rows = plural(context.opportunities_found, "opportunity", "opportunities");
	return `Running strategies: ${done} of ${context.strategies.length} done, ${rows} so far.`;
}

/**
 * One clear sentence on where the scan stands. Only outcome `empty` says that there are no
 * opportunities; `incomplete` names the strategies that did not answer.
 */
export function scanMessage(context: ScanContext, position: ScanPosition = positionOf(context)): string {
	switch (position) {
		case "completed":
			return completeMessage(context) + portfolioSentences(context) + unmatchedSentence(context);
		case "failed":
			return `The scan failed: ${context.end?.error?.message ?? "the cause is not known"}`;
		case "cancelled":
			return cancelledMessage(context);
		default:
			return runningMessage(context, position) + portfolioSentences(context) + unmatchedSentence(context);
	}
}
