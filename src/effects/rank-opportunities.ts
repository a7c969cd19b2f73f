import type { RankingSummary, ScanContext } from "../../machines/types.ts";
import type { Opportunity } from "../strategies/contract.ts";
import type { EffectContext, Effects, Ranked, RankingDocument } from "./contract.ts";
import { EffectError } from "./errors.ts";
import { type EffectDeps, effectSettings, type RowOrder } from "./ports.ts";
import { type Recommendation, recommendStrategies, recommendUnmeasured } from "./recommendations.ts";
import { totalOrder } from "./settle-evaluation.ts";
import { untilAborted, withinTime } from "./waiting.ts";

type Deps = Pick<EffectDeps, "compareRows" | "strategyOf" | "measure" | "clock" | "settings">;

/**
 * Orders all rows of the scan and cuts them at the user's scan limit; filters were applied before
 * the strategies settled. Adds up to three recommendations, whose failure does not fail the scan.
 * Rejects with `ranking_failed` when accepted rows cannot be read back.
 */
export function createRankOpportunities(deps: Deps): Effects["rankOpportunities"] {
	return async (context) => {
		const startedAtMs = deps.clock.now();
		const rows = await untilAborted(context.rows(), context.signal);
		const ranked = rankRows(context.scan, rows, deps.compareRows);
		return rankedAs(ranked, await advise(deps, context), deps.clock.now() - startedAtMs);
	};
}

/** Where no recommendation has to be measured, which takes time and may be cut. Throws as `rankRows` does. */
export function createRankAtOnce(deps: Omit<Deps, "settings">): NonNullable<Effects["rankAtOnce"]> {
	return (scan, rows) => {
		const wanted = scan.input.include_strategy_recommendations;
		if (wanted && deps.measure) return null;
		const startedAtMs = deps.clock.now();
		const ranked = rankRows(scan, rows, deps.compareRows);
		const advice: Advice = wanted
			? { recommendations: recommendUnmeasured(scan, deps.strategyOf), outcome: "completed" }
			: NO_ADVICE;
		return rankedAs(ranked, advice, deps.clock.now() - startedAtMs);
	};
}

function rankedAs({ ranked, unproven, cut }: RankedRows, advice: Advice, tookMs: number): Ranked {
	const document: RankingDocument = { ranked, unproven, recommendations: advice.recommendations };
	const ranking: RankingSummary = {
		ranked_count: ranked.length,
		unproven_count: unproven.length,
		cut,
		recommendations_count: advice.recommendations.length,
		recommendations: advice.outcome,
		duration_ms: Math.max(0, tookMs),
	};
	return { ranking, attachments: { documents: { ranking: document } } };
}

export interface RankedRows {
	/** Best first, at most min(scan_limit, rows_max). */
	ranked: string[];
	/** Best first, at most rows_max; never mixed with published rows. */
	unproven: string[];
	/** Published rows beyond the limit, per strategy id. */
	cut: Record<string, string[]>;
}

/** Pure: the same rows in any order give the same ranking. Throws EffectError `ranking_failed`. */
export function rankRows(scan: ScanContext, rows: ReadonlyMap<string, Opportunity>, compareRows: RowOrder): RankedRows {
	const { profile, limits } = scan.input;
	const order = totalOrder(compareRows);
	const read = (ids: readonly string[]) => rowsOf(ids, rows).sort(order);
	const published = read(scan.strategies.flatMap((entry) => entry.tally.row_ids));
	const unproven = read(scan.strategies.flatMap((entry) => entry.tally.unproven_ids));
	const shown = Math.min(profile.scan_limit ?? Number.POSITIVE_INFINITY, limits.rows_max);
	const cut: Record<string, string[]> = {};
	for (const { strategy_id, opportunity_id } of published.slice(shown)) {
		cut[strategy_id] = [...(cut[strategy_id] ?? []), opportunity_id];
	}
	return {
		ranked: published.slice(0, shown).map((row) => row.opportunity_id),
		unproven: unproven.slice(0, limits.rows_max).map((row) => row.opportunity_id),
		cut,
	};
}

function rowsOf(ids: readonly string[], rows: ReadonlyMap<string, Opportunity>): Opportunity[] {
	const wanted = [...new Set(ids)];
	const found = wanted.flatMap((id) => rows.get(id) ?? []);
	if (found.length < wanted.length) {
		throw new EffectError(
			"ranking_failed",
			`${wanted.length - found.length} of ${wanted.length} accepted rows could not be read back`,
			true,
		);
	}
	return found;
}

interface Advice {
	recommendations: Recommendation[];
	outcome: RankingSummary["recommendations"];
}

const NO_ADVICE: Advice = { recommendations: [], outcome: "skipped" };

async function advise(deps: Deps, context: EffectContext): Promise<Advice> {
	if (!context.scan.input.include_strategy_recommendations) return NO_ADVICE;
	/** Half of what is left stays for the commit that ends the scan. */
	const limitMs = Math.min(effectSettings(deps).recommendations_timeout_ms, context.timeLeftMs() / 2);
	try {
		const recommendations = await withinTime(limitMs, deps.clock, context.signal, (signal) =>
			recommendStrategies(context.scan, deps.strategyOf, deps.measure, signal),
		);
		return { recommendations, outcome: "completed" };
	} catch {
		context.signal.throwIfAborted();
		return { recommendations: [], outcome: "failed" };
	}
}
