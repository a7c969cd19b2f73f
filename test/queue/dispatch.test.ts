import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createDispatch, createLocalRuns } from "../../src/queue/dispatch.ts";
import type { RunAnswer } from "../../src/runtime/runtime.ts";
import { deferred, settled } from "../effects/fake-clock.ts";
import { testLogger } from "../support/store.ts";

const dispatch = suite("queue: who runs a scan that was started here");

interface World {
	nearest?: boolean;
	answer?: () => Promise<RunAnswer>;
	add?: () => Promise<void>;
}

function dispatchOf({ nearest = true, answer = async () => "ended", add = async () => {} }: World) {
	const done: string[] = [];
	const warned: string[] = [];
	const made = createDispatch({
		queue: {
			async add(scanId, userId) {
				done.push(`queue ${scanId} of ${userId}`);
				await add();
			},
		},
		log: { ...testLogger(), warn: (_: object, message: string) => void warned.push(message) },
	});
	made.attach({
		areNearest: () => nearest,
		run(scanId) {
			done.push(`run ${scanId}`);
			return answer();
		},
	});
	return { made, done, warned };
}

dispatch("one that this process is nearest to is run here, without a job, while nothing waits", async () => {
	const { made, done } = dispatchOf({});
	await made.add("s", "u", true);
	await settled();
	assert.equal(done, ["run s"]);
});

dispatch("all others are queued", async () => {
	for (const [world, quiet] of [
		[{ nearest: false }, true],
		[{}, false],
	] as const) {
		const { made, done } = dispatchOf(world);
		await made.add("s", "u", quiet);
		assert.equal(done, ["queue s of u"]);
	}
	const added: string[] = [];
	const apiOnly = createDispatch({ queue: { add: async (scanId) => void added.push(scanId) }, log: testLogger() });
	await apiOnly.add("s", "u", true);
	assert.equal(added, ["s"], "a process that runs none");
});

dispatch("an answer to the start does not wait for the run", async () => {
	const { made, done } = dispatchOf({ answer: () => deferred<RunAnswer>().promise });
	await made.add("s", "u", true);
	assert.equal(done, ["run s"]);
});

dispatch("what could not be run here after all is queued, what is over or somebody's is not", async () => {
	for (const answer of ["busy", "unaccepted"] as const) {
		const { made, done } = dispatchOf({ answer: async () => answer });
		await made.add("s", "u", true);
		await settled();
		assert.equal(done, ["run s", "queue s of u"], answer);
	}
	for (const answer of ["ended", "released", "fenced", "given_up", "held", "missing", "foreign"] as const) {
		const { made, done } = dispatchOf({ answer: async () => answer });
		await made.add("s", "u", true);
		await settled();
		assert.equal(done, ["run s"], answer);
	}
	const { made, done, warned } = dispatchOf({ answer: () => Promise.reject(new Error("store away")) });
	await made.add("s", "u", true);
	await settled();
	assert.equal(done, ["run s", "queue s of u"]);
	assert.equal(warned, ["scan not run where it was started; it is queued"]);
});

dispatch("a queue that fails is told, and the start stands", async () => {
	for (const world of [{ nearest: false }, { answer: async () => "busy" as const }]) {
		const { made, warned } = dispatchOf({ ...world, add: () => Promise.reject(new Error("queue away")) });
		await made.add("s", "u", true);
		await settled();
		assert.equal(warned, ["scan not queued yet"]);
	}
});

/** Runs of a process in which all scans last until the test lets them go. */
function runsOf(capacity: number, more: { room?: boolean; elsewhere?: number; held?: number } = {}) {
	const { room = true, elsewhere = Number.POSITIVE_INFINITY, held = 0 } = more;
	const go = deferred<RunAnswer>();
	const limits: number[] = [];
	let active = 0;
	const runs = createLocalRuns({
		runtime: {
			run() {
				active += 1;
				return go.promise.finally(() => {
					active -= 1;
				});
			},
			active: () => active,
			hasRoom: () => room,
		},
		capacity,
		worker: { held: () => held, limit: (places) => void limits.push(places) },
		leastElsewhere: () => elsewhere,
	});
	const begin = (count: number) => Array.from({ length: count }, (_, i) => runs.run(`s${i}`));
	return { runs, go, limits, begin };
}

dispatch("scans are run where they were started while a place is left beside that of a job on its way", () => {
	for (const [capacity, started, held, nearest] of [
		[1, 0, 0, false],
		[2, 0, 0, true],
		[2, 0, 1, false],
		[2, 1, 0, false],
		[16, 7, 7, true],
		[16, 14, 0, true],
		[16, 15, 0, false],
		[16, 0, 15, false],
		[16, 7, 8, false],
	] as const) {
		const { runs, begin } = runsOf(capacity, { held });
		begin(started);
		assert.is(runs.areNearest(), nearest, `${started} and ${held} of ${capacity}`);
	}
	assert.not(runsOf(16, { room: false }).runs.areNearest(), "closing, or too much in hand");
});

dispatch("another worker that has less in hand comes first", () => {
	const { runs, begin } = runsOf(16, { elsewhere: 2 });
	begin(2);
	assert.ok(runs.areNearest());
	begin(1);
	assert.not(runs.areNearest());
	assert.not(runsOf(16, { elsewhere: -1 }).runs.areNearest(), "it is not known who is there");
});

dispatch("the queue's worker has the places that are left, and all of them in the end", async () => {
	const { go, limits, begin, runs } = runsOf(16);
	const all = begin(3);
	assert.equal(limits, [15, 14, 13]);
	go.resolve("ended");
	assert.equal(await Promise.all(all), Array(3).fill("ended"));
	assert.is(limits.at(-1), 16);
	const failing = createLocalRuns({
		runtime: { run: () => Promise.reject(new Error("store away")), active: () => 0, hasRoom: () => true },
		capacity: 2,
		worker: { held: () => 0, limit: (places) => void limits.push(places) },
		leastElsewhere: () => 0,
	});
	await failing.run("a").then(
		() => assert.unreachable("it fails"),
		() => undefined,
	);
	assert.is(limits.at(-1), 2, "a run that breaks gives its place back");
	assert.ok(failing.areNearest() && runs.areNearest());
});

dispatch.run();
