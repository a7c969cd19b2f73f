import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopTurns } from "../../src/loop-turns.ts";

const test = suite("turns of the event loop");

/** A phase of the loop later than everything that is due in this one. */
const loops = async (count: number): Promise<void> => {
	for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

test("all that waits goes on in one phase; who looks back and what is done at the end come behind what follows from it", async () => {
	const told: string[] = [];
	const steps = async (name: string) => {
		await loopTurns.next();
		told.push(name);
		for (let i = 0; i < 10; i++) await Promise.resolve();
		told.push(`${name} went on`);
		loopTurns.atEnd(() => told.push(`${name} is sent`));
	};
	loopTurns.atEnd(() => told.push("what was there before is sent"));
	const lookingBack = loopTurns.over().then(() => told.push("looked back"));
	const began = [steps("a"), steps("b")];
	assert.equal(told, []);
	await Promise.all([...began, lookingBack]);
	await loops(1);
	assert.equal(told, [
		"a",
		"b",
		"a went on",
		"b went on",
		"looked back",
		"what was there before is sent",
		"a is sent",
		"b is sent",
	]);
});

test("what comes in the middle of a turn is done in it while it can be, else in the next one", async () => {
	const told: string[] = [];
	await loopTurns.next();
	const again = loopTurns.next().then(() => told.push("again"));
	const back = loopTurns.over().then(async () => {
		told.push("looked back");
		loopTurns.atEnd(() => told.push("end"));
		await loopTurns.over();
		told.push("looked back again");
	});
	await Promise.all([again, back]);
	assert.equal(told, ["looked back", "end", "again", "looked back again"]);
	let isDone = false;
	loopTurns.atEnd(() => {
		loopTurns.atEnd(() => {
			isDone = true;
		});
	});
	await loops(3);
	assert.ok(isDone, "also what is asked for at an end has one");
});

test("a task that breaks is told of, and the others are done", async () => {
	const broken: unknown[] = [];
	const listeners = process.listeners("uncaughtException");
	process.removeAllListeners("uncaughtException");
	process.once("uncaughtException", (error) => broken.push(error.message));
	const told: string[] = [];
	loopTurns.atEnd(() => told.push("before"));
	loopTurns.atEnd(() => {
		throw new Error("as planned");
	});
	loopTurns.atEnd(() => told.push("after"));
	await loops(3);
	for (const listener of listeners) process.on("uncaughtException", listener);
	assert.equal([told, broken], [["before", "after"], ["as planned"]]);
	await loopTurns.next();
});

test.run();
