import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createDispatch, createLocalRuns } from "../../src/queue/dispatch.ts";
import type { Reservation, RunAnswer } from "../../src/runtime/runtime.ts";
import { deferred, settled } from "../effects/fake-clock.ts";
import { testLogger } from "../support/store.ts";

const dispatch = suite("queue: who runs a scan that is started here");

const taker = { worker_id: "w", nonce: "n", lease_ms: 6_000 };

/** A place whose run ends as the test says. */
function reservationOf(done: string[], answer: () => Promise<RunAnswer>): Reservation {
	const started = deferred<RunAnswer>();
	let begun = false;
	const over = () => undefined;
	return {
		taker,
		answer: started.promise,
		free: started.promise.then(over, over),
		run(taken) {
			begun = true;
			done.push(taken ? "run as claimed" : "run");
			answer().then(started.resolve, started.reject);
		},
		leave: () => {
			if (!begun) started.resolve("busy");
		},
	};
}

interface World {
	nearest?: boolean;
	answer?: () => Promise<RunAnswer>;
	add?: () => Promise<void>;
}

function dispatchOf({ nearest = true, answer = async () => "ended", add = async () => {} }: World = {}) {
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
	made.attach({ reserve: () => (nearest ? reservationOf(done, answer) : null), idle: () => nearest });
	return { made, done, warned };
}

dispatch("one that has a place here is run here, without a job, as it was made", async () => {
	for (const [taken, said] of [
		[{ kind: "granted" } as never, "run as claimed"],
		[null, "run"],
	] as const) {
		const { made, done } = dispatchOf();
		const place = made.reserve("s", "u");
		assert.equal(place?.taker, taker);
		place?.run(taken);
		place?.leave();
		await settled();
		assert.equal(done, [said]);
	}
});

dispatch("there is no place where another process is nearer, and none in a process that runs no scans", async () => {
	const { made } = dispatchOf({ nearest: false });
	assert.equal([made.reserve("s", "u"), made.idle()], [null, false]);
	const apiOnly = createDispatch({ queue: { add: async () => {} }, log: testLogger() });
	assert.equal([apiOnly.reserve("s", "u"), apiOnly.idle()], [null, false]);
	assert.is(dispatchOf().made.idle(), true);
});

dispatch("a place that is left leaves nothing behind", async () => {
	const { made, done } = dispatchOf();
	made.reserve("s", "u")?.leave();
	await settled();
	assert.equal(done, []);
});

dispatch("what could not be run here after all is queued, what is over or somebody's is not", async () => {
	for (const answer of ["busy", "unaccepted"] as const) {
		const { made, done } = dispatchOf({ answer: async () => answer });
		made.reserve("s", "u")?.run(null);
		await settled();
		assert.equal(done, ["run", "queue s of u"], answer);
	}
	for (const answer of ["ended", "released", "fenced", "given_up", "held", "missing", "foreign"] as const) {
		const { made, done } = dispatchOf({ answer: async () => answer });
		made.reserve("s", "u")?.run(null);
		await settled();
		assert.equal(done, ["run"], answer);
	}
	const { made, done, warned } = dispatchOf({ answer: () => Promise.reject(new Error("store away")) });
	made.reserve("s", "u")?.run(null);
	await settled();
	assert.equal(done, ["run", "queue s of u"]);
	assert.equal(warned, ["scan not run where it was started; it is queued"]);
});

dispatch("a queue that fails is told, and the start stands", async () => {
	const add = () => Promise.reject(new Error("queue away"));
	const queued = dispatchOf({ add });
	await queued.made.add("s", "u");
	assert.equal([queued.done, queued.warned], [["queue s of u"], ["scan not queued yet"]]);
	const { made, warned } = dispatchOf({ answer: async () => "busy", add });
	made.reserve("s", "u")?.run(null);
	await settled();
	assert.equal(warned, ["scan not queued yet"]);
});

/** Runs of a process in which all scans last until the test lets them go. */
function runsOf(capacity: number, more: { room?: boolean; elsewhere?: number; held?: number } = {}) {
	const { room = true, elsewhere = Number.POSITIVE_INFINITY, held = 0 } = more;
	const go = deferred<RunAnswer>();
	const limits: number[] = [];
	let active = 0;
	const runs = createLocalRuns({
		runtime: {
			reserve() {
				active += 1;
				const reservation = reservationOf([], () => go.promise);
				const left = () => {
					active -= 1;
				};
				reservation.answer.then(left, left);
				return reservation;
			},
			active: () => active,
			hasRoom: () => room,
		},
		capacity,
		worker: { held: () => held, limit: (places) => void limits.push(places) },
		leastElsewhere: () => elsewhere,
	});
	const begin = (count: number) =>
		Array.from({ length: count }, (_, i) => {
			const place = runs.reserve(`s${i}`);
			place?.run(null);
			return place?.answer;
		});
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
		assert.is(runs.idle(), nearest && held === 0, `${started} and ${held} of ${capacity}`);
		assert.is(runs.reserve("one more") !== null, nearest, `${started} and ${held} of ${capacity}`);
	}
	const closing = runsOf(16, { room: false }).runs;
	assert.equal([closing.reserve("s"), closing.idle()], [null, false], "closing, or too much in hand");
});

dispatch("another worker that has less in hand comes first", () => {
	const { runs, begin } = runsOf(16, { elsewhere: 2 });
	begin(2);
	assert.ok(runs.reserve("third"));
	assert.is(runs.reserve("fourth"), null);
	assert.is(runsOf(16, { elsewhere: -1 }).runs.reserve("s"), null, "it is not known who is there");
});

dispatch("a place counts from when it is kept, until its run is over or it is left", async () => {
	const { go, limits, begin, runs } = runsOf(16);
	const kept = runs.reserve("kept");
	const all = begin(2);
	assert.equal(limits, [15, 14, 13]);
	kept?.leave();
	await settled();
	assert.is(limits.at(-1), 14);
	go.resolve("ended");
	assert.equal(await Promise.all(all), Array(2).fill("ended"));
	assert.is(limits.at(-1), 16);
	const broken = runsOf(2);
	const [failing] = broken.begin(1);
	assert.is(broken.runs.reserve("no place"), null);
	broken.go.reject(new Error("store away"));
	await failing?.then(
		() => assert.unreachable("it fails"),
		() => undefined,
	);
	assert.is(broken.limits.at(-1), 2, "a run that breaks gives its place back");
	assert.ok(broken.runs.reserve("place"));
});

dispatch.run();
