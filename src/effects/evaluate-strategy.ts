import type { ScanEffect, StrategyReport } from "../../machines/events.ts";
import type { AssetsSummary, Failure, PlannedStrategy, Tally } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { DataNeeds, Evaluation, PortfolioSnapshot } from "../strategies/contract.ts";
import { type CandidateSelection, selectCandidates } from "./candidates.ts";
import type { Attachments, Effects, StrategyEffectContext } from "./contract.ts";
import { selectForScan } from "./discover-assets.ts";
import { EffectError, failureOf } from "./errors.ts";
import { type Harvest, startReads } from "./market-reads.ts";
import { type EffectDeps, type EffectSettings, effectSettings } from "./ports.ts";
import { checkEvaluation, REJECTED_DETAILS_MAX, SchemaViolation, type Settled, settleEvaluation } from "./settle-evaluation.ts";
import type { LoadedUniverse, Universes } from "./universes.ts";
import { happensWithin, untilAborted } from "./waiting.ts";

type Deps = Pick<EffectDeps, "market" | "selectAssets" | "strategyOf" | "pool" | "schema" | "compareRows" | "clock" | "settings"> & {
	universes: Universes;
};
type Effect = Extract<ScanEffect, { type: "evaluateStrategy" }>;
type Result = { report: StrategyReport; attachments: Attachments };

/** Everything one attempt works with, fixed before the first read. */
interface Attempt {
	effect: Effect;
	context: StrategyEffectContext;
	deps: Deps;
	settings: EffectSettings;
	assets: AssetsSummary;
	plan: PlannedStrategy;
	needs: DataNeeds;
	portfolio: PortfolioSnapshot;
	loaded: LoadedUniverse;
	selection: CandidateSelection;
	/** When each row was first seen in this attempt. */
	discoveredAt: (opportunityId: string) => string;
}

/**
 * One attempt of one strategy: select candidates, read what it needs as of the scan's instant,
 * evaluate off the event loop, check and count the outcome. While data still arrive, what is there
 * is evaluated and handed over, so that an attempt cut at its deadline keeps its rows.
 * Resolves to a report in every case but an abort, then it rejects with the signal's reason at once.
 */
export function createEvaluateStrategy(deps: Deps): Effects["evaluateStrategy"] {
	const settings = effectSettings(deps);
	return async (effect, context) => {
		try {
			const attempt = await prepare(effect, context, deps, settings);
			if (attempt.selection.skip) return skipped(attempt, attempt.selection.skip);
			return await run(attempt);
		} catch (error) {
			context.signal.throwIfAborted();
			return failed(effect, error, null);
		}
	};
}

async function prepare(effect: Effect, context: StrategyEffectContext, deps: Deps, settings: EffectSettings): Promise<Attempt> {
	const { strategy_id } = effect;
	const strategy = deps.strategyOf(strategy_id);
	if (!strategy) throw new EffectError("not_available", `This build has no strategy '${strategy_id}'`, false);
	const plan = context.scan.input.strategies.find((planned) => planned.strategy_id === strategy_id);
	if (!plan) throw new EffectError("not_planned", `The scan has no strategy '${strategy_id}'`, false);
	const { assets } = context.scan;
	if (!assets) throw new EffectError("no_universe", "Strategies run after asset discovery", false);

	const [portfolio, loaded] = await untilAborted(
		Promise.all([context.portfolio(), deps.universes.load(assets.universe_ref, assets.as_of_ms, context.signal)]),
		context.signal,
	);
	const selected = selectForScan(loaded.universe, deps.selectAssets, context).assets;
	const { symbols } = context.scan.input.filters;
	const selection = selectCandidates(strategy.needs, selected, loaded.universe, portfolio, {
		symbolsMax: plan.symbols_max,
		...(symbols ? { symbols } : {}),
	});
	const seen = new Map<string, string>();
	const discoveredAt = (opportunityId: string): string => {
		const known = seen.get(opportunityId) ?? isoOf(deps.clock.now());
		seen.set(opportunityId, known);
		return known;
	};
	return { effect, context, deps, settings, assets, plan, needs: strategy.needs, portfolio, loaded, selection, discoveredAt };
}

