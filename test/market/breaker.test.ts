import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SimulatedClock } from "xstate";
import { systemEntropy } from "../../src/entropy.ts";
import { createBreaker, FAILURES_MIN, OPEN_MS_MIN, PROBE_MS } from "../../src/market/breaker.ts";

const test = suite("market/breaker");
/** No jitter. */
const entropy = { ...systemEntropy, hex: () => "00" };
const build = () => {
	const clock = new SimulatedClock();
	const breaker = createBreaker(clock, entropy);
	const fail = (times: number) => Array.from({ length: times }, () => breaker.failed());
	return { clock, breaker, fail };
};

test("repeated failures open the breaker, one probe after a time closes it", () => {
	const { clock, breaker, fail } = build();
	assert.equal(fail(FAILURES_MIN), [...Array(FAILURES_MIN - 1).fill(null), OPEN_MS_MIN]);
	assert.is(breaker.admit(), "refused");
	clock.increment(OPEN_MS_MIN - 1);
	assert.is(breaker.admit(), "refused");
	clock.increment(1);
	assert.equal([breaker.admit(), breaker.admit(), breaker.admit()], ["probe", "refused", "refused"]);
	assert.ok(breaker.isOpen());
	breaker.succeeded();
	assert.not(breaker.isOpen());
	assert.equal([breaker.admit(), breaker.admit()], ["go", "go"]);
	// What failed before counts no more.
	assert.is(breaker.failed(), null);
});

test("a probe that fails opens it for twice as long, up to a bound", () => {
	const { clock, breaker, fail } = build();
	fail(FAILURES_MIN);
	const times: (number | null)[] = [];
	for (let i = 0; i < 6; i++) {
		clock.increment(breaker.openMs());
		assert.is(breaker.admit(), "probe");
		times.push(breaker.failed());
	}
	assert.equal(times, [10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
});

test("answers to calls from before it opened decide nothing", () => {
	const { breaker, fail } = build();
	fail(FAILURES_MIN);
	breaker.succeeded();
	assert.is(breaker.failed(), null);
	assert.ok(breaker.isOpen());
});

test("a probe that is given up or never ends makes room for another", () => {
	const { clock, breaker, fail } = build();
	fail(FAILURES_MIN);
	clock.increment(OPEN_MS_MIN);
	assert.is(breaker.admit(), "probe");
	breaker.giveUp();
	assert.is(breaker.admit(), "probe");
	clock.increment(PROBE_MS);
	assert.is(breaker.admit(), "probe");
});

test("failures among more successes, or long ago, leave it closed", () => {
	const { clock, breaker, fail } = build();
	for (let i = 0; i < 12; i++) breaker.succeeded();
	assert.ok(fail(8).every((openMs) => openMs === null));
	clock.increment(60_000);
	assert.ok(fail(FAILURES_MIN - 1).every((openMs) => openMs === null));
	assert.is(breaker.failed(), OPEN_MS_MIN);
});

test("what another process found is heeded, a shorter time does not shorten it", () => {
	const { clock, breaker } = build();
	breaker.openFor(8_000);
	breaker.openFor(1_000);
	clock.increment(7_999);
	assert.is(breaker.admit(), "refused");
	clock.increment(1);
	assert.is(breaker.admit(), "probe");
});

test.run();
