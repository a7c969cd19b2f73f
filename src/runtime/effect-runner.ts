import type { ScanEffect, ScanEvent, StrategyReport } from "../../machines/events.ts";
import type { Failure, ScanContext } from "../../machines/types.ts";
import type { Clock } from "../clock.ts";
import type { Attachments, Effects, StrategyEffectContext } from "../effects/contract.ts";
import type { ScanReader } from "../store/contract.ts";
import { untilStoreAnswers } from "../store-failure.ts";
import type { Opportunity, PortfolioSnapshot } from "../strategies/contract.ts";
import { Cut } from "./cut.ts";
import { toFailure } from "./failure.ts";
import type { KeptResults } from "./kept-results.ts";

/** What an effect hands to the run: an event for the machine (or a report that will be bundled). */
export type Outcome =
	| { kind: "event"; event: ScanEvent; attachments: Attachments }
	| { kind: "report"; report: StrategyReport; at_ms: number; attachments: Attachments };

interface RunnerDeps {
	effects: Effects;
	reader: ScanReader;
	clock: Clock;
	/** The store's clock. */
	now: () => number;
	/** What this run has committed itself. */
	kept: KeptResults;
	/** The latest state of the scan. */
	scan: () => ScanContext;
	post: (outcome: Outcome) => void;
	onError: (effect: ScanEffect, error: unknown, failure: Failure) => void;
}

export interface EffectRunner {
	/** Starts what is missing, aborts what is no longer wanted. */
	reconcile(wanted: readonly ScanEffect[]): void;
	stop(): void;
}

/**
 * Keeps exactly the effects running that the committed state asks for. An effect that ignores its signal
 * is forgotten: whatever it answers later is dropped here, and the attempt number would stop it anyway.
 */
export function createEffectRunner(deps: RunnerDeps): EffectRunner {
	const running = new Map<string, { cut: Cut; timer: unknown }>();
	const abort = (key: string) => {
		const held = running.get(key);
		running.delete(key);
		if (!held) return;
		deps.clock.clearTimeout(held.timer);
		held.cut.abort();
	};
	const start = (effect: ScanEffect) => {
		const cut = new Cut();
		// A second guard beside the machine's own deadline: also holds while a commit cannot be made.
		const timer = deps.clock.setTimeout(() => cut.abort(), Math.max(0, effect.deadline_at_ms - deps.now()));
		const entry = { cut, timer };
		running.set(effect.key, entry);
		const isCurrent = () => running.get(effect.key) === entry;
		const settle = (outcome: Outcome | null) => {
			if (!isCurrent()) return;
			deps.clock.clearTimeout(timer);
			if (outcome) deps.post(outcome);
		};
		carryOut(deps, effect, cut, isCurrent).then(settle, (error: unknown) => {
			if (cut.aborted || !isCurrent()) return;
			const failure = toFailure(error);
			deps.onError(effect, error, failure);
			settle(failed(effect, failure, deps.now()));
		});
	};
	return {
		reconcile(wanted) {
			const keys = new Set(wanted.map((effect) => effect.key));
			for (const key of [...running.keys()]) if (!keys.has(key)) abort(key);
			for (const effect of wanted) if (!running.has(effect.key)) start(effect);
		},
		stop() {
			for (const key of [...running.keys()]) abort(key);
		},
	};
}

async function carryOut(deps: RunnerDeps, effect: ScanEffect, cut: Cut, isCurrent: () => boolean): Promise<Outcome> {
	const context = effectContext(deps, effect, cut, (report, attachments) => {
		if (isCurrent() && !cut.aborted) deps.post({ kind: "report", report, at_ms: deps.now(), attachments });
	});
	switch (effect.type) {
		case "fetchPortfolio": {
			const { portfolio, attachments } = await deps.effects.fetchPortfolio(context);
			return { kind: "event", event: { type: "portfolio.fetched", at_ms: deps.now(), portfolio }, attachments };
		}
		case "discoverAssets": {
			const { assets, attachments } = await deps.effects.discoverAssets(context);
			return { kind: "event", event: { type: "assets.discovered", at_ms: deps.now(), assets }, attachments };
		}
		case "evaluateStrategy": {
			const { report, attachments } = await deps.effects.evaluateStrategy(effect, context);
			return { kind: "report", report, at_ms: deps.now(), attachments };
		}
		case "rankOpportunities": {
			const { ranking, attachments } = await deps.effects.rankOpportunities(context);
			return { kind: "event", event: { type: "ranking.completed", at_ms: deps.now(), ranking }, attachments };
		}
	}
}

function effectContext(
	deps: RunnerDeps,
	effect: ScanEffect,
	cut: Cut,
	progress: StrategyEffectContext["progress"],
): StrategyEffectContext {
	const scan = deps.scan();
	const scanId = scan.input.scan_id;
	const patiently = <T>(ask: () => Promise<T>) => untilStoreAnswers(ask, deps.clock, cut.signal);
	return {
		get signal() {
			return cut.signal;
		},
		scan,
		progress,
		timeLeftMs: () => effect.deadline_at_ms - deps.now(),
		elapsedMs: () => Math.max(0, deps.now() - scan.input.accepted_at_ms),
		async portfolio() {
			const [kept] = deps.kept.all(["d:portfolio"]) ?? [];
			if (kept !== undefined) return JSON.parse(kept) as PortfolioSnapshot;
			const stored = await patiently(() => deps.reader.document<PortfolioSnapshot>(scanId, "portfolio"));
			if (!stored) throw new Error("the scan's portfolio is not stored");
			return stored;
		},
		async rows() {
			const ids = deps.scan().strategies.flatMap(({ tally }) => [...tally.row_ids, ...tally.unproven_ids]);
			const kept = deps.kept.all(ids.map((id) => `r:${id}`));
			const texts = kept ?? (await patiently(() => deps.reader.rows(scanId, ids)));
			const rows = texts.map((text) => JSON.parse(text) as Opportunity);
			return new Map(rows.map((row) => [row.opportunity_id, row]));
		},
	};
}

function failed(effect: ScanEffect, error: Failure, at_ms: number): Outcome {
	switch (effect.type) {
		case "fetchPortfolio":
			return { kind: "event", event: { type: "portfolio.failed", at_ms, error }, attachments: {} };
		case "discoverAssets":
			return { kind: "event", event: { type: "assets.failed", at_ms, error }, attachments: {} };
		case "rankOpportunities":
			return { kind: "event", event: { type: "ranking.failed", at_ms, error }, attachments: {} };
		case "evaluateStrategy": {
			const { strategy_id, attempt } = effect;
			const report: StrategyReport = { strategy_id, attempt, kind: "failed", error, reason: null, tally: null };
			return { kind: "report", report, at_ms, attachments: {} };
		}
	}
}