async function run(attempt: Attempt): Promise<Result> {
	const { context, deps, assets, plan, selection } = attempt;
	progress(attempt, openTally(selection), {});
	const harvest = startReads(deps.market, attempt.needs, selection.candidates, {
		signal: context.signal,
		as_of_ms: assets.as_of_ms,
		concurrencyMax: plan.chunk_size,
	});
	try {
		await gather(harvest, attempt);
		context.signal.throwIfAborted();
		if (harvest.arrived() === 0) return failed(attempt.effect, nothingRead(harvest), null);
		const { evaluation, settled } = await evaluate(harvest, attempt);
		return finished(attempt, harvest, evaluation, settled);
	} catch (error) {
		context.signal.throwIfAborted();
		return failed(attempt.effect, error, null);
	} finally {
		harvest.stop();
	}
}

/**
 * Waits until every read has ended, or until only the evaluation's reserve is left and there is
 * something to evaluate. With nothing to evaluate it waits on: then the deadline is the answer.
 */
async function gather(harvest: Harvest, attempt: Attempt): Promise<void> {
	const { context, settings, deps } = attempt;
	const reserveMs = Math.min(settings.evaluation_reserve_ms, context.timeLeftMs() / 4);
	let shown = 0;
	for (;;) {
		const leftMs = context.timeLeftMs() - reserveMs;
		if (leftMs <= 0 && harvest.arrived() > 0) return harvest.cut();
		const waitMs = leftMs > 0 ? Math.min(leftMs, settings.progress_every_ms) : settings.progress_every_ms;
		if (await happensWithin(harvest.settled, waitMs, deps.clock, context.signal)) return;
		if (harvest.sharedPending() || harvest.pending() === 0 || harvest.arrived() === shown) continue;
		shown = harvest.arrived();
		await showInterim(harvest, attempt);
	}
}

/** Evaluates what has arrived. Its failure is not the attempt's: the final evaluation will tell. */
async function showInterim(harvest: Harvest, attempt: Attempt): Promise<void> {
	try {
		const { settled } = await evaluate(harvest, attempt);
		const evaluated = settled.tally.evaluated + harvest.pending();
		progress(attempt, { ...settled.tally, evaluated }, settled.rows);
	} catch {
		attempt.context.signal.throwIfAborted();
	}
}

async function evaluate(harvest: Harvest, attempt: Attempt): Promise<{ evaluation: Evaluation; settled: Settled }> {
	const { context, deps, assets, effect } = attempt;
	const { candidates, view } = harvest.snapshot();
	const failures = new Map(harvest.failures());
	const rows_max = context.scan.input.limits.rows_max;
	const output = await untilAborted(
		deps.pool.evaluate(
			{
				strategy_id: effect.strategy_id,
				candidates,
				view: { as_of_ms: assets.as_of_ms, data_source: assets.data_source, ...view },
				portfolio: attempt.portfolio,
				limits: { rows_max, ...attempt.settings.sizing },
			},
			context.signal,
		),
		context.signal,
	);
	const evaluation = checkEvaluation(output, effect.strategy_id, deps.schema);
	const settled = settleEvaluation(evaluation, {
		candidates: candidates.map((candidate) => candidate.symbol),
		candidates_total: attempt.selection.candidates_total,
		failures,
		filters: context.scan.input.filters,
		rows_max,
		compareRows: deps.compareRows,
		as_of_ms: assets.as_of_ms,
		discoveredAt: attempt.discoveredAt,
	});
	return { evaluation, settled };
}

