import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanEvent } from "../../machines/events.ts";
import { outstandingEffects } from "../../machines/scan-rules.ts";
import type { ScanInput } from "../../machines/types.ts";
import { begin, type HostState, type HostStep, step, takeDue } from "../../src/runtime/scan-host.ts";
import { checkState } from "../support/invariants.ts";
import { limits, planned, scanInput, T0 } from "../support/scan-input.ts";
import {
	assetsDiscovered,
	cancelRequested,
	claimed,
	portfolioFetched,
	ranked,
	report,
	reported,
	resumed,
} from "../support/scan-walk.ts";

const table = suite("machines/scan: transition table");

const types = ({ entries }: HostStep): string[] => entries.map((entry) => entry.type);
const must = (state: HostState, event: ScanEvent): HostStep => {
	const next = step(state, event);
	if (!next) throw new Error(`${event.type} changed nothing in ${state.position}`);
	checkState(next.state);
	return next;
};
const fire = (state: HostState, atMs: number): HostStep => {
	const due = takeDue(state, atMs);
	if (!due) throw new Error("no deadline is due");
	return must(due.state, due.event);
};

/** The scan driven up to a state, with `count` strategies. */
function upTo(position: string, overrides: Partial<ScanInput> = {}): HostState {
	let { state } = begin(scanInput({ strategies: planned(3), ...overrides }));
	const path: [string, (state: HostState) => ScanEvent][] = [
		["queued", () => claimed(T0 + 10)],
		["portfolio_fetch", () => portfolioFetched(T0 + 20)],
		["asset_discovery", () => assetsDiscovered(T0 + 30)],
		[
			"strategies_scan",
			({ context }) => reported(T0 + 40, ...context.strategies.map((entry) => report(entry, "found"))),
		],
		["ranking", ({ context }) => ranked(context, T0 + 50)],
	];
	for (const [from, event] of path) {
		if (state.position === position) return state;
		if (state.position !== from) continue;
		state = must(state, event(state)).state;
	}
	return state;
}

table("a scan begins queued, with its first entry and its own deadline", () => {
	const first = begin(scanInput());
	assert.equal(types(first), ["scan.created"]);
	assert.is(first.state.position, "queued");
	assert.is(Object.values(first.state.deadlines)[0]?.at_ms, T0 + 150_000);
	checkState(first.state);
});

table("the way without disturbance", () => {
	const journal: string[] = [];
	let held = begin(scanInput({ strategies: planned(2) })).state;
	const send = (event: ScanEvent) => {
		const next = must(held, event);
		journal.push(...types(next));
		held = next.state;
	};
	send(claimed(T0 + 10));
	assert.equal(
		outstandingEffects(held.position, held.context).map(({ key }) => key),
		["fetchPortfolio"],
	);
	send(portfolioFetched(T0 + 20));
	assert.equal(
		outstandingEffects(held.position, held.context).map(({ key }) => key),
		["discoverAssets"],
	);
	send(assetsDiscovered(T0 + 30));
	assert.is(outstandingEffects(held.position, held.context).length, 2);
	for (const entry of held.context.strategies) send(reported(T0 + 40, report(entry, "found")));
	send(ranked(held.context, T0 + 60));
	assert.equal(journal, [
		"scan.claimed",
		...["phase.started", "phase.completed", "phase.started"],
		...["portfolio.fetched", "phase.completed", "phase.started"],
		...[
			"assets.discovered",
			"phase.completed",
			"phase.started",
			"strategies.resolved",
			"strategy.started",
			"strategy.started",
		],
		...["strategy.row_found", "strategy.settled"],
		...["strategy.row_found", "strategy.settled", "phase.completed", "phase.started"],
		...["ranking.completed", "phase.completed", "phase.started", "phase.completed", "scan.completed"],
	]);
	assert.is(held.position, "completed");
	assert.is(held.context.outcome, "found");
	assert.is(held.context.opportunities_found, 2);
});

table("each phase fails the scan with its own code", () => {
	const error = { code: "x", message: "broken", retryable: false };
	const cases: [string, ScanEvent, string][] = [
		["portfolio_fetch", { type: "portfolio.failed", at_ms: T0 + 99, error }, "portfolio_fetch_failed"],
		["asset_discovery", { type: "assets.failed", at_ms: T0 + 99, error }, "asset_discovery_failed"],
		["ranking", { type: "ranking.failed", at_ms: T0 + 99, error }, "ranking_failed"],
	];
	for (const [position, event, code] of cases) {
		const { state, entries } = must(upTo(position), event);
		assert.is(state.position, "failed");
		assert.equal(state.context.end?.error, { code, message: "broken", phase: position });
		assert.ok(entries.some(({ type, payload }) => type === "phase.failed" && payload.phase === position));
		assert.is(entries.at(-1)?.type, "scan.failed");
	}
});

