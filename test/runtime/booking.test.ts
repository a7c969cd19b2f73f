import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanPosition } from "../../machines/types.ts";
import { BOOK_AFTER_MS, bookingTogether, endedScan } from "../../src/runtime/booking.ts";
import { ManualClock } from "../effects/fake-clock.ts";
import { sampleContext, sampleEntry, sampleRecord } from "../support/records.ts";
import { amountsOf } from "../support/totals.ts";

const booking = suite("runtime: what is counted of an ended scan");

booking("strategies that were skipped or never started were not scanned", () => {
	const unstarted = { attempt: 0, started_at_ms: null };
	const strategies = [
		sampleEntry(0, "ai_spot_momentum_strategy", { verdict: "ok_found" }),
		sampleEntry(1, "ai_spot_mean_reversion", { verdict: "timed_out" }),
		// Not run at all, and run only to find that there was nothing to run on.
		sampleEntry(2, "ai_spot_breakout_strategy", { ...unstarted, verdict: "skipped", reason: "not_entitled" }),
		sampleEntry(3, "ai_risk_management", { verdict: "skipped", reason: "no_positions" }),
		sampleEntry(4, "ai_pairs_trading", { ...unstarted, verdict: "cancelled" }),
	];
	const record = sampleRecord({ context: sampleContext({ strategies }) });
	assert.is(endedScan(record).strategies_scanned, 2);
	assert.is(endedScan(record).timeouts, 1);
	const counted = Object.entries(amountsOf(record)).filter(([field]) => field.startsWith("strategy_verdicts|"));
	assert.is(counted.length, strategies.length, "each verdict is counted under its own word");
});

/** Books at most at the end of its patience; what was begun, and which scans are still there. */
function bookings() {
	const clock = new ManualClock();
	const begun: string[] = [];
	const erased = new Set<string>();
	let isAway = false;
	const bookEnd = bookingTogether(
		async ({ scan_id }) => {
			begun.push(scan_id);
			if (scan_id === "scan_b") throw new Error("refused");
		},
		async (scanId) => {
			if (isAway) throw new Error("away");
			return !erased.has(scanId);
		},
		clock,
	);
	const end = (scan_id: string, position: ScanPosition = "completed") =>
		bookEnd(sampleRecord({ scan_id, position })).then(
			() => "done",
			({ message }: Error) => message,
		);
	return { clock, begun, erased, end, goAway: () => (isAway = true) };
}

booking("scans that end together are booked in one turn, each is told how its own booking went", async () => {
	const { clock, begun, end } = bookings();
	const ends = ["scan_a", "scan_b", "scan_c"].map((id) => end(id));
	await clock.advance(BOOK_AFTER_MS - 1);
	assert.equal(begun, [], "others may end yet");
	await clock.advance(1);
	assert.equal(await Promise.all(ends), ["done", "refused", "done"]);
	assert.equal(begun, ["scan_a", "scan_b", "scan_c"]);

	const later = end("scan_d");
	await clock.advance(BOOK_AFTER_MS);
	await later;
	assert.is(begun.at(-1), "scan_d");
});

booking(
	"what was erased meanwhile is not booked, what was cancelled is at once, and a store that is away fails them",
	async () => {
		const { clock, begun, erased, end, goAway } = bookings();
		const ends = [end("scan_a"), end("scan_c")];
		erased.add("scan_a");
		assert.is(await end("scan_d", "cancelled"), "done");
		assert.equal(begun, ["scan_d"]);
		await clock.advance(BOOK_AFTER_MS);
		assert.equal(await Promise.all(ends), ["done", "done"]);
		assert.equal(begun, ["scan_d", "scan_c"]);

		const lost = [end("scan_e"), end("scan_f")];
		goAway();
		await clock.advance(BOOK_AFTER_MS);
		assert.equal(await Promise.all(lost), ["away", "away"]);
	},
);

booking.run();
