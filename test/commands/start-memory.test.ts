import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createStartMemory } from "../../src/commands/start-memory.ts";
import { ManualClock } from "../effects/fake-clock.ts";

const memory = suite("commands: what a start knows without asking");

const LIKE_MS = 60_000;

function remembering() {
	const clock = new ManualClock();
	const process = { idle: true };
	const held = createStartMemory({ clock, idle: () => process.idle, like_ms: LIKE_MS });
	return {
		clock,
		process,
		held,
		may: () => held.mayBegin("u", "key"),
		learn: (quiet: boolean) => held.learn(quiet, held.now()),
	};
}

memory("nothing, until it was told that nothing waits, and for a second from when that was asked", async () => {
	const { clock, held, may, learn } = remembering();
	assert.is(may(), false);
	const askedAtMs = held.now();
	await clock.advance(600);
	held.learn(true, askedAtMs);
	assert.is(may(), true);
	await clock.advance(300);
	assert.is(may(), true);
	await clock.advance(100);
	assert.is(may(), false, "a second old");
	learn(true);
	assert.is(may(), true);
	learn(false);
	assert.is(may(), false, "something waits");
});

memory("an answer that was asked for before another does not say that nothing waits", async () => {
	const { clock, held, may } = remembering();
	const first = held.now();
	await clock.advance(100);
	held.learn(false, held.now());
	held.learn(true, first);
	assert.is(may(), false);
	held.learn(true, held.now());
	assert.is(may(), true);
	held.learn(false, first);
	assert.is(may(), false, "bad news count whenever they were asked for");
});

memory("nothing while the queue has something in hand here, or no place is left", () => {
	const { process, may, learn } = remembering();
	learn(true);
	process.idle = false;
	assert.is(may(), false);
	process.idle = true;
	assert.is(may(), true);
});

memory("that a like start was made lately, so that it asks whether it joins it or has its result", async () => {
	const { clock, held, may, learn } = remembering();
	learn(true);
	held.note("u", "key");
	assert.is(may(), false);
	assert.is(held.mayBegin("u", "other"), true);
	assert.is(held.mayBegin("other", "key"), true);
	await clock.advance(LIKE_MS - 100);
	held.note("u", "other");
	learn(true);
	assert.is(may(), false);
	await clock.advance(100);
	assert.is(may(), true);
	assert.is(held.mayBegin("u", "other"), false);
});

memory("nothing newer than its clock", () => {
	let now = 1_000_000;
	const held = createStartMemory({ clock: { now: () => now }, idle: () => true, like_ms: LIKE_MS });
	held.learn(true, now);
	now -= 3_600_000;
	assert.is(held.mayBegin("u", "key"), false);
});

memory("ten thousand starts and no more, the newest of each", () => {
	const { held, learn } = remembering();
	learn(true);
	held.note("first", "key");
	held.note("second", "key");
	held.note("first", "key");
	for (let n = 0; n < 9_998; n++) held.note(`u${n}`, "key");
	assert.is(held.mayBegin("second", "key"), false);
	held.note("last", "key");
	assert.is(held.mayBegin("second", "key"), true, "the oldest is forgotten");
	assert.is(held.mayBegin("first", "key"), false);
});

memory.run();
