import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, ScanInput, StrategyEntry, Verdict } from "../../machines/types.ts";
import { findStrategy } from "../catalogue.ts";
import { ApiError, type ProblemField, validationFailed } from "../errors.ts";
import type { StartRequest } from "../services.ts";
import type { ScanRecord } from "../store/contract.ts";

/**
 * A redrive is a new scan of the same filters: the strategies that did not answer run again, the others
 * enter it settled, with the verdicts, rows and data times they had. The old scan is only read.
 */

/** What is run again when the caller names nothing. */
const UNANSWERED: ReadonlySet<Verdict> = new Set<Verdict>(["failed", "timed_out", "degraded", "cancelled"]);

/** Documents of a strategy that travel with its verdict. */
const documentOf = (strategyId: string): string => `report:${strategyId}`;

/**
 * Which strategies run again. `words` as a client spells them; null: those that did not answer. Strategies
 * that the old scan never reached count as such. Throws nothing_to_redrive, and validation_failed for a
 * word that names no strategy of the old scan.
 */
export function chooseRerun(old: ScanRecord, words: readonly string[] | null): ReadonlySet<string> {
	const planned = old.context.input.strategies.map((plan) => plan.strategy_id);
	if (words === null || words.length === 0) {
		const entries = new Map(old.context.strategies.map((entry) => [entry.strategy_id, entry]));
		const unanswered = old.context.input.strategies.filter((plan) => {
			const verdict = entries.get(plan.strategy_id)?.verdict;
			return verdict ? UNANSWERED.has(verdict) : plan.skip === null;
		});
		if (unanswered.length === 0) throw new ApiError("nothing_to_redrive");
		return new Set(unanswered.map((plan) => plan.strategy_id));
	}
	const chosen = new Set<string>();
	const errors: ProblemField[] = [];
	for (const [position, word] of words.entries()) {
		const id = findStrategy(word)?.id;
		if (id !== undefined && planned.includes(id)) chosen.add(id);
		else errors.push({ path: `body.strategy_ids.${position}`, message: "is not a strategy of this scan" });
	}
	if (errors.length > 0) throw validationFailed(errors);
	return chosen;
}

/** The old scan's request, to be started again. */
export const redriveRequest = ({ context: { input } }: ScanRecord): StartRequest => ({
	filters: input.filters,
	filter_key: input.filter_key,
	filters_unmatched: input.filters_unmatched,
	force_refresh: true,
	include_strategy_recommendations: input.include_strategy_recommendations,
});

/**
 * The plan of the new scan: the old scan's strategies in catalogue order. What runs again is planned as
 * today's entitlement and policies say (`today`), the rest is carried over as it ended.
 */
export function redrivePlan(
	old: ScanRecord,
	rerun: ReadonlySet<string>,
	today: readonly PlannedStrategy[],
): PlannedStrategy[] {
	const entries = new Map(old.context.strategies.map((entry) => [entry.strategy_id, entry]));
	const planOf = new Map(today.map((plan) => [plan.strategy_id, plan]));
	return old.context.input.strategies.map(({ carried: _, ...before }) => {
		if (rerun.has(before.strategy_id)) return planOf.get(before.strategy_id) ?? { ...before, skip: "not_entitled" };
		const entry = entries.get(before.strategy_id);
		if (entry?.verdict) return { ...before, carried: carriedOver(entry, old.scan_id) };
		// Left out of the old scan before it was reached, and of this one for the same reason; or ended with the old scan.
		return before.skip !== null ? before : { ...before, carried: carriedOver(unreached(before), old.scan_id) };
	});
}

/** A strategy that was still to be reached when its scan ended. */
const unreached = (plan: PlannedStrategy): StrategyEntry => ({
	...newEntry(plan),
	state: "settled",
	verdict: "cancelled",
	reason: "cancelled",
});

/** A verdict keeps the name of the scan that reached it, however often it is carried on. */
const carriedOver = (entry: StrategyEntry, scanId: string): StrategyEntry => ({
	...entry,
	carried_over_from: entry.carried_over_from ?? scanId,
});

/** What has to be copied from the old scan's results: rows by id, documents by name. */
export function carriedParts(input: ScanInput): { rows: string[]; documents: string[] } {
	const carried = input.strategies.flatMap((plan) => plan.carried ?? []);
	return {
		rows: [...new Set(carried.flatMap(({ tally }) => [...tally.row_ids, ...tally.unproven_ids]))],
		documents: carried.map((entry) => documentOf(entry.strategy_id)),
	};
}
