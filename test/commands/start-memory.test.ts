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

memory("answers that overtake one another: the newest question counts", async () => {
	const { clock, held, may } = remembering();
	const at: number[] = [];
	for (let n = 0; n < 4; n++) {
		await clock.advance(50);
		at.push(held.now());
	}
	const [oldest = 0, older = 0, newer = 0, newest = 0] = at;
	held.learn(false, newer);
	held.learn(false, oldest);
	held.learn(true, older);
	assert.is(may(), false, "that nothing waited was asked before it was heard that something does");
	held.learn(true, newest);
	assert.is(may(), true);
	held.learn(false, newer);
	held.learn(true, older);
	assert.is(may(), true);
	held.learn(false, newest);
	assert.is(may(), false, "of two questions at once the worse answer");
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
