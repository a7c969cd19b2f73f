import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reissueAtMs, wantedEffects } from "../../machines/stall.ts";
import { begin, type HostState, step, takeDue } from "../../src/runtime/scan-host.ts";
import { checkState } from "../support/invariants.ts";
import { planned, scanInput, T0 } from "../support/scan-input.ts";
import {
	assetsDiscovered,
	claimed,
	portfolioFetched,
	ranked,
	report,
	reported,
	resumed,
} from "../support/scan-walk.ts";

const stall = suite("machines: an answer that stays away");

const must = (state: HostState, event: Parameters<typeof step>[1]): HostState => {
	const next = step(state, event);
	if (!next) throw new Error(`${event.type} changed nothing in ${state.position}`);
	checkState(next.state);
	return next.state;
};

/** The scan at the beginning of a phase, as of `atMs`. */
function upTo(position: string, atMs = T0 + 10): HostState {
	let state = must(begin(scanInput({ strategies: planned(2) })).state, claimed(atMs));
	if (position === "portfolio_fetch") return state;
	state = must(state, portfolioFetched(atMs));
	if (position === "asset_discovery") return state;
	state = must(state, assetsDiscovered(atMs));
	return must(state, reported(atMs, ...state.context.strategies.map((entry) => report(entry, "found"))));
}

/** Everything that is due by `atMs`, with the journal entries it led to. */
function passTime(held: HostState, atMs: number): { state: HostState; entries: { type: string; payload: unknown }[] } {
	let state = held;
	const entries: { type: string; payload: unknown }[] = [];
	for (let due = takeDue(state, atMs); due; due = takeDue(state, atMs)) {
		const next = step(due.state, due.event);
		entries.push(...(next?.entries ?? []));
		state = next?.state ?? due.state;
		checkState(state);
	}
	return { state, entries };
}

const keys = (state: HostState) => wantedEffects(state.position, state.context).map(({ key }) => key);

const CASES = [
	{ phase: "portfolio_fetch", effect: "fetchPortfolio", afterMs: 6_000 },
	{ phase: "asset_discovery", effect: "discoverAssets", afterMs: 18_000 },
	{ phase: "ranking", effect: "rankOpportunities", afterMs: 10_000 },
] as const;

for (const { phase, effect, afterMs } of CASES) {
	stall(`${phase}: the effect is issued again once, the journal says why, the deadline stays`, () => {
		const state = upTo(phase);
		const startedAtMs = state.context.phases[phase]?.started_at_ms ?? 0;
		const [before] = wantedEffects(phase, state.context);
		assert.is(before?.key, effect);
		assert.is(reissueAtMs(state.context, phase), startedAtMs + afterMs);
		const early = passTime(state, startedAtMs + afterMs - 1);
		assert.equal(early.entries, []);
		assert.equal(keys(early.state), [effect]);
		const later = passTime(early.state, startedAtMs + afterMs);
		assert.equal(
			later.entries.map(({ type, payload }) => [type, payload]),
			[["phase.started", { phase, attempt: 2, cause: "no_answer" }]],
		);
		const [after] = wantedEffects(phase, later.state.context);
		assert.is(after?.key, `${effect}:2`);
		assert.is(after?.deadline_at_ms, before?.deadline_at_ms);
		assert.is(later.state.context.phases[phase]?.started_at_ms, startedAtMs, "its time is not counted anew");
		const restored = JSON.parse(JSON.stringify(later.state)) as HostState;
		assert.equal(keys(restored), [`${effect}:2`], "a takeover goes on with the second issue");
		const taken = must(restored, resumed(startedAtMs + afterMs + 5, true));
		assert.equal(keys(taken), [`${effect}:2`]);
	});

	stall(`${phase}: without a second answer the scan still ends with a reason, in time`, () => {
		const { state } = passTime(upTo(phase), T0 + 150_000);
		assert.is(state.position, "failed");
		assert.ok(state.context.end?.error);
		assert.ok(state.context.now_ms <= T0 + 150_000);
	});
}

stall("the first answer, late or not, takes the scan on", () => {
	const { state } = passTime(upTo("portfolio_fetch"), T0 + 7_000);
	const on = must(state, portfolioFetched(T0 + 7_500));
	assert.equal(keys(on), ["discoverAssets"]);
});

stall("ranking right before the deadline is not disturbed", () => {
	const state = upTo("ranking", T0 + 144_000);
	const { state: ended, entries } = passTime(state, T0 + 150_000);
	assert.is(ended.position, "failed");
	assert.not.ok(entries.some(({ payload }) => (payload as { cause?: string }).cause === "no_answer"));
	assert.is(must(state, ranked(state.context, T0 + 149_000)).position, "completed");
});

stall.run();
