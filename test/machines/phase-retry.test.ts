import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanEvent } from "../../machines/events.ts";
import { PHASE_ATTEMPTS_MAX, wantedEffects } from "../../machines/stall.ts";
import { begin, type HostState, nextDeadlineMs, step, takeDue } from "../../src/runtime/scan-host.ts";
import { checkState } from "../support/invariants.ts";
import { limits, planned, scanInput, T0 } from "../support/scan-input.ts";
import {
	assetsDiscovered,
	cancelRequested,
	claimed,
	phaseFailed,
	portfolioFetched,
	ranked,
	report,
	reported,
	resumed,
} from "../support/scan-walk.ts";

/** One hiccup of a store or a source must not cost the scan: what a phase does about failures and lost time. */
const retry = suite("machines: a phase whose effect fails, and time in which nobody held the scan");

type Phase = "portfolio_fetch" | "asset_discovery" | "ranking";
const EFFECTS = {
	portfolio_fetch: "fetchPortfolio",
	asset_discovery: "discoverAssets",
	ranking: "rankOpportunities",
} as const;
const PHASES = Object.keys(EFFECTS) as Phase[];

/** The same is said of several phases. */
const of = (phase: Phase, what: string): string => `${phase}: ${what}`;

function must(state: HostState, event: ScanEvent) {
	const next = step(state, event);
	if (!next) throw new Error(`${event.type} changed nothing in ${state.position}`);
	checkState(next.state);
	return next;
}

function upTo(phase: Phase | "strategies_scan", input = scanInput({ strategies: planned(2) })): HostState {
	let { state } = must(begin(input).state, claimed(T0));
	if (phase === "portfolio_fetch") return state;
	state = must(state, portfolioFetched(T0)).state;
	if (phase === "asset_discovery") return state;
	state = must(state, assetsDiscovered(T0)).state;
	if (phase === "strategies_scan") return state;
	return must(state, reported(T0, ...state.context.strategies.map((entry) => report(entry, "found")))).state;
}

/** Everything that is due by `atMs`. */
function passTime(held: HostState, atMs: number): HostState {
	let state = held;
	for (let due = takeDue(state, atMs); due; due = takeDue(state, atMs)) {
		state = step(due.state, due.event)?.state ?? due.state;
		checkState(state);
	}
	return state;
}

const keys = ({ position, context }: HostState) => wantedEffects(position, context).map(({ key }) => key);
const answerOf = (phase: Phase, state: HostState, atMs: number): ScanEvent =>
	phase === "portfolio_fetch"
		? portfolioFetched(atMs)
		: phase === "asset_discovery"
			? assetsDiscovered(atMs)
			: ranked(state.context, atMs);

for (const phase of PHASES) {
	const effect = EFFECTS[phase];
	retry(of(phase, "a failure that may pass is followed by another attempt after a pause, and the scan goes on"), () => {
		const { state, entries } = must(upTo(phase), phaseFailed(phase, T0 + 100));
		assert.is(state.position, phase);
		assert.equal(
			entries.map(({ type, payload }) => [type, payload]),
			[
				[
					"phase.started",
					{
						phase,
						attempt: 2,
						cause: "retry",
						retry_at: new Date(T0 + 600).toISOString(),
						error: { code: "store_unavailable", message: "The store did not answer" },
					},
				],
			],
		);
		assert.equal(keys(state), [], "nothing runs during the pause");
		assert.equal(keys(passTime(state, T0 + 599)), []);
		const again = passTime(state, T0 + 600);
		assert.equal(keys(again), [`${effect}:2`]);
		assert.is.not(must(again, answerOf(phase, again, T0 + 700)).state.position, phase);
		assert.is.not(must(again, answerOf(phase, again, T0 + 700)).state.position, "failed");
	});

	retry(of(phase, "pauses double, and the scan still fails by the limit with the last reason"), () => {
		let state = upTo(phase);
		let atMs = T0;
		const pauses: number[] = [];
		while (state.position === phase) {
			state = must(state, phaseFailed(phase, atMs)).state;
			const dueMs = state.context.phases[phase]?.retry_at_ms;
			if (typeof dueMs !== "number") break;
			pauses.push(dueMs - atMs);
			atMs = dueMs;
			state = passTime(state, atMs);
		}
		assert.is(state.position, "failed");
		assert.is(state.context.end?.error?.message, "The store did not answer");
		assert.ok(pauses.length >= 4 && pauses.length < PHASE_ATTEMPTS_MAX, pauses.join());
		assert.equal(
			pauses,
			pauses.map((_, i) => 500 * 2 ** i),
		);
	});

	retry(of(phase, "attempts are bounded when pauses are not"), () => {
		const input = scanInput({ strategies: planned(2), limits: limits({ retry_backoff_ms: 0 }) });
		let state = upTo(phase, input);
		let failures = 0;
		for (; state.position === phase && failures < 100; failures++)
			state = passTime(must(state, phaseFailed(phase, T0)).state, T0);
		assert.is(failures, PHASE_ATTEMPTS_MAX);
		assert.is(state.position, "failed");
	});

	retry(of(phase, "a failure for good fails at once"), () => {
		assert.is(must(upTo(phase), phaseFailed(phase, T0 + 100, false)).state.position, "failed");
	});

	retry(of(phase, "another worker takes the pause over, and a cancel ends it"), () => {
		const { state } = must(upTo(phase), phaseFailed(phase, T0 + 100));
		const stored = JSON.parse(JSON.stringify(state)) as HostState;
		const taken = must(stored, resumed(T0 + 200, false)).state;
		assert.equal(keys(taken), []);
		assert.equal(keys(passTime(taken, T0 + 600)), [`${effect}:2`]);
		const cancelled = must(stored, cancelRequested(T0 + 300)).state;
		assert.is(cancelled.position, "cancelled");
		assert.is(nextDeadlineMs(cancelled), null);
	});
}

