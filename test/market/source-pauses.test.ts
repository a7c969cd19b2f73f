/** How far a gate believes the pauses that sources name. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemEntropy } from "../../src/entropy.ts";
import type { SharedBudget } from "../../src/market/sharing.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";

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

test.run();
