import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPlaces } from "../../src/queue/places.ts";
import { ManualClock, settled } from "../effects/fake-clock.ts";

const places = suite("queue: places for scans in a process");

places("there are as many as said, and whoever leaves gives theirs to who has waited longest", async () => {
	const held = createPlaces(2, new ManualClock());
	assert.equal([await held.take(1_000), await held.take(1_000)], [true, true]);
	assert.not(held.free());
	const given: string[] = [];
	for (const who of ["first", "second"]) void held.take(1_000).then((got) => given.push(`${who} ${got}`));
	await settled();
	assert.equal(given, []);
	held.leave();
	await settled();
	assert.equal(given, ["first true"]);
	held.leave();
	await settled();
	assert.equal(given, ["first true", "second true"]);
	assert.not(held.free(), "both places are held by those who waited");
	held.leave();
	assert.ok(held.free());
	held.leave();
	assert.equal([await held.take(0), await held.take(0), held.free()], [true, true, false]);
});

places("who waits in vain is told so and gets none later", async () => {
	const clock = new ManualClock();
	const held = createPlaces(1, clock);
	await held.take(1_000);
	let answer: boolean | null = null;
	void held.take(1_000).then((got) => {
		answer = got;
	});
	await clock.advance(900);
	assert.is(answer, null);
	await clock.advance(200);
	assert.is(answer, false);
	held.leave();
	assert.ok(held.free());
	assert.is(clock.armed(), 0);
});

places("a place that becomes free is nobody else's while somebody waits", async () => {
	const clock = new ManualClock();
	const held = createPlaces(1, clock);
	await held.take(1_000);
	void held.take(1_000);
	held.leave();
	assert.not(held.free());
	assert.is(clock.armed(), 0, "who has got a place waits no longer");
});

places.run();
