import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EventFromLogic } from "xstate";
import { getShortestPaths, getSimplePaths } from "xstate/graph";
import { scanMachine } from "../../machines/scan.ts";
import type { ScanContext } from "../../machines/types.ts";
import { limits, planned, scanInput, T0 } from "../support/scan-input.ts";
import {
	assetsDiscovered,
	cancelRequested,
	claimed,
	portfolioFetched,
	type ReportKind,
	ranked,
	report,
	reported,
	resumed,
} from "../support/scan-walk.ts";

const paths = suite("machines/scan: all paths at three strategies");

type Event = EventFromLogic<typeof scanMachine>;
type Snapshot = { value: unknown; status: string; context: ScanContext };

/** What makes two states different for the walk; time stands still, so the number of states is finite. */
const serializeState = (state: unknown): string => {
	const { value, context } = state as Snapshot;
	const strategies = context.strategies.map(({ state, attempt, verdict, failures }) => [
		state,
		attempt,
		verdict,
		failures,
	]);
	return JSON.stringify([value, strategies, context.resumes, context.end?.error?.code, context.end?.reason]);
};

/** Every event that can happen in a state, deadlines among them. */
function eventsOf(state: unknown, kinds: readonly ReportKind[], disturbed: boolean): Event[] {
	const { value, context } = state as Snapshot;
	const events: unknown[] = [];
	if (value === "queued") events.push(claimed(T0), after("scanDeadline", "queued"));
	if (value === "portfolio_fetch") events.push(portfolioFetched(T0), after("portfolioDeadline", "portfolio_fetch"));
	if (value === "asset_discovery") events.push(assetsDiscovered(T0), after("discoveryDeadline", "asset_discovery"));
	if (value === "strategies_scan") {
		for (const entry of context.strategies) {
			if (entry.state === "evaluating") for (const kind of kinds) events.push(reported(T0, report(entry, kind)));
			if (entry.state === "retrying") events.push({ type: "strategies.wake", at_ms: entry.retry_at_ms });
		}
		events.push(after("strategiesCutoff", "strategies_scan"));
	}
	if (value === "ranking") events.push(ranked(context, T0), after("scanDeadline", "ranking"));
	if (disturbed) events.push(cancelRequested(T0), resumed(T0));
	return events as Event[];
}
const after = (delay: string, state: string) => ({ type: `xstate.after.${delay}.scan.v1.${state}` });

paths("every reachable state: one end, balanced books, cancel always ends it", () => {
	const input = scanInput({ strategies: planned(3), limits: limits({ resumes_max: 1, strategy_concurrency: 3 }) });
	// One word per kind of answer; degraded and skipped settle like found and empty (the walks try them all).
	const kinds: ReportKind[] = ["found", "empty", "retryable", "fatal"];
	const found = getShortestPaths(scanMachine, {
		input,
		serializeState,
		events: (state) => eventsOf(state, kinds, true),
	});
	const ends = new Set<string>();
	for (const { state } of found) {
		const { value, status, context } = state as unknown as Snapshot;
		if (status !== "done") continue;
		ends.add(value as string);
		assert.ok(
			context.strategies.every((entry) => entry.verdict !== null),
			"no open strategy in an end",
		);
		assert.ok(context.end, "an end says how");
	}
	assert.equal([...ends].sort(), ["cancelled", "completed", "failed"]);
	assert.ok(found.length > 1_000, `${found.length} states were visited`);
});

paths("every order in which three strategies can answer leads to one end", () => {
	const input = scanInput({ strategies: planned(3) });
	const found = getSimplePaths(scanMachine, {
		input,
		serializeState,
		events: (state) => eventsOf(state, ["found", "fatal"], false),
	});
	const ended = found.filter(({ state }) => (state as unknown as Snapshot).status === "done");
	assert.ok(ended.length >= 48, `${ended.length} complete paths`);
	for (const { state, steps } of ended) {
		const { context, value } = state as unknown as Snapshot;
		const usable = context.strategies.some((entry) => entry.verdict === "ok_found");
		if (context.strategies.length > 0 && value === "completed") assert.ok(usable);
		const last = steps.at(-1)?.event.type ?? "";
		assert.ok(last.length > 0);
	}
});

paths.run();