function finished(attempt: Attempt, harvest: Harvest, evaluation: Evaluation, settled: Settled): Result {
	const { strategy_id, attempt: number } = attempt.effect;
	return {
		report: { kind: "finished", strategy_id, attempt: number, tally: settled.tally, degraded: gapsOf(harvest, settled) },
		attachments: {
			rows: settled.rows,
			documents: {
				[`report:${strategy_id}`]: {
					thresholds: evaluation.thresholds,
					report: evaluation.report,
					rejected: settled.rejected.slice(0, REJECTED_DETAILS_MAX),
					rejected_total: settled.rejected.length,
					unread: Object.fromEntries([...harvest.sharedFailures()].slice(0, REJECTED_DETAILS_MAX).map(([name, { reason }]) => [name, reason])),
					evidence_series: harvest.snapshot().view.evidence.series.length,
					universe_ref: attempt.loaded.ref,
				},
			},
		},
	};
}

/** What makes a finished run `degraded`: candidates or shared data that could not be read. */
function gapsOf(harvest: Harvest, { tally }: Settled): Failure | null {
	const fetchFailed = tally.rejected["fetch_failed"] ?? 0;
	const timedOut = tally.rejected["timeout"] ?? 0;
	const all = [...harvest.failures().values(), ...harvest.sharedFailures().values()];
	if (fetchFailed + timedOut === 0 && all.length === 0) return null;
	const parts: string[] = [];
	if (fetchFailed > 0) parts.push(`${fetchFailed} of ${tally.evaluated} candidates could not be read`);
	if (timedOut > 0) parts.push(`${timedOut} of ${tally.evaluated} candidates did not answer in time`);
	if (harvest.sharedFailures().size > 0) parts.push(`${harvest.sharedFailures().size} series of benchmarks or evidence are missing`);
	const code = fetchFailed > 0 || all.some((failure) => failure.reason === "fetch_failed") ? "fetch_failed" : "timeout";
	return { code, message: parts.join("; ") || "Some reads failed", retryable: all.some((failure) => failure.retryable) };
}

function nothingRead(harvest: Harvest): EffectError {
	const failures = [...harvest.failures().values()];
	const [first] = failures;
	const message = `None of ${failures.length} candidates could be read${first ? `: ${first.message}` : ""}`;
	return new EffectError("fetch_failed", message, failures.some((failure) => failure.retryable));
}

function failed({ strategy_id, attempt }: Effect, error: unknown, tally: Tally | null): Result {
	const failure =
		error instanceof EffectError
			? { code: error.code, message: error.message, retryable: error.retryable }
			: failureOf(error, "evaluation_failed");
	const reason = error instanceof SchemaViolation ? "schema_violation" : failure.code;
	return { report: { kind: "failed", strategy_id, attempt, error: failure, reason, tally }, attachments: {} };
}

function skipped(attempt: Attempt, reason: NonNullable<CandidateSelection["skip"]>): Result {
	const { strategy_id, attempt: number } = attempt.effect;
	const { candidates_total, candidate_unit } = attempt.selection;
	/** Candidates there are, but none was looked at: each is rejected for the reason of the skip. */
	const evaluated = attempt.selection.candidates.length;
	const rejected: Record<string, number> = evaluated > 0 ? { [reason]: evaluated } : {};
	const tally = { ...openTally(attempt.selection), candidates_total, candidate_unit, evaluated, rejected };
	return { report: { kind: "skipped", strategy_id, attempt: number, reason, tally }, attachments: {} };
}

/** All candidates known, none decided: what is cut from here on is counted by the machine. */
const openTally = ({ candidates, candidates_total, candidate_unit }: CandidateSelection): Tally => ({
	candidate_unit,
	candidates_total,
	evaluated: candidates.length,
	row_ids: [],
	unproven_ids: [],
	rejected: {},
	near_misses: [],
	data_as_of: null,
	data_age_seconds: null,
});

function progress({ effect, context }: Attempt, tally: Tally, rows: Record<string, string>): void {
	const { strategy_id, attempt } = effect;
	context.progress({ kind: "progressed", strategy_id, attempt, tally }, Object.keys(rows).length > 0 ? { rows } : {});
}
