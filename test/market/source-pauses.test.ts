/** How far a gate believes the pauses that sources name, and whom else they stop. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SimulatedClock } from "xstate";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import type { SharedBudget } from "../../src/market/sharing.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";
import { within } from "../support/wait.ts";

const test = suite("market/source-pauses");
const DAY_MS = 86_400_000;

test("a pause of years, such as a moment in place of seconds, is believed for a day, and told to others so", async () => {
	let nowMs = 1_800_000_000_000;
	const clock = { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => undefined };
	const told: number[] = [];
	const budget = {
		block: async (_source: string, ms: number) => void told.push(ms),
		take: async () => ({ granted: 1, wait_ms: 0, used_weight: 0, blocked_ms: 0, open: {} }),
	} as Partial<SharedBudget> as SharedBudget;
	const gate = createSourceGate({ budget, clock, entropy: systemEntropy });
	const call = { source: "kraken", endpoint: "/x", weight: 1, signal: new AbortController().signal };
	gate.report(call, { kind: "limited", status: 429, retry_after_ms: nowMs + 30_000 });
	assert.equal(told, [DAY_MS]);
	nowMs += DAY_MS - 60_000;
	const refusal = await gate.take(call).catch((error: Error) => error.message);
	assert.is(refusal, "kraken wants no request for 60 s");
	nowMs += 60_001;
	await gate.take(call);
});

test("a call that is of no use without another source is stopped by what stops that one, and by no other", async () => {
	const gate = createSourceGate({ budget: null, clock: systemClock, entropy: systemEntropy });
	const call = (source: string) => ({ source, endpoint: "/x", weight: 1, signal: new AbortController().signal });
	const futures = { ...call("binanceusdm"), needs: "binance" };
	const limited = { kind: "limited", status: 418, retry_after_ms: 120_000 } as const;
	gate.report(call("kraken"), limited);
	await gate.take(futures);
	gate.report(call("binance"), limited);
	const refusal = await gate.take(futures).catch((error: Error) => error.message);
	assert.is(refusal, "binance wants no request for 120 s");
	await gate.take(call("binanceusdm"));
});

test("a call that waits for its turn is refused when the source that it needs is to be left alone", async () => {
	const clock = new SimulatedClock();
	const limits = () => ({ weight_max: 1, window_ms: 5_000 });
	const gate = createSourceGate({ budget: null, clock, entropy: systemEntropy, limits });
	const call = (source: string) => ({ source, endpoint: "/x", weight: 1, signal: new AbortController().signal });
	await gate.take(call("binanceusdm"));
	let end = "";
	const waiting = gate.take({ ...call("binanceusdm"), needs: "binance" }).catch((error: Error) => {
		end = error.message;
	});
	gate.report(call("binance"), { kind: "limited", status: 418, retry_after_ms: 120_000 });
	for (let passed = 0; passed < 12; passed++) {
		clock.increment(1_000);
		await new Promise(setImmediate);
	}
	await within(waiting, "the end of its wait");
	assert.match(end, /^binance wants no request for \d+ s$/);
});

test.run();
