import type { ScanEffect, ScanEvent, StrategyReport } from "../../machines/events.ts";
import type { Failure } from "../../machines/types.ts";
import type { Attachments, Effects } from "../effects/contract.ts";
import { Cut } from "./cut.ts";
import { toFailure } from "./failure.ts";
import { type EffectSources, RunningEffect } from "./running-effect.ts";

/** What an effect hands to the run: an event for the machine (or a report that will be bundled). */
export type Outcome =
	| { kind: "event"; event: ScanEvent; attachments: Attachments }
	| { kind: "report"; report: StrategyReport; at_ms: number; attachments: Attachments };

interface RunnerDeps extends EffectSources {
	effects: Effects;
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
	const context = new RunningEffect(deps, effect, cut, (report, attachments) => {
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
