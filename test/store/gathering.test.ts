import { suite } from "uvu";
import * as assert from "uvu/assert";
import { gathering } from "../../src/store/gathering.ts";
import { deferred } from "../effects/fake-clock.ts";

const test = suite("store: the same for many at once");

test("what is asked for in one turn, and what comes meanwhile, is done together, in order and at most so many", async () => {
	const rounds: { items: number[]; end: () => void }[] = [];
	const ask = gathering<number>(3, (items) => new Promise<void>((end) => rounds.push({ items, end })));
	const asked = [ask(1)];
	await null;
	assert.equal(rounds[0]?.items, [1]);
	asked.push(...[2, 3, 4, 5].map((n) => ask(n)));
	await null;
	assert.is(rounds.length, 1);
	rounds[0]?.end();
	await asked[0];
	assert.equal(rounds[1]?.items, [2, 3, 4]);
	rounds[1]?.end();
	await Promise.all(asked.slice(0, 4));
	assert.equal(rounds[2]?.items, [5]);
	rounds[2]?.end();
	await asked[4];

	asked.push(ask(6), ask(7));
	await null;
	assert.equal(rounds[3]?.items, [6, 7]);
	rounds[3]?.end();
	await Promise.all(asked);
});

test("a round that fails is told to those that were in it, and the next goes on", async () => {
	const gate = deferred<void>();
	let round = 0;
	const ask = gathering<string>(10, async () => {
		round += 1;
		if (round === 1) await gate.promise;
		if (round === 2) throw new Error("away");
	});
	const first = ask("a");
	await null;
	const [second, third] = [ask("b"), ask("c")];
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

test.run();
