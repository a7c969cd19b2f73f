import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ApiError } from "../../src/errors.ts";
import { createQueries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { createFakeStore, settle } from "../support/fake-reader.ts";
import { probes } from "../support/probes.ts";
import {
	queuedRecord,
	runningRecord,
	SCAN_ID,
	sampleRanking,
	sampleRecord,
	sampleRow,
	USER_ID,
} from "../support/records.ts";

const polls = suite("long poll");
const owner: Viewer = { user_id: USER_ID, role: "trader" };

function setUp() {
	const store = createFakeStore();
	for (const n of [0, 1, 2]) store.rows.set(`row_0_${n}`, JSON.stringify(sampleRow(`row_0_${n}`)));
	store.documents.set(`${SCAN_ID}:ranking`, sampleRanking(["row_0_2", "row_0_0", "row_0_1"]));
	const queries = createQueries({
		...store,
		probes,
		earnedCredits: async () => null,
		stuckAfterMs: 120_000,
		replay,
		streamsMax: 10,
	});
	const abort = new AbortController();
	return { store, scans: queries.scans, abort, wait: (ms: number) => ({ waitMs: ms, signal: abort.signal }) };
}

/** Follows a promise without waiting for it. */
function watch<T>(promise: Promise<T>) {
	const seen: { value?: T; error?: unknown; done: boolean } = { done: false };
	promise.then(
		(value) => Object.assign(seen, { value, done: true }),
		(error: unknown) => Object.assign(seen, { error, done: true }),
	);
	return seen;
}

polls("without wait the present state is the answer", async () => {
	const { store, scans, wait } = setUp();
	store.commit(queuedRecord());
	const answer = await scans.status(owner, SCAN_ID, wait(0), undefined);
	assert.is(JSON.parse(answer.body).revision, 1);
	assert.equal(store.waits, []);
});

polls("a status waits for the next revision after its arrival and answers it", async () => {
	const { store, scans, wait } = setUp();
	store.commit(queuedRecord());
	const answer = watch(scans.status(owner, SCAN_ID, wait(30_000), undefined));
	await settle();
	assert.is(answer.done, false);
	store.commit(runningRecord());
	await settle();
	assert.is(answer.done, true);
	assert.is(answer.value?.etag, `W/"${SCAN_ID}-12"`);
	assert.is(store.waiting(), 0);
});

polls("with If-None-Match of an older revision it answers at once, of the present one it waits", async () => {
	const { store, scans, wait } = setUp();
	store.commit(runningRecord());
	const old = await scans.status(owner, SCAN_ID, wait(30_000), `W/"${SCAN_ID}-11"`);
	assert.is(JSON.parse(old.body).revision, 12);
	const same = watch(scans.status(owner, SCAN_ID, wait(30_000), `W/"${SCAN_ID}-12"`));
	await settle();
	assert.is(same.done, false);
	store.commit(runningRecord({ revision: 13 }));
	await settle();
	assert.is(same.value?.etag, `W/"${SCAN_ID}-13"`);
});

polls("a terminal scan answers at once", async () => {
	const { store, scans, wait } = setUp();
	store.commit(sampleRecord());
	const answer = await scans.status(owner, SCAN_ID, wait(30_000), `W/"${SCAN_ID}-20"`);
	assert.is(JSON.parse(answer.body).state, "complete");
	assert.equal(store.waits, []);
});

polls("at the limit the present state is the answer, and no single wait is longer than five seconds", async () => {
	const { store, scans, wait } = setUp();
	store.commit(runningRecord());
	const answer = watch(scans.status(owner, SCAN_ID, wait(12_000), undefined));
	for (let second = 0; second < 12; second += 1) {
		await settle();
		assert.is(answer.done, false, `${second}`);
		store.advance(1_000);
	}
	await settle();
	assert.is(answer.value?.etag, `W/"${SCAN_ID}-12"`);
	assert.equal(store.waits, [5_000, 5_000, 2_000]);
});

polls("a commit whose wake-up was lost is found at the next look", async () => {
	const { store, scans, wait } = setUp();
	store.commit(queuedRecord());
	const answer = watch(scans.status(owner, SCAN_ID, wait(30_000), undefined));
	await settle();
	store.commitSilently(runningRecord());
	await settle();
	assert.is(answer.done, false);
	store.advance(5_000);
	await settle();
	assert.is(answer.value?.etag, `W/"${SCAN_ID}-12"`);
});

polls("shutdown or a client that went away ends the wait with the present state", async () => {
	const { store, scans, abort, wait } = setUp();
	store.commit(runningRecord());
	const answer = watch(scans.results(owner, SCAN_ID, wait(30_000)));
	await settle();
	abort.abort();
	await settle();
	assert.is(answer.value?.complete, false);
	assert.is(store.waiting(), 0);
});

polls("results wait for the end, not for the next revision", async () => {
	const { store, scans, wait } = setUp();
	store.commit(queuedRecord());
	const answer = watch(scans.results(owner, SCAN_ID, wait(30_000)));
	await settle();
	store.commit(runningRecord());
	await settle();
	assert.is(answer.done, false);
	store.commit(sampleRecord());
	await settle();
	assert.is(answer.value?.complete, true);
	assert.is(answer.value?.etag, `"${SCAN_ID}-20"`);
	const ids = JSON.parse(String(answer.value?.body ?? "{}")).opportunities.map(
		(row: { opportunity_id: string }) => row.opportunity_id,
	);
	assert.equal(ids, ["row_0_2", "row_0_0", "row_0_1"]);
});

polls("results of a failed scan are an error with everything that was found", async () => {
	const { store, scans, wait } = setUp();
	const end = {
		at_ms: 1,
		error: null,
		is_timeout: false,
		reason: "user_request" as const,
		superseded_by: null,
		by: USER_ID,
	};
	const { context } = runningRecord();
	store.commit(
		sampleRecord({ context: { ...context, end, strategies: context.strategies.slice(0, 1) }, position: "cancelled" }),
	);
	const answer = watch(scans.results(owner, SCAN_ID, wait(0)));
	await settle();
	assert.instance(answer.error, ApiError);
	const { code, extra } = answer.error as ApiError;
	assert.is(code, "scan_cancelled");
	assert.is((extra.opportunities as unknown[]).length, 3);
	assert.is(extra.status, "failed");
});

polls("a scan cleared while it is waited for ends the wait", async () => {
	const { store, scans, wait } = setUp();
	store.commit(runningRecord());
	const answer = watch(scans.status(owner, SCAN_ID, wait(30_000), undefined));
	await settle();
	store.remove(SCAN_ID);
	store.expired.set(`${USER_ID}:${SCAN_ID}`, 5);
	store.advance(5_000);
	await settle();
	assert.is((answer.error as ApiError).code, "scan_expired");
});

polls("missing rows of a retained scan are a fault and never a shorter result", async () => {
	const { store, scans, wait } = setUp();
	store.rows.delete("row_0_1");
	store.commit(sampleRecord());
	const answer = watch(scans.results(owner, SCAN_ID, wait(0)));
	await settle();
	assert.match(String(answer.error), /1 of 3 rows are missing/);
});

polls("rows that went with an expiring scan make the answer expired", async () => {
	const { store, scans, wait } = setUp();
	store.commit(sampleRecord());
	store.rows.clear();
	store.expired.set(`${USER_ID}:${SCAN_ID}`, 5);
	let reads = 0;
	const read = store.reader.read;
	store.reader.read = async (scanId) => {
		reads += 1;
		return reads > 1 ? null : read(scanId);
	};
	const answer = watch(scans.results(owner, SCAN_ID, wait(0)));
	await settle(40);
	assert.is((answer.error as ApiError).code, "scan_expired");
});

polls.run();
