import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createActor, SimulatedClock } from "xstate";
import type { ScanEvent } from "../../machines/events.ts";
import { scanMachine } from "../../machines/scan.ts";
import { type StrategyEvent, strategyMachine } from "../../machines/strategy.ts";
import { settle } from "../../machines/strategy-rules.ts";
import type { ScanContext, ScanInput } from "../../machines/types.ts";
import { begin, type HostState, nextDeadlineMs, step, takeDue } from "../../src/runtime/scan-host.ts";
import { checkMonotone, checkState } from "../support/invariants.ts";
import { limits, planned, scanInput, T0 } from "../support/scan-input.ts";
import {
	assetsDiscovered,
	cancelRequested,
	claimed,
	phaseFailed,
	portfolioFetched,
	REPORT_KINDS,
	ranked,
	report,
	reported,
	resumed,
} from "../support/scan-walk.ts";

const walks = suite("machines: random walks");

/** A walk is a list of moves; what a move means depends on the state it meets. */
type Move = { kind: "next" | "report" | "time" | "resume" | "cancel" | "stale" | "jump"; pick: number; other: number };
const move: fc.Arbitrary<Move> = fc.record({
	kind: fc.oneof(
		{ weight: 12, arbitrary: fc.constant("report" as const) },
		{ weight: 6, arbitrary: fc.constant("next" as const) },
		{ weight: 3, arbitrary: fc.constant("time" as const) },
		{ weight: 1, arbitrary: fc.constantFrom("resume" as const, "stale" as const, "jump" as const) },
		{ weight: 1, arbitrary: fc.constant("cancel" as const) },
	),
	pick: fc.nat(1_000),
	other: fc.nat(1_000),
});

function eventOf(
	kind: Move["kind"],
	{ pick, other }: Move,
	position: unknown,
	context: ScanContext,
	at_ms: number,
): ScanEvent | null {
	if (kind === "cancel") return other % 4 === 0 ? cancelRequested(at_ms) : null;
	if (kind === "resume") {
		const idleMs = other % 3 === 0 ? undefined : pick * 10;
		return position === "queued" ? null : resumed(at_ms, other % 2 === 0, idleMs);
	}
	if (position === "queued") return claimed(at_ms);
	const mayFail = position === "portfolio_fetch" || position === "asset_discovery" || position === "ranking";
	if (mayFail && other % 2 === 0) return phaseFailed(position, at_ms, other % 20 !== 0);
	if (position === "portfolio_fetch") return portfolioFetched(at_ms);
	if (position === "asset_discovery") return assetsDiscovered(at_ms);
	if (position === "ranking") return ranked(context, at_ms);
	if (position !== "strategies_scan") return null;
	const entry = context.strategies[pick % context.strategies.length];
	if (!entry) return null;
	const word = REPORT_KINDS[other % REPORT_KINDS.length] ?? "found";
	const attempt = kind === "stale" ? entry.attempt - 1 : entry.attempt;
	return reported(at_ms, report({ strategy_id: entry.strategy_id, attempt }, word));
}

const inputArbitrary: fc.Arbitrary<ScanInput> = fc
	.record({
		concurrency: fc.integer({ min: 1, max: 15 }),
		rows: fc.constantFrom(3, 1_000),
		timeout: fc.constantFrom(2_000, 60_000),
	})
	.map(({ concurrency, rows, timeout }) =>
		scanInput({
			strategies: planned(14),
			limits: limits({ strategy_concurrency: concurrency, rows_max: rows, strategy_timeout_ms: timeout }),
		}),
	);

walks("fourteen strategies: invariants in every state, whatever happens", () => {
	fc.assert(
		fc.property(inputArbitrary, fc.array(move, { minLength: 5, maxLength: 60 }), (input, moves) => {
			let state: HostState = begin(input).state;
			let now = T0;
			checkState(state);
			for (const item of moves) {
				now += item.kind === "time" ? item.pick * 10 : item.kind === "jump" ? 40_000 : 1;
				for (let due = takeDue(state, now); due; due = takeDue(state, now)) {
					const next = step(due.state, due.event);
					if (next) checkMonotone(state.context, next.state.context);
					state = next?.state ?? due.state;
					checkState(state);
				}
				const event = eventOf(item.kind, item, state.position, state.context, now);
				const next = event && step(state, event);
				if (!next) continue;
				if (item.kind === "stale" && state.position === "strategies_scan")
					assert.unreachable("a stale report changed something");
				checkMonotone(state.context, next.state.context);
				assert.ok(next.entries.length > 0 || event.type === "strategies.reported", "a transition leaves an entry");
				state = next.state;
				checkState(state);
			}
			// Left alone, it ends by its deadline.
			for (let due = takeDue(state, input.deadline_at_ms); due; due = takeDue(state, input.deadline_at_ms)) {
				state = step(due.state, due.event)?.state ?? due.state;
			}
			assert.ok(state.ended || state.deadlines === undefined, "by its deadline the scan has ended");
		}),
		{ numRuns: 150 },
	);
});