retry("a pause that is left behind does not disturb a later phase", () => {
	const { state } = must(upTo("portfolio_fetch"), phaseFailed("portfolio_fetch", T0 + 100));
	const later = must(state, portfolioFetched(T0 + 200)).state;
	assert.equal(keys(passTime(later, T0 + 700)), ["discoverAssets"]);
});

for (const [phase, limitMs] of [
	["portfolio_fetch", 10_000],
	["asset_discovery", 30_000],
] as const) {
	retry(of(phase, "a limit that passed while nobody held the scan does not fail it"), () => {
		const stored = upTo(phase);
		const backAtMs = T0 + 40_000;
		const taken = must(stored, resumed(backAtMs, true, 38_000)).state;
		const after = passTime(taken, backAtMs);
		assert.is(after.position, phase, "2 s of the limit were used");
		const endsAtMs = T0 + limitMs + 38_000;
		assert.is(passTime(after, endsAtMs - 1).position, phase);
		const ended = passTime(after, endsAtMs);
		assert.is(ended.position, "failed");
		assert.is(ended.context.now_ms, endsAtMs);
		assert.is(must(after, answerOf(phase, after, backAtMs + 100)).state.position !== "failed", true);
	});

	retry(of(phase, "lost time moves no limit past the cutoff, however often it is lost"), () => {
		let state = upTo(phase);
		for (const atMs of [T0 + 60_000, T0 + 140_000]) state = must(state, resumed(atMs, true, 100_000)).state;
		const cutoffMs = T0 + 145_000;
		assert.is(passTime(state, cutoffMs - 1).position, phase);
		const ended = passTime(state, cutoffMs);
		assert.is(ended.context.end?.error?.code, "budget_exceeded");
	});

	retry(of(phase, "a takeover that lost no time, or comes from an older program, moves nothing"), () => {
		for (const idleMs of [0, undefined]) {
			const taken = must(upTo(phase), resumed(T0 + 5_000, true, idleMs)).state;
			assert.is(passTime(taken, T0 + limitMs).position, "failed");
		}
	});
}

retry("strategies that had begun get the time back in which nobody held the scan, up to the cutoff", () => {
	const state = upTo("strategies_scan");
	const taken = must(state, resumed(T0 + 70_000, true, 65_000)).state;
	assert.equal(
		taken.context.strategies.map(({ state: word, deadline_at_ms }) => [word, deadline_at_ms]),
		[
			["evaluating", T0 + 125_000],
			["evaluating", T0 + 125_000],
		],
	);
	assert.is(passTime(taken, T0 + 70_000).position, "strategies_scan");
	const late = must(taken, resumed(T0 + 144_000, true, 70_000)).state;
	assert.is(late.context.strategies[0]?.deadline_at_ms, T0 + 145_000);
	const without = must(state, resumed(T0 + 7_000, true)).state;
	assert.is(without.context.strategies[0]?.deadline_at_ms, T0 + 60_000);
});

retry.run();