table("phases end at their own limit, and at the budget when that comes first", () => {
	const again = fire(upTo("portfolio_fetch"), T0 + 10_010);
	assert.is(again.state.position, "portfolio_fetch", "first the effect is issued again");
	const own = fire(again.state, T0 + 10_010);
	assert.is(own.state.context.end?.error?.code, "portfolio_fetch_failed");
	assert.is(own.state.context.now_ms, T0 + 10_010);
	const short = limits({ budget_ms: 4_000, ranking_reserve_ms: 400 });
	const issued = fire(upTo("asset_discovery", { limits: short, deadline_at_ms: T0 + 4_000 }), T0 + 3_600);
	const budget = fire(issued.state, T0 + 3_600);
	assert.is(budget.state.context.end?.error?.code, "budget_exceeded");
	assert.is(budget.state.context.now_ms, T0 + 3_600);
	assert.ok(budget.state.context.end?.is_timeout);
});

table("an unclaimed scan ends as not_claimed at its deadline", () => {
	const { state } = fire(upTo("queued"), T0 + 150_000);
	assert.is(state.context.end?.error?.code, "not_claimed");
	assert.is(state.context.end?.error?.phase, "queued");
});

table("one failing strategy never fails the scan; no answer at all does", () => {
	const held = upTo("strategies_scan");
	const [a, b, c] = held.context.strategies;
	assert.ok(a && b && c);
	const gaps = must(held, reported(T0 + 50, report(a, "fatal"), report(b, "found"), report(c, "empty")));
	assert.is(gaps.state.position, "ranking");
	assert.is(must(gaps.state, ranked(gaps.state.context, T0 + 60)).state.context.outcome, "found_with_gaps");
	const none = must(held, reported(T0 + 50, report(a, "fatal"), report(b, "fatal"), report(c, "fatal")));
	assert.is(none.state.position, "failed");
	assert.is(none.state.context.end?.error?.code, "all_strategies_failed");
});

table("the cutoff times strategies out, keeps their rows and still ranks", () => {
	const one = limits({ strategy_timeout_ms: 1_000_000 });
	const held = upTo("strategies_scan", { limits: one });
	const [a, b] = held.context.strategies;
	assert.ok(a && b);
	const some = must(held, reported(T0 + 50, report(a, "empty"), report(b, "progress")));
	const cut = fire(some.state, T0 + 145_000);
	assert.is(cut.state.position, "ranking");
	const verdicts = cut.state.context.strategies.map((entry) => [
		entry.verdict,
		entry.tally.row_ids.length,
		entry.tally.rejected,
	]);
	assert.equal(verdicts, [
		["ok_empty", 0, { no_trigger: 3 }],
		["timed_out", 1, { timeout: 2 }],
		["timed_out", 0, {}],
	]);
	assert.is(Object.values(cut.state.deadlines)[0]?.at_ms, T0 + 150_000, "the reserve is left for ranking");
	const late = fire(cut.state, T0 + 150_000);
	assert.is(late.state.context.end?.error?.code, "budget_exceeded");
});

table("all strategies out of time: budget_exceeded", () => {
	const held = upTo("strategies_scan");
	const due = fire(held, T0 + 60_030);
	assert.is(due.state.position, "failed");
	assert.is(due.state.context.end?.error?.code, "budget_exceeded");
	assert.ok(due.state.context.end?.is_timeout);
});

table("a strategy is cut at its own deadline, the others go on", () => {
	const held = upTo("strategies_scan", { limits: limits({ strategy_concurrency: 2 }) });
	const [a] = held.context.strategies;
	assert.ok(a);
	const later = must(held, reported(T0 + 5_000, report(a, "found")));
	assert.is(later.entries.at(-1)?.type, "strategy.started", "the free place is taken at once");
	const due = fire(later.state, T0 + 60_030);
	assert.equal(
		due.state.context.strategies.map((entry) => entry.verdict),
		["ok_found", "timed_out", null],
	);
	assert.is(due.state.context.wake_at_ms, T0 + 65_000);
});