walks("a plain actor with a SimulatedClock and the pure host reach equal snapshots", () => {
	fc.assert(
		fc.property(inputArbitrary, fc.array(move, { minLength: 5, maxLength: 50 }), (input, moves) => {
			const clock = new SimulatedClock();
			clock.set(T0);
			const actor = createActor(scanMachine, { input, clock });
			actor.start();
			let state: HostState = begin(input).state;
			let now = T0;
			for (const item of moves) {
				const until = now + (item.kind === "time" ? item.pick * 20 : 1);
				for (let next = nextDeadlineMs(state); next !== null && next <= until; next = nextDeadlineMs(state)) {
					clock.set(Math.max(now, next));
					for (let due = takeDue(state, next); due; due = takeDue(state, next))
						state = step(due.state, due.event)?.state ?? due.state;
				}
				clock.set(until);
				now = until;
				const event = eventOf(item.kind, item, state.position, state.context, now);
				if (!event) continue;
				actor.send(event);
				state = step(state, event)?.state ?? state;
				const snapshot = actor.getSnapshot();
				assert.is(snapshot.value, state.position);
				assert.is(snapshot.status === "done", state.ended);
				assert.equal(JSON.parse(JSON.stringify(snapshot.context)), JSON.parse(JSON.stringify(state.context)));
			}
			actor.stop();
		}),
		{ numRuns: 100 },
	);
});

walks("a scan restored from JSON after every step goes on as if it had never been away", () => {
	fc.assert(
		fc.property(inputArbitrary, fc.array(move, { minLength: 5, maxLength: 40 }), (input, moves) => {
			let straight: HostState = begin(input).state;
			let restored: HostState = straight;
			let now = T0;
			for (const item of moves) {
				now += 5;
				const event = eventOf(item.kind, item, straight.position, straight.context, now);
				if (!event) continue;
				straight = step(straight, event)?.state ?? straight;
				restored = step(JSON.parse(JSON.stringify(restored)) as HostState, event)?.state ?? restored;
				assert.equal(JSON.parse(JSON.stringify(restored)), JSON.parse(JSON.stringify(straight)));
			}
		}),
		{ numRuns: 80 },
	);
});

walks("an entry of the scan obeys the rules of strategy.v1", () => {
	const cutoff = T0 + 145_000;
	const held = limits({ strategy_timeout_ms: 5_000 });
	fc.assert(
		fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
			const [plan] = planned(1);
			assert.ok(plan);
			const clock = new SimulatedClock();
			clock.set(T0);
			const actor = createActor(strategyMachine, {
				input: { planned: plan, now_ms: T0, cutoff_at_ms: cutoff, limits: held },
				clock,
			});
			actor.start();
			let now = T0;
			let state = begin(scanInput({ strategies: [plan], limits: held })).state;
			for (const event of [claimed(T0), portfolioFetched(T0), assetsDiscovered(T0)])
				state = step(state, event)?.state ?? state;
			actor.send({ type: "strategy.start", at_ms: T0 });
			for (const item of moves) {
				const until = now + (item.kind === "time" ? item.pick * 5 : 1);
				for (let next = nextDeadlineMs(state); next !== null && next <= until; next = nextDeadlineMs(state)) {
					clock.set(Math.max(now, next));
					for (let due = takeDue(state, next); due; due = takeDue(state, next))
						state = step(due.state, due.event)?.state ?? due.state;
				}
				clock.set(until);
				now = until;
				const [entry] = state.context.strategies;
				if (!entry || state.position !== "strategies_scan") break;
				const word = REPORT_KINDS[item.other % REPORT_KINDS.length] ?? "found";
				const event: [ScanEvent, StrategyEvent] =
					item.kind === "resume" && entry.state === "evaluating"
						? [resumed(now, false), { type: "strategy.takeover", at_ms: now }]
						: [
								reported(now, report(entry, word)),
								{ type: "strategy.reported", at_ms: now, report: report(entry, word) },
							];
				state = step(state, event[0])?.state ?? state;
				actor.send(event[1]);
				const { error: _a, ...mine } = state.context.strategies[0] ?? settle(entry, "failed", now);
				const { error: _b, ...its } = actor.getSnapshot().context.entry;
				assert.equal(its, mine);
				const value = actor.getSnapshot().value;
				assert.is(value, mine.verdict ?? mine.state);
			}
			actor.stop();
		}),
		{ numRuns: 120 },
	);
});

walks.run();
