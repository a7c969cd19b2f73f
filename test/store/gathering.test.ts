import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPace, gathering } from "../../src/store/gathering.ts";
import { deferred, ManualClock, settled } from "../effects/fake-clock.ts";

const test = suite("store: the same for many at once");

test("a lone one is done at once, those that come meanwhile together, in order and at most so many", async () => {
	const rounds: { items: number[]; end: () => void }[] = [];
	const ask = gathering<number>(3, (items) => new Promise<void>((end) => rounds.push({ items, end })));
	const asked = [1, 2, 3, 4, 5].map((n) => ask(n));
	assert.equal(
		rounds.map(({ items }) => items),
		[[1]],
	);
	rounds[0]?.end();
	await asked[0];
	assert.equal(rounds[1]?.items, [2, 3, 4]);
	rounds[1]?.end();
	await Promise.all(asked.slice(0, 4));
	assert.equal(rounds[2]?.items, [5]);
	rounds[2]?.end();
	await asked[4];
});

test("a round that fails is told to those that were in it, and the next goes on", async () => {
	const gate = deferred<void>();
	let round = 0;
	const ask = gathering<string>(10, async () => {
		round += 1;
		if (round === 1) await gate.promise;
		if (round === 2) throw new Error("away");
	});
	const [first, second, third] = [ask("a"), ask("b"), ask("c")];
	gate.resolve();
	await first;
	for (const failed of [second, third]) {
		const error = await failed.then(
			() => null,
			(reason: Error) => reason.message,
		);
		assert.is(error, "away");
	}
	await ask("d");
	assert.is(round, 3);
});

test("rounds that rest begin so far apart, and take all that has come meanwhile", async () => {
	const clock = new ManualClock();
	const rounds: string[] = [];
	const ask = gathering<string>(10, async (items) => void rounds.push(items.join("")), createPace(clock, 10));
	await ask("a");
	const asked = [ask("b"), ask("c")];
	await clock.advance(9, 1);
	assert.equal(rounds, ["a"]);
	await clock.advance(1, 1);
	await Promise.all(asked);
	assert.equal(rounds, ["a", "bc"]);
	await clock.advance(10, 1);
	await ask("d");
	assert.equal(rounds, ["a", "bc", "d"], "who comes later waits for nothing");
	assert.is(clock.armed(), 0);
});

test("what rests by one pace begins again together, when the first of it may", async () => {
	const clock = new ManualClock();
	const pace = createPace(clock, 10);
	const rounds: string[] = [];
	const noted = async (items: string[]) => void rounds.push(`${items.join("")} at ${clock.now() - began}`);
	const [one, other] = [gathering<string>(10, noted, pace), gathering<string>(10, noted, pace)];
	const began = clock.now();
	await one("a");
	await clock.advance(4, 1);
	await other("b");
	const asked = [other("c"), one("d")];
	await clock.advance(3, 1);
	asked.push(one("e"));
	await clock.advance(7, 1);
	await Promise.all(asked);
	assert.equal(rounds, ["a at 0", "b at 4", "c at 10", "de at 10"]);
	assert.is(clock.armed(), 0);
});

test("a full round does not rest", async () => {
	const clock = new ManualClock();
	const rounds: string[] = [];
	const ask = gathering<string>(2, async (items) => void rounds.push(items.join("")), createPace(clock, 10));
	await ask("a");
	const asked = ["b", "c", "d", "e", "f"].map((item) => ask(item));
	await settled();
	assert.equal(rounds, ["a"], "one is asked for first, and rests");
	await clock.advance(10, 1);
	assert.equal(rounds, ["a", "bc", "de"]);
	await clock.advance(10, 1);
	await Promise.all(asked);
	assert.equal(rounds, ["a", "bc", "de", "f"]);
});

test("a clock that is set back lets nothing rest for longer", async () => {
	const clock = new ManualClock();
	let now = clock.now();
	const back = {
		now: () => now,
		setTimeout: clock.setTimeout.bind(clock),
		clearTimeout: clock.clearTimeout.bind(clock),
	};
	const rounds: string[] = [];
	const ask = gathering<string>(10, async (items) => void rounds.push(items.join("")), createPace(back, 10));
	await ask("a");
	now -= 3_600_000;
	const asked = ask("b");
	await clock.advance(10, 1);
	await asked;
	assert.equal(rounds, ["a", "b"]);
});

test("at the end nothing rests any more", async () => {
	const clock = new ManualClock();
	const rounds: string[] = [];
	const pace = createPace(clock, 10);
	const ask = gathering<string>(10, async (items) => void rounds.push(items.join("")), pace);
	await ask("a");
	const asked = ask("b");
	await settled();
	pace.end();
	await asked;
	await ask("c");
	assert.equal(rounds, ["a", "b", "c"]);
	assert.is(clock.armed(), 0);
});

test.run();
