import { assign, setup } from "xstate";
import type { StrategyReport } from "./events.ts";
import { applyReport, newEntry, settle, startAttempt } from "./strategy-rules.ts";
import type { PlannedStrategy, ScanLimits, StrategyEntry } from "./types.ts";

/**
 * `strategy.v1`: the life of one strategy run, from queued to exactly one verdict.
 * The scan machine keeps its strategies as entries and obeys the same rules (strategy-rules.ts); a
 * property test holds the two equal. This machine is the picture and the plain-actor form of them.
 */

export interface StrategyContext {
	entry: StrategyEntry;
	now_ms: number;
	cutoff_at_ms: number;
	limits: ScanLimits;
}

export type StrategyEvent = { at_ms: number } & (
	| { type: "strategy.start" }
	| { type: "strategy.reported"; report: StrategyReport }
	| { type: "strategy.takeover" }
	| { type: "strategy.cancel" }
);

export interface StrategyInput {
	planned: PlannedStrategy;
	now_ms: number;
	cutoff_at_ms: number;
	limits: ScanLimits;
}

const forward = (context: StrategyContext, event: StrategyEvent): number =>
	"at_ms" in event ? Math.max(context.now_ms, event.at_ms) : context.now_ms;

const after = (context: StrategyContext, event: StrategyEvent): StrategyEntry =>
	event.type === "strategy.reported"
		? applyReport(context.entry, event.report, forward(context, event), context.limits)
		: context.entry;

export const strategyMachine = setup({
	types: { context: {} as StrategyContext, events: {} as StrategyEvent, input: {} as StrategyInput },
	actions: {
		evaluateStrategy: (_: unknown, _params: { strategy_id: string; attempt: number; deadline_at_ms: number }) => {},
		"strategy.started": () => {},
		"strategy.retried": () => {},
		"strategy.settled": () => {},
		startAttempt: assign(({ context, event }) => {
			const now_ms = forward(context, event);
			return { now_ms, entry: startAttempt(context.entry, now_ms, context.cutoff_at_ms, context.limits) };
		}),
		startRetry: assign(({ context }) => {
			const now_ms = Math.max(context.now_ms, context.entry.retry_at_ms ?? 0);
			return { now_ms, entry: startAttempt(context.entry, now_ms, context.cutoff_at_ms, context.limits) };
		}),
		applyReport: assign(({ context, event }) => ({ now_ms: forward(context, event), entry: after(context, event) })),
		timeOut: assign(({ context }) => {
			const now_ms = Math.max(context.now_ms, context.entry.deadline_at_ms ?? 0);
			const error = { code: "timeout", message: "The strategy's deadline passed", retryable: false };
			return { now_ms, entry: settle(context.entry, "timed_out", now_ms, { reason: "timeout", error }) };
		}),
		cancel: assign(({ context, event }) => {
			const now_ms = forward(context, event);
			return { now_ms, entry: settle(context.entry, "cancelled", now_ms, { reason: "cancelled" }) };
		}),
	},
	guards: {
		isSkipped: ({ context }) => context.entry.reason !== null && context.entry.verdict === "skipped",
		becomes: ({ context, event }, params: { state: string }) => {
			const entry = after(context, event);
			return entry !== context.entry && (entry.verdict ?? entry.state) === params.state;
		},
	},
	delays: {
		strategyDeadline: ({ context }) => Math.max(0, (context.entry.deadline_at_ms ?? 0) - context.now_ms),
		retryBackoff: ({ context }) => Math.max(0, (context.entry.retry_at_ms ?? 0) - context.now_ms),
	},
}).createMachine({
	id: "strategy.v1",
	description: "One strategy run: attempts, retries and exactly one verdict",
	context: ({ input }) => ({
		entry: input.planned.skip
			? settle(newEntry(input.planned), "skipped", input.now_ms, { reason: input.planned.skip })
			: newEntry(input.planned),
		now_ms: input.now_ms,
		cutoff_at_ms: input.cutoff_at_ms,
		limits: input.limits,
	}),
	initial: "queued",
	states: {
		queued: {
			always: { guard: "isSkipped", target: "skipped" },
			on: {
				"strategy.start": { target: "evaluating", actions: ["startAttempt"] },
				"strategy.cancel": { target: "cancelled", actions: ["cancel"] },
			},
		},
		evaluating: {
			entry: [
				"strategy.started",
				{
					type: "evaluateStrategy",
					params: ({ context: { entry } }) => ({
						strategy_id: entry.strategy_id,
						attempt: entry.attempt,
						deadline_at_ms: entry.deadline_at_ms ?? 0,
					}),
				},
			],
			after: { strategyDeadline: { target: "timed_out", actions: ["timeOut"] } },
			on: {
				"strategy.reported": [
					{ guard: { type: "becomes", params: { state: "ok_found" } }, target: "ok_found", actions: ["applyReport"] },
					{ guard: { type: "becomes", params: { state: "ok_empty" } }, target: "ok_empty", actions: ["applyReport"] },
					{ guard: { type: "becomes", params: { state: "degraded" } }, target: "degraded", actions: ["applyReport"] },
					{ guard: { type: "becomes", params: { state: "skipped" } }, target: "skipped", actions: ["applyReport"] },
					{ guard: { type: "becomes", params: { state: "failed" } }, target: "failed", actions: ["applyReport"] },
					{ guard: { type: "becomes", params: { state: "retrying" } }, target: "retrying", actions: ["applyReport"] },
					{ guard: { type: "becomes", params: { state: "evaluating" } }, actions: ["applyReport"] },
				],
				"strategy.takeover": { target: "evaluating", reenter: true, actions: ["startAttempt"] },
				"strategy.cancel": { target: "cancelled", actions: ["cancel"] },
			},
		},
		retrying: {
			entry: ["strategy.retried"],
			after: { retryBackoff: { target: "evaluating", actions: ["startRetry"] } },
			on: { "strategy.cancel": { target: "cancelled", actions: ["cancel"] } },
		},
		ok_found: { type: "final", entry: ["strategy.settled"] },
		ok_empty: { type: "final", entry: ["strategy.settled"] },
		degraded: { type: "final", entry: ["strategy.settled"] },
		failed: { type: "final", entry: ["strategy.settled"] },
		timed_out: { type: "final", entry: ["strategy.settled"] },
		skipped: { type: "final", entry: ["strategy.settled"] },
		cancelled: { type: "final", entry: ["strategy.settled"] },
	},
});
