/** What one user's receivers may hold of the attempts of all. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ATTEMPT_LIMIT_MS } from "../../src/webhooks/send.ts";
import {
	createShares,
	HOST_ATTEMPTS_MAX,
	type Place,
	SHORT_LIMIT_MS,
	USER_ATTEMPTS_MAX,
} from "../../src/webhooks/shares.ts";

const test = suite("webhooks: shares");

function world() {
	const time = { ms: 1_000_000 };
	const shares = createShares(() => time.ms);
	const placed = (user: string, host: string): Place => {
		const place = shares.take(user, host);
		if ("pause_ms" in place) throw new Error(`${user} has no place at ${host}`);
		return place;
	};
	const pause = (user: string, host: string): number | null => {
		const answer = shares.take(user, host);
		return "pause_ms" in answer ? answer.pause_ms : null;
	};
	return { time, placed, pause };
}

test("a user has so many attempts at once, whatever the hosts; a host so many, whoever asks", () => {
	const { placed, pause } = world();
	const held = Array.from({ length: USER_ATTEMPTS_MAX }, (_, i) => placed("hog", `h${i}`));
	assert.ok(Number(pause("hog", "another")) > 0);
	placed("other", "h0");
	held[0]?.release(false);
	assert.is(pause("hog", "another"), null);
	for (let i = 0; i < HOST_ATTEMPTS_MAX; i++) placed(`u${i}`, "busy");
	assert.ok(Number(pause("last", "busy")) > 0);
	assert.is(pause("last", "free"), null);
});

test("what waits comes in turns, further apart the slower the receiver is, and never later than a minute", () => {
	const { time, placed, pause } = world();
	const first = [placed("u", "a"), placed("u", "a")];
	const quick = [1, 2, 3].map(() => Number(pause("u", "a")));
	assert.equal(quick, [100, 200, 300]);
	time.ms += ATTEMPT_LIMIT_MS;
	for (const place of first) place.release(true);
	for (let i = 0; i < USER_ATTEMPTS_MAX; i++) placed("u", "a");
	const slow = Array.from({ length: 100 }, () => Number(pause("u", "a")));
	assert.equal(slow.slice(0, 3), [5_000, 10_000, 15_000]);
	assert.is(Math.max(...slow), 60_000);
});

test("a host that gave no answer in time is waited for less, for a minute or until it answers", () => {
	const { time, placed } = world();
	const attempt = (timedOut: boolean): number => {
		const place = placed("u", "a");
		time.ms += timedOut ? place.limit_ms : 20;
		place.release(timedOut);
		return place.limit_ms;
	};
	assert.equal([attempt(true), attempt(true)], [ATTEMPT_LIMIT_MS, SHORT_LIMIT_MS]);
	assert.equal([attempt(false), attempt(false)], [SHORT_LIMIT_MS, ATTEMPT_LIMIT_MS]);
	assert.is(attempt(true), ATTEMPT_LIMIT_MS);
	time.ms += 60_000 - SHORT_LIMIT_MS;
	assert.is(attempt(true), SHORT_LIMIT_MS);
	assert.is(attempt(true), ATTEMPT_LIMIT_MS, "a short wait that failed does not prolong it");
});

test("users and hosts with nothing under way are forgotten", () => {
	const { placed, pause } = world();
	const held = Array.from({ length: USER_ATTEMPTS_MAX }, () => placed("kept", "kept"));
	// One that is asked for again has lost its pace, one with attempts under way has kept its share.
	placed("gone", "gone").release(false);
	for (let i = 0; i < 5_000; i++) placed(`u${i}`, `h${i}`).release(false);
	assert.ok(Number(pause("kept", "elsewhere")) > 0);
	for (let i = 0; i < USER_ATTEMPTS_MAX; i++) placed("gone", "gone");
	assert.is(pause("gone", "gone"), 100);
	assert.is(held.length, USER_ATTEMPTS_MAX);
});

test.run();
