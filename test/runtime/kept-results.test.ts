import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KeptResults, KeptRoom } from "../../src/runtime/kept-results.ts";
import { rowField } from "../../src/runtime/scan-commit.ts";

/** Runs of a process share one room for what they have committed. */
const test = suite("runtime: kept results");

const note = (kept: KeptResults, id: string, length: number) =>
	kept.note(new Map([[rowField(id), "x".repeat(length)]]), new Map([[id, { id }]]));

test("what one run does not need is another's, and what does not fit is not kept", () => {
	const room = new KeptRoom(100);
	const [first, second] = [new KeptResults(room), new KeptResults(room)];
	note(first, "a", 80);
	note(second, "b", 30);
	assert.equal([first.row("a"), second.row("b")], [{ id: "a" }, null]);
	note(second, "c", 20);
	assert.equal(second.row("c"), { id: "c" });
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
	assert.is(kept.row("b"), null);
	assert.ok(room.take(100));
	kept.clear();
	assert.not.ok(room.take(1));
});

test.run();
