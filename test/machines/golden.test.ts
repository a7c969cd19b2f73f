import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanEvent } from "../../machines/events.ts";
import { outstandingEffects } from "../../machines/scan-rules.ts";
import { SCAN_MACHINE_ID } from "../../machines/types.ts";
import { begin, type HostState, MACHINE_ID, step, takeDue } from "../../src/runtime/scan-host.ts";
import { encodeContext } from "../../src/store/scan-codec.ts";
import { checkState } from "../support/invariants.ts";
import { planned, scanInput, tally } from "../support/scan-input.ts";
import {
	assetsDiscovered,
	claimed,
	portfolioFetched,
	ranked,
	report,
	reported,
	resumed,
} from "../support/scan-walk.ts";

/** Snapshots as released versions wrote them: whatever is changed, these must still be carried to their end (I13). */
const golden = suite("machines: snapshots of released versions (I13)");

const stored = JSON.parse(readFileSync(new URL("../golden/scan.v1.json", import.meta.url), "utf8")) as Record<
	string,
	HostState
>;

const nextEvent = ({ position, context }: HostState, at_ms: number): ScanEvent | null => {
	if (position === "queued") return claimed(at_ms);
	if (position === "portfolio_fetch") return portfolioFetched(at_ms);
	if (position === "asset_discovery") return assetsDiscovered(at_ms);
	if (position === "ranking") return ranked(context, at_ms);
	const running = context.strategies.filter((entry) => entry.state === "evaluating");
	return running.length > 0 ? reported(at_ms, ...running.map((entry) => report(entry, "found"))) : null;
};

golden("the golden file belongs to the machine that runs", () => {
	assert.is(MACHINE_ID, "scan.v1");
	assert.is(MACHINE_ID, SCAN_MACHINE_ID);
	assert.equal(Object.keys(stored).sort(), [
		"asset_discovery",
		"portfolio_fetch",
		"queued",
		"ranking",
		"strategies_scan",
	]);
});

for (const [position, snapshot] of Object.entries(stored)) {
	golden(`a scan stored in ${position} is taken over and completes`, () => {
		let state = snapshot;
		checkState(state);
		let now = state.context.now_ms + 1_000;
		if (position !== "queued") {
			const taken = step(state, resumed(now));
			assert.ok(taken, "a takeover is an event of every later state");
			state = taken.state;
			assert.ok(outstandingEffects(state.position, state.context).length > 0);
		}
		for (let turn = 0; turn < 20 && !state.ended; turn++) {
			now += 1_000;
			for (let due = takeDue(state, now); due; due = takeDue(state, now))
				state = step(due.state, due.event)?.state ?? due.state;
			const event = nextEvent(state, now);
			if (event) state = step(state, event)?.state ?? state;
			checkState(state);
		}
		assert.is(state.position, "completed");
		assert.ok(state.context.strategies.every(({ verdict }) => verdict !== null));
	});
}

golden("a full scan of fourteen strategies stays within the snapshot budget of 32 KB", () => {
	const ids = (strategy: string, count: number) =>
		Array.from({ length: count }, (_, i) => `${strategy.length}${i}`.padStart(12, "0"));
	let state = begin(scanInput({ strategies: planned(14) })).state;
	for (const event of [claimed(1), portfolioFetched(2), assetsDiscovered(3)])
		state = step(state, event)?.state ?? state;
	const near = {
		symbol: "1000PEPE/USDT:USDT",
		reason: "below_threshold",
		value: 0.123456789,
		threshold: 0.5,
		distance: 0.376543211,
	};
	const rejected = Object.fromEntries(
		["no_trigger", "illiquid", "stale_data", "gaps", "regime_filter", "insufficient_history"].map((reason) => [
			reason,
			3,
		]),
	);
	const reports = state.context.strategies.map(({ strategy_id, attempt }) => ({
		strategy_id,
		attempt,
		kind: "finished" as const,
		degraded: null,
		tally: tally({
			candidates_total: 60,
			evaluated: 58,
			row_ids: ids(strategy_id, 20),
			unproven_ids: ids(strategy_id, 20),
			rejected,
			near_misses: [near, near, near],
			data_as_of: "2026-03-19T19:00:00.000Z",
			data_age_seconds: 3600,
		}),
	}));
	const next = step(state, reported(5, ...reports));
	assert.ok(next);
	const { input: _fixed, ...dynamic } = encodeContext(null, next.state.context);
	const bytes = Object.values(dynamic).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
	assert.ok(bytes < 32 * 1024, `${bytes} bytes`);
});

golden.run();
