import { symbolParts } from "../filter-words.ts";
import type { ScanRecord } from "../store/contract.ts";
import { progressOf } from "./progress.ts";
import { totalOpportunities } from "./status.ts";
import { endedAtMs, executionTimeMs, isoOrNull, pollUrl, resultsUrl, stateOf, statusOf } from "./words.ts";

/** One scan of a list with what filters look at; immutable once the scan has ended. */
export interface ListedScan {
	/** As clients see it. */
	item: Record<string, unknown> & { scan_id: string; status: string; state: string };
	/** Strategies that ran in this scan. */
	ran: string[];
	/** Symbols of its rows and of its filters, upper case. */
	symbols: string[];
}

/** `symbols`: of the rows, published and unproven. */
export function listedScan(record: ScanRecord, symbols: readonly string[]): ListedScan {
	const { context, position, scan_id } = record;
	const { input } = context;
	const ran = context.strategies.filter((entry) => entry.attempt > 0 && entry.carried_over_from === null);
	const item = {
		scan_id,
		status: statusOf(position),
		state: stateOf(position),
		reason: context.end?.reason ?? null,
		outcome: position === "completed" ? context.outcome : null,
		filters: input.filters,
		accepted_at: isoOrNull(input.accepted_at_ms),
		started_at: isoOrNull(context.claimed_at_ms),
		completed_at: isoOrNull(endedAtMs(context)),
		duration_ms: executionTimeMs(context),
		total_opportunities: totalOpportunities(record),
		unproven_count: context.strategies.reduce((sum, entry) => sum + entry.tally.unproven_ids.length, 0),
		progress: progressOf(context, position),
		redrive_of: input.redrive_of,
		superseded_by: context.end?.superseded_by ?? null,
		expires_at: isoOrNull(record.expires_at_ms),
		status_url: pollUrl(scan_id),
		results_url: resultsUrl(scan_id),
	};
	const named = [...symbols, ...(input.filters.symbols ?? [])].map((symbol) => symbol.toUpperCase());
	return { item, ran: ran.map((entry) => entry.strategy_id), symbols: [...new Set(named)].sort() };
}

/** What a list may be narrowed to; null: not at all. */
export interface ListFilter {
	/** scanning, complete, failed (without cancelled), cancelled */
	status: "scanning" | "complete" | "failed" | "cancelled" | null;
	/** Catalogue id. */
	strategy: string | null;
	/** Canonical symbol word: a base, a pair or a contract. */
	symbol: string | null;
}

export function isListed({ item, ran, symbols }: ListedScan, filter: ListFilter): boolean {
	if (filter.status !== null && wordOf(item) !== filter.status) return false;
	if (filter.strategy !== null && !ran.includes(filter.strategy)) return false;
	const { symbol } = filter;
	return symbol === null || symbols.some((held) => isOfSymbol(held, symbol));
}

const wordOf = ({ state, status }: ListedScan["item"]): string => (state === "cancelled" ? state : status);

/** A pair of coins (`ETH-LINK`) is found by either; a filter word `BTC` is found by `BTC/USDT` and the reverse. */
function isOfSymbol(held: string, wanted: string): boolean {
	if (held === wanted) return true;
	const [have, want] = [symbolParts(held), symbolParts(wanted)];
	if (want.settle !== null) return false;
	if (want.quote === null) return held.split("-").some((leg) => symbolParts(leg).base === want.base);
	return have.base === want.base && (have.quote === null || have.quote === want.quote);
}
