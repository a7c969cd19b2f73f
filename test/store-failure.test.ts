import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isStoreFailure, untilStoreAnswers } from "../src/store-failure.ts";
import { ManualClock } from "./effects/fake-clock.ts";

const test = suite("store failures");

const away = new Error("Command timed out");

/** Fails with each of the errors in turn, then answers. */
function failing(...errors: Error[]): { ask: () => Promise<string>; asked: () => number } {
	let asked = 0;
	return {
		asked: () => asked,
		async ask() {
			const error = errors[asked++];
			if (error) throw error;
			return "answer";
		},
	};
}

test("what Redis refuses for a while is told apart from what it will never do", () => {
	const reply = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });
	for (const word of ["OOM command not allowed", "LOADING Redis is loading", "READONLY You can't write"])
		assert.ok(isStoreFailure(reply(word)), word);
	assert.not.ok(isStoreFailure(reply("WRONGTYPE Operation against a key")));
	assert.ok(isStoreFailure(away));
	assert.not.ok(isStoreFailure(new Error("the scan's portfolio is not stored")));
});

test("asks again until the store answers", async () => {
	const clock = new ManualClock();
	const { ask, asked } = failing(away, away, away);
	const answer = untilStoreAnswers(ask, clock);
	await clock.advance(800);
	assert.is(asked(), 4);
	assert.is(await answer, "answer");
});

test("any other error passes at once, an abort ends the waiting, and a minute is enough", async () => {
	const clock = new ManualClock();
	const other = failing(new Error("not stored"));
	assert.match(await untilStoreAnswers(other.ask, clock).catch(String), "not stored");
	assert.is(other.asked(), 1);

	const controller = new AbortController();
	const aborted = untilStoreAnswers(() => Promise.reject(away), clock, controller.signal).catch(String);
	controller.abort(new Error("cut"));
	assert.match(await aborted, "cut");

	let given: unknown = null;
	untilStoreAnswers(() => Promise.reject(away), clock).catch((error: unknown) => {
		given = error;
	});
	await clock.advance(59_000, 1_000);
	assert.is(given, null);
	await clock.advance(3_000, 1_000);
	assert.is(given, away);
});

test.run();
