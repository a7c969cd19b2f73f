import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createAffinity } from "../../src/strategies/affinity.ts";
import { ManualClock, settled } from "../effects/fake-clock.ts";

const test = suite("evaluation pool: threads that know a strategy");

const PATIENCE_MS = 250;
const open = new AbortController().signal;

/** Two threads, and what has been let in so far: "kind>thread" in order. */
function world(waitingMax = 10) {
	const clock = new ManualClock();
	const affinity = createAffinity({
		threads: 2,
		waitingMax,
		patienceMs: PATIENCE_MS,
		arm(callback, delayMs) {
			const timer = clock.setTimeout(callback, delayMs);
			return () => clock.clearTimeout(timer);
		},
		full: () => new Error("full"),
	});
	const entered: string[] = [];
	const ask = (kind: string, signal = open) =>
		affinity.enter(kind, signal).then(
			(thread) => entered.push(`${kind}>${thread}`),
			(error: Error) => entered.push(`${kind}: ${error.message}`),
		);
	return { clock, affinity, entered, ask };
}

test("what nobody knows goes to whoever is free, in the order of asking", async () => {
	const { affinity, entered, ask, clock } = world();
	for (const kind of ["a", "b", "c", "d"]) ask(kind);
	await settled();
	assert.equal(entered, ["a>0", "b>1"]);
	assert.is(affinity.waiting(), 2);
	affinity.leave(1);
	await settled();
	affinity.leave(0);
	await settled();
	assert.equal(entered, ["a>0", "b>1", "c>1", "d>0"]);
	assert.is(clock.armed(), 0, "nobody waits any more");
});

test("what a thread knows waits for it beside a free one, and is let past by what comes later", async () => {
	const { affinity, entered, ask, clock } = world();
	for (const kind of ["a", "b"]) ask(kind);
	await settled();
	affinity.leave(1);
	ask("a");
	ask("b");
	await settled();
	assert.equal(entered, ["a>0", "b>1", "b>1"]);
	await clock.advance(PATIENCE_MS - 1);
	assert.is(affinity.waiting(), 1);
	affinity.leave(0);
	await settled();
	assert.is(entered.at(-1), "a>0");
});

test("it waits so long and no longer; then the other thread is the one that knows it", async () => {
	const { affinity, entered, ask, clock } = world();
	ask("a");
	ask("a");
	await settled();
	assert.equal(entered, ["a>0"]);
	await clock.advance(PATIENCE_MS);
	assert.equal(entered, ["a>0", "a>1"]);
	affinity.leave(1);
	ask("a");
	await settled();
	assert.is(entered.at(-1), "a>1", "at once, though thread 0 is busy");
});

test("while no thread is free nobody's patience ends", async () => {
	const { affinity, entered, ask, clock } = world();
	for (const kind of ["a", "b", "a"]) ask(kind);
	await clock.advance(10 * PATIENCE_MS);
	affinity.leave(1);
	await clock.advance(PATIENCE_MS - 1);
	assert.equal(entered, ["a>0", "b>1"]);
	affinity.leave(0);
	await settled();
	assert.is(entered.at(-1), "a>0");
});

test("a thread that was ended knows nothing", async () => {
	const { affinity, entered, ask } = world();
	ask("a");
	await settled();
	affinity.forget(0);
	ask("a");
	await settled();
	assert.equal(entered, ["a>0", "a>1"]);
});

test("whoever leaves the queue, is too many or comes to the end is told why, and keeps no timer", async () => {
	const { affinity, entered, ask, clock } = world(2);
	for (const kind of ["a", "b"]) ask(kind);
	const leaving = new AbortController();
	ask("c", leaving.signal);
	ask("d");
	ask("e");
	await settled();
	assert.equal(entered, ["a>0", "b>1", "e: full"]);
	leaving.abort(new Error("cancelled"));
	affinity.refuse(new Error("closed"));
	await settled();
	assert.equal(entered.slice(3), ["c: cancelled", "d: closed"]);
	assert.is(affinity.waiting(), 0);
	assert.is(clock.armed(), 0);
});

test.run();