table("retryable failures are retried once after a pause, then fail", () => {
	const held = upTo("strategies_scan");
	const [a] = held.context.strategies;
	assert.ok(a);
	const retry = must(held, reported(T0 + 1_000, report(a, "retryable")));
	assert.is(retry.state.context.strategies[0]?.state, "retrying");
	const again = fire(retry.state, T0 + 1_500);
	const [second] = again.state.context.strategies;
	assert.ok(second);
	assert.is(second.attempt, 2);
	assert.is(
		step(again.state, reported(T0 + 1_600, report(a, "found"))),
		null,
		"the first attempt's late report is refused",
	);
	const failed = must(again.state, reported(T0 + 2_000, report(second, "retryable")));
	assert.is(failed.state.context.strategies[0]?.verdict, "failed");
});

table("a takeover restarts what ran as a further attempt and keeps what is settled", () => {
	const held = upTo("strategies_scan");
	const [a] = held.context.strategies;
	assert.ok(a);
	const some = must(held, reported(T0 + 50, report(a, "found")));
	const taken = must(some.state, resumed(T0 + 9_000));
	assert.equal(
		taken.state.context.strategies.map(({ attempt, verdict, failures }) => [attempt, verdict, failures]),
		[
			[1, "ok_found", 0],
			[2, null, 0],
			[2, null, 0],
		],
	);
	assert.is(taken.state.context.strategies[1]?.deadline_at_ms, T0 + 60_030, "the strategy's deadline does not move");
	let state = taken.state;
	for (let i = 0; i < 2; i++) state = must(state, resumed(T0 + 10_000 + i)).state;
	assert.is(state.position, "failed", "after resumes_max lost leases");
	assert.is(state.context.end?.error?.code, "worker_lost");
	assert.is(state.context.strategies[0]?.verdict, "ok_found");
});

table("hand-overs do not count as lost leases", () => {
	let state = upTo("strategies_scan");
	for (let i = 0; i < 9; i++) state = must(state, resumed(T0 + 100 + i, false)).state;
	assert.is(state.position, "strategies_scan");
	assert.is(state.context.resumes, 0);
});

table("cancel reaches a final state from everywhere and keeps what was found", () => {
	for (const position of ["queued", "portfolio_fetch", "asset_discovery", "strategies_scan", "ranking"]) {
		const { state, entries } = must(upTo(position), cancelRequested(T0 + 77));
		assert.is(state.position, "cancelled");
		assert.is(entries[0]?.type, "scan.cancel_requested");
		assert.is(entries.at(-1)?.type, "scan.cancelled");
		assert.is(step(state, cancelRequested(T0 + 78)), null);
	}
	const held = upTo("strategies_scan");
	const [a] = held.context.strategies;
	assert.ok(a);
	const some = must(held, reported(T0 + 50, report(a, "progress")));
	const { state } = must(some.state, cancelRequested(T0 + 77));
	assert.is(state.context.strategies[0]?.verdict, "cancelled");
	assert.is(state.context.strategies[0]?.tally.row_ids.length, 1);
	assert.equal(state.context.strategies[0]?.tally.rejected, { cancelled: 2 });
});

table("nothing to scan completes; skipped strategies count", () => {
	const empty = upTo("completed", { strategies: [] });
	assert.is(empty.position, "completed");
	assert.is(empty.context.outcome, "nothing_to_scan");
	const skipped = upTo("ranking", { strategies: planned(3, { skip: "not_available" }) });
	assert.equal(
		skipped.context.strategies.map((entry) => entry.reason),
		["not_available", "not_available", "not_available"],
	);
	assert.is(must(skipped, ranked(skipped.context, T0 + 60)).state.context.outcome, "nothing_to_scan");
});

table("counts that do not add up are a schema violation, never a result", () => {
	const held = upTo("strategies_scan");
	const [a] = held.context.strategies;
	assert.ok(a);
	const { state } = must(held, reported(T0 + 50, report(a, "unbalanced")));
	assert.is(state.context.strategies[0]?.verdict, "failed");
	assert.is(state.context.strategies[0]?.reason, "schema_violation");
});

table("rows beyond rows_max are rejected as rank_limit", () => {
	const held = upTo("strategies_scan", { limits: limits({ rows_max: 1 }) });
	const [a, b] = held.context.strategies;
	assert.ok(a && b);
	const { state } = must(held, reported(T0 + 50, report(a, "found"), report(b, "found")));
	assert.is(state.context.opportunities_found, 1);
	assert.equal(state.context.strategies[1]?.tally.rejected, { no_trigger: 2, rank_limit: 1 });
});

table.run();
