import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Clock, systemClock } from "../../../src/clock.ts";
import { underSignal } from "../../../src/market/ccxt/requests.ts";
import { shared } from "../../../src/market/ccxt/shared.ts";

const test = suite("market/ccxt/shared");
const FRESH_MS = 5_000;
const { signal } = new AbortController();

function createScene() {
	let nowMs = 1_000_000;
	let reads = 0;
	const clock: Clock = { ...systemClock, now: () => nowMs };
	const read = shared(clock, FRESH_MS, async () => ++reads);
	return {
		pass: (ms: number) => {
			nowMs += ms;
		},
		begin: () => nowMs,
		/** What somebody gets who began at that time; null: now. */
		asked: (begunMs: number | null) => underSignal(signal, () => read(signal), 0, begunMs),
	};
}

test("who began while a value was fresh gets it for as long as it takes, who begins later a new one", async () => {
	const { pass, begin, asked } = createScene();
	const first = begin();
	assert.is(await asked(first), 1);
	pass(4_000);
	const second = begin();
	pass(120_000);
	assert.is(await asked(second), 1);
	assert.is(await asked(first), 1);
	assert.is(await asked(null), 2);
	assert.is(await asked(first), 2, "what was read since is fresh for who began before");
});

test("nobody who began long ago keeps an old value for ever", async () => {
	const { pass, begin, asked } = createScene();
	const first = begin();
	assert.is(await asked(first), 1);
	pass(3_600_000);
	assert.is(await asked(first), 2);
});

test("readers at once share one read", async () => {
	const { begin, asked } = createScene();
	const all = await Promise.all(Array.from({ length: 20 }, (_, i) => asked(begin() - i)));
	assert.equal(new Set(all), new Set([1]));
});

test.run();
