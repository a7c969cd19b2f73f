import { suite } from "uvu";
import * as assert from "uvu/assert";
import { gathering } from "../../src/store/gathering.ts";
import { deferred } from "../effects/fake-clock.ts";

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

test.run();
