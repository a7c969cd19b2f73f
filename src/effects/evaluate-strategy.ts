import type { AssetsSummary, PlannedStrategy, Tally } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { DataNeeds, Evaluation, PortfolioSnapshot } from "../strategies/contract.ts";
import { beginOf } from "./begin.ts";
import { type CandidateSelection, selectCandidates } from "./candidates.ts";
import type { Effects, StrategyEffectContext } from "./contract.ts";
import { selectForScan } from "./discover-assets.ts";
import { EffectError } from "./errors.ts";
import { type Harvest, startHarvest } from "./harvest.ts";
import { type EffectDeps, type EffectSettings, effectSettings } from "./ports.ts";
import { checkEvaluation, type Settled, settleEvaluation } from "./settle-evaluation.ts";
import {
	type EvaluationEffect,
	type EvaluationResult,
	failedReport,
	finishedReport,
	nothingRead,
	openTally,
	skippedReport,
	unknownUniverseReport,
} from "./strategy-reports.ts";
import type { LoadedUniverse, Universes } from "./universes.ts";
import { happensWithin, untilAborted } from "./waiting.ts";

type Deps = Pick<
	EffectDeps,
	"market" | "selectAssets" | "strategyOf" | "pool" | "schema" | "compareRows" | "clock" | "settings"
> & {
	universes: Universes;
};

/** Everything one attempt works with, fixed before the first read. */
interface Attempt {
	effect: EvaluationEffect;
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
			const { selection, assets } = attempt;
			if (selection.skip === "no_symbols" && assets.sources.some(({ ok }) => !ok))
				return unknownUniverseReport(effect, selection, assets.sources);
			if (selection.skip) return skippedReport(effect, selection, selection.skip);
			return await run(attempt);
		} catch (error) {
			context.signal.throwIfAborted();
			return failedReport(effect, error);
		}
	};
}

async function prepare(
	effect: EvaluationEffect,
	context: StrategyEffectContext,
	deps: Deps,
	settings: EffectSettings,
): Promise<Attempt> {
	const { strategy_id } = effect;
	const strategy = deps.strategyOf(strategy_id);
	if (!strategy) throw new EffectError("not_available", `This build has no strategy '${strategy_id}'`, false);
	const plan = context.scan.input.strategies.find((planned) => planned.strategy_id === strategy_id);
	if (!plan) throw new EffectError("not_planned", `The scan has no strategy '${strategy_id}'`, false);
	const { assets } = context.scan;
	if (!assets) throw new EffectError("no_universe", "Strategies run after asset discovery", false);

	const at = { asOfMs: assets.as_of_ms, begunMs: beginOf(context, deps.clock).begunMs };
	const [portfolio, loaded] = await untilAborted(
		Promise.all([context.portfolio(), deps.universes.load(assets.universe_ref, at, context.signal)]),
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
	return {
		effect,
		context,
		deps,
		settings,
		assets,
		plan,
		needs: strategy.needs,
		portfolio,
		loaded,
		selection,
		discoveredAt,
	};
}

async function run(attempt: Attempt): Promise<EvaluationResult> {
	const { context, deps, assets, plan, selection } = attempt;
	// First of all the books are opened: whatever ends this attempt, every candidate is counted.
	progress(attempt, openTally(selection), new Map());
	const harvest = startHarvest(deps.market, attempt.needs, selection.candidates, {
		signal: context.signal,
		as_of_ms: assets.as_of_ms,
		begun_ms: beginOf(context, deps.clock).begunMs,
		concurrencyMax: plan.chunk_size,
	});
	try {
		await gather(harvest, attempt);
		context.signal.throwIfAborted();
		if (harvest.arrived() === 0) return failedReport(attempt.effect, nothingRead(harvest));
		const { evaluation, settled } = await evaluate(harvest, attempt);
		return finishedReport(attempt.effect, harvest, evaluation, settled, attempt.loaded.ref, assets.sources);
	} catch (error) {
		context.signal.throwIfAborted();
		return failedReport(attempt.effect, error);
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
		if (harvest.pending() === 0 && harvest.arrived() === 0) return;
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
		const { settled, pending } = await evaluate(harvest, attempt);
		const { tally, rows } = settled;
		// The pairs that wait for a candidate are more than the candidates that are waited for.
		const evaluated =
			tally.candidate_unit === "pair" ? openTally(attempt.selection).evaluated : tally.evaluated + pending;
		progress(attempt, { ...tally, evaluated }, rows);
	} catch {
		attempt.context.signal.throwIfAborted();
	}
}

interface Outcome {
	evaluation: Evaluation;
	settled: Settled;
	/** Candidates that had not arrived when the evaluation began. */
	pending: number;
}

/** One evaluation of what has arrived by now, checked and counted. Throws SchemaViolation. */
async function evaluate(harvest: Harvest, attempt: Attempt): Promise<Outcome> {
	const { context, deps, assets, effect } = attempt;
	const { candidates, view } = harvest.snapshot();
	const failures = new Map(harvest.failures());
	const pending = harvest.pending();
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
	return { evaluation, settled, pending };
}

function progress({ effect, context }: Attempt, tally: Tally, rows: Settled["rows"]): void {
	const { strategy_id, attempt } = effect;
	context.progress({ kind: "progressed", strategy_id, attempt, tally }, rows.size > 0 ? { rows } : {});
}
