import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KeptResults, KeptRoom } from "../../src/runtime/kept-results.ts";
import { rowField } from "../../src/runtime/scan-commit.ts";

/** Runs of a process share one room for what they have committed. */
const test = suite("runtime: kept results");

const note = (kept: KeptResults, id: string, length: number) =>
	kept.note(new Map([[rowField(id), "x".repeat(length)]]), new Map([[id, { id }]]));

test("what one run does not need is another's; of a run whose rows do not all fit none is kept", () => {
	const room = new KeptRoom(100);
	const [first, second, third] = [new KeptResults(room), new KeptResults(room), new KeptResults(room)];
	note(first, "a", 60);
	note(second, "b", 30);
	assert.equal([first.row("a"), second.row("b")], [{ id: "a" }, { id: "b" }]);
	note(second, "c", 20);
	note(second, "d", 1);
	assert.equal([second.row("b"), second.row("c"), second.row("d")], [null, null, null]);
	note(third, "e", 40);
	assert.equal(third.row("e"), { id: "e" });
});

test("the portfolio is kept beside rows that did not fit, and no other document is", () => {
	const room = new KeptRoom(100);
	const kept = new KeptResults(room);
	kept.note(
		new Map([
			["d:portfolio", "{}"],
			["d:ranking", "x".repeat(90)],
		]),
		new Map(),
	);
	note(kept, "a", 50);
	assert.equal(kept.row("a"), { id: "a" });
	note(kept, "b", 60);
	assert.equal([kept.portfolio(), kept.row("a")], ["{}", null]);
	assert.ok(room.take(98));
});

test("a field that is written again counts once", () => {
	const room = new KeptRoom(100);
	const kept = new KeptResults(room);
	for (let i = 0; i < 5; i++) note(kept, "a", 60);
	assert.ok(room.take(40));
	assert.not.ok(room.take(1));
});

test("a run that has stopped gives its room back once, and takes none for a commit that is answered late", () => {
	const room = new KeptRoom(100);
	const kept = new KeptResults(room);
	note(kept, "a", 60);
	kept.clear();
	assert.is(kept.row("a"), null);
	note(kept, "b", 60);
	kept.note(new Map([["d:portfolio", "{}"]]), new Map());
	assert.equal([kept.row("b"), kept.portfolio()], [null, null]);
	assert.ok(room.take(100));
	kept.clear();
	assert.not.ok(room.take(1));
});

test.run();
