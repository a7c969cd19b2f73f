import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Clock } from "../../src/clock.ts";
import { storeClock } from "../../src/redis/store-clock.ts";

const test = suite("store clock");

/** A local clock under the test's hand, and a server whose time differs from it. */
function world(serverAheadMs: number, roundTripsMs: number[]) {
	let localMs = 1_000_000;
	let ahead = serverAheadMs;
	let calls = 0;
	let failing = false;
	const timers: (() => void)[] = [];
	const clock: Clock = {
		now: () => localMs,
		setTimeout: (callback) => timers.push(callback),
		clearTimeout: (handle) => {
			timers.splice(Number(handle) - 1, 1);
		},
	};
	const source = {
		async time() {
			if (failing) throw new Error("down");
			const roundTrip = roundTripsMs[calls % roundTripsMs.length] ?? 0;
			calls += 1;
			localMs += roundTrip / 2;
			const serverMs = localMs + ahead;
			localMs += roundTrip / 2;
			return [Math.floor(serverMs / 1000), Math.round((serverMs % 1000) * 1000)];
		},
	};
	return {
		clock,
		source,
		timers,
		move: (ms: number) => {
			localMs += ms;
		},
		local: () => localMs,
		setAhead: (ms: number) => {
			ahead = ms;
		},
		fail: (on: boolean) => {
			failing = on;
		},
	};
}

test("the offset is measured, and the fastest of several samples counts", async () => {
	const { clock, source, local } = world(5000, [40, 8, 100]);
	const store = await storeClock(source, clock, { samples: 3 });
	assert.is(store.offsetMs(), 5000);
	assert.is(store.roundTripMs(), 8);
	assert.is(store.now(), local() + 5000);
	store.close();
});

test("for any offset and round trips, time never goes back while offsets change", async () => {
	const step = fc.record({ move: fc.integer({ min: 0, max: 5000 }), ahead: fc.integer({ min: -9000, max: 9000 }) });
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { maxLength: 20 }),
			fc.array(fc.nat(60), { minLength: 1 }),
			async (steps, trips) => {
				const w = world(0, trips);
				const store = await storeClock(w.source, w.clock);
				let last = store.now();
				for (const { move, ahead } of steps) {
					w.move(move);
					w.setAhead(ahead);
					await store.sync();
					const now = store.now();
					assert.ok(now >= last && Number.isInteger(now));
					last = now;
				}
				store.close();
			},
		),
		{ numRuns: 100 },
	);
});

test("a failed refresh keeps the old offset and tries again", async () => {
	const w = world(100, [2]);
	const store = await storeClock(w.source, w.clock);
	w.fail(true);
	assert.instance(await store.sync().catch((error: unknown) => error), Error);
	assert.is(store.offsetMs(), 100);
	w.timers.pop()?.();
	await new Promise((resolve) => setImmediate(resolve));
	assert.is(w.timers.length, 1);
	w.fail(false);
	w.setAhead(250);
	w.timers.pop()?.();
	await new Promise((resolve) => setImmediate(resolve));
	assert.is(store.offsetMs(), 250);
	store.close();
	assert.is(w.timers.length, 0);
});

test("the first measurement must succeed", async () => {
	const w = world(0, [1]);
	w.fail(true);
	assert.instance(await storeClock(w.source, w.clock).catch((error: unknown) => error), Error);
});

test.run();
