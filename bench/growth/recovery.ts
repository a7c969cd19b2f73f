import { systemClock } from "../../src/clock.ts";
import { book } from "../../src/runtime/booking.ts";
import { watchdogOn } from "../../test/support/stuck.ts";
import { runtimeOn } from "../../test/support/system.ts";
import { holdScans } from "./held.ts";
import { type Cost, costOf, runsFor } from "./meter.ts";
import { type Shape, shapedEffects } from "./shape.ts";
import type { Stage } from "./stage.ts";

/** Scans that the watchdog takes in one pass. */
const TAKEN_AT_ONCE = 50;
const CAPACITY = 1_000;
const SCANS_MAX = 1_000_000;
const SMALL: Shape = { strategies: 1, rows: 1, reports: 1, failing: 0 };

/**
 * From the end of the leases of `lost` scans, whose worker was killed, to the booked end of all: another worker's
 * watchdog finds them pass by pass, without the pauses between passes, takes them over and carries them out.
 */
export async function recovery(stage: Stage, lost: number, runs: number): Promise<Cost> {
	const { store } = stage;
	let ended = 0;
	let awaited: { count: number; there: () => void } | null = null;
	const runtime = runtimeOn(store, shapedEffects(SMALL, store.reader), {
		capacity: CAPACITY,
		async onEnded(record) {
			await book(store.writer, record, SCANS_MAX);
			ended += 1;
			if (awaited && ended >= awaited.count) awaited.there();
		},
	});
	// Time stands still, so that the walk over all keys, which a pass of its own row shows, is in none of the runs.
	const nowMs = systemClock.now();
	const { watchdog } = watchdogOn(store, runtime, { clock: { ...systemClock, now: () => nowMs } });
	await watchdog.pass();
	const killed: Awaited<ReturnType<typeof holdScans>>[] = [];
	for (let run = 0; run < runsFor(runs); run++) killed.push(await holdScans(stage, lost, SMALL));
	try {
		return await costOf(stage.client, killed, async (scans) => {
			ended = 0;
			await Promise.all(scans.map((scan) => scan.lose()));
			for (let taken = TAKEN_AT_ONCE; ended < lost; taken += TAKEN_AT_ONCE) {
				const count = Math.min(lost, taken);
				const there = new Promise<void>((resolve) => {
					awaited = { count, there: resolve };
				});
				await watchdog.pass();
				if (ended < count) await there;
			}
		});
	} finally {
		await runtime.handOver();
		for (const { user, scanId } of killed.flat()) await store.writer.erase(user.user_id, [scanId]);
	}
}
