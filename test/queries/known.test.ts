import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ApiError } from "../../src/errors.ts";
import { NO_WAIT } from "../../src/queries/long-poll.ts";
import { createQueries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import { createFakeStore } from "../support/fake-reader.ts";
import { probes } from "../support/probes.ts";
import {
	runningRecord,
	SCAN_ID,
	STRANGER_ID,
	sampleRanking,
	sampleRecord,
	sampleRow,
	USER_ID,
} from "../support/records.ts";

const test = suite("answers about unchanged scans");
const owner = { user_id: USER_ID, role: "trader" as const };
const stranger = { user_id: STRANGER_ID, role: "admin" as const };

function setUp() {
	const store = createFakeStore();
	const ids = ["row_0_0", "row_0_1", "row_0_2"];
	for (const id of ids) store.rows.set(id, JSON.stringify(sampleRow(id)));
	store.documents.set(`${SCAN_ID}:ranking`, sampleRanking(ids));
	const reads = { whole: 0 };
	const reader: typeof store.reader = {
		...store.reader,
		read(scanId) {
			reads.whole += 1;
			return store.reader.read(scanId);
		},
	};
	const earnedCredits = async () => 0;
	const parts = { ...store, reader, probes, earnedCredits, stuckAfterMs: 120_000, replay, streamsMax: 10 };
	return { store, reads, scans: createQueries(parts).scans };
}

test("a repeated read takes the head only and says the same; a commit is seen at once", async () => {
	const { store, reads, scans } = setUp();
	store.commit(runningRecord());
	const first = await scans.status(owner, SCAN_ID, NO_WAIT, undefined);
	assert.is(reads.whole, 1);
	assert.equal(await scans.status(owner, SCAN_ID, NO_WAIT, undefined), first);
	assert.is(reads.whole, 1);
	store.commit(sampleRecord());
	const last = await scans.status(owner, SCAN_ID, NO_WAIT, undefined);
	assert.is(JSON.parse(last.body).status, "complete");
	assert.is.not(last.etag, first.etag);
});

test("the remaining time of an unchanged scan follows the clock", async () => {
	const { store, reads, scans } = setUp();
	store.commit(runningRecord());
	const left = async () =>
		JSON.parse((await scans.status(owner, SCAN_ID, NO_WAIT, undefined)).body).estimated_time_remaining_seconds;
	const before = await left();
	store.advance(10_000);
	assert.is(await left(), before - 10);
	assert.is(reads.whole, 1);
});

test("another commit of the same number is not taken for the one before", async () => {
	const { store, scans } = setUp();
	const record = runningRecord();
	store.commit(record);
	const first = JSON.parse((await scans.status(owner, SCAN_ID, NO_WAIT, undefined)).body);
	store.commit(runningRecord({ progress_at_ms: record.progress_at_ms + 1_000 }));
	const second = JSON.parse((await scans.status(owner, SCAN_ID, NO_WAIT, undefined)).body);
	assert.is(second.revision, first.revision);
	assert.is.not(second.updated_at, first.updated_at);
});

test("results of a commit that the server lost are not shown for another of the same number", async () => {
	const { store, scans } = setUp();
	const record = sampleRecord();
	const profits = async () => {
		const status = JSON.parse((await scans.status(owner, SCAN_ID, NO_WAIT, undefined)).body);
		const results = JSON.parse(String((await scans.results(owner, SCAN_ID, NO_WAIT)).body));
		const told = [...status.partial_results, ...results.opportunities] as { profit_potential_usd: number }[];
		return new Set(told.map(({ profit_potential_usd }) => profit_potential_usd));
	};
	store.commit(record);
	assert.not.ok((await profits()).has(777));
	for (const id of store.rows.keys())
		store.rows.set(id, JSON.stringify({ ...sampleRow(id), profit_potential_usd: 777 }));
	store.commit({ ...record, progress_at_ms: record.progress_at_ms + 9_000 });
	assert.equal(await profits(), new Set([777]));
});

test("what is known is shown to its owner only, and until it expires", async () => {
	const { store, reads, scans } = setUp();
	store.commit(sampleRecord({ expires_at_ms: store.reader.now() + 5_000 }));
	const asks = [
		(viewer: typeof owner | typeof stranger) => scans.status(viewer, SCAN_ID, NO_WAIT, undefined),
		(viewer: typeof owner | typeof stranger) => scans.results(viewer, SCAN_ID, NO_WAIT),
	];
	const refusal = (ask: Promise<unknown>): Promise<string> =>
		ask.then(
			() => "shown",
			(error: unknown) => (error instanceof ApiError ? error.code : String(error)),
		);
	for (const ask of asks) {
		const first = await ask(owner);
		const read = reads.whole;
		assert.is(String((await ask(owner)).body), String(first.body));
		assert.is(reads.whole, read);
		assert.is(await refusal(ask(stranger)), "scan_not_found");
	}
	store.advance(5_000);
	for (const ask of asks) assert.is(await refusal(ask(owner)), "scan_expired");
});

test.run();
