import { suite } from "uvu";
import * as assert from "uvu/assert";
import { absentError, absentWordError } from "../../src/queries/absent.ts";
import { createTextCache } from "../../src/queries/cache.ts";
import { matchesTag, strongTag, weakTag } from "../../src/queries/etags.ts";
import { createLookup } from "../../src/queries/lookup.ts";
import { createSamples } from "../../src/queries/samples.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { createFakeStore } from "../support/fake-reader.ts";
import {
	OTHER_SCAN_ID,
	runningRecord,
	SCAN_ID,
	STRANGER_ID,
	sampleContext,
	sampleRecord,
	USER_ID,
} from "../support/records.ts";
import { scanInput, T0 } from "../support/scan-input.ts";

const lookups = suite("lookup");
const owner: Viewer = { user_id: USER_ID, role: "trader" };
const stranger: Viewer = { user_id: STRANGER_ID, role: "trader" };
const admin: Viewer = { user_id: STRANGER_ID, role: "admin" };

lookups("the owner finds the scan; everyone else meets what an unknown id gives (I10)", async () => {
	const store = createFakeStore();
	store.commit(sampleRecord());
	const lookup = createLookup(store.reader);
	assert.is((await lookup.byId(owner, SCAN_ID)).kind, "found");
	assert.equal(await lookup.byId(stranger, SCAN_ID), await lookup.byId(stranger, OTHER_SCAN_ID));
	assert.equal(await lookup.byId(stranger, "not-an-id"), { kind: "unknown" });
	assert.equal(await lookup.byId(admin, SCAN_ID), { kind: "unknown" });
	assert.is((await lookup.byId(admin, SCAN_ID, true)).kind, "found");
	assert.equal(await lookup.byId(stranger, SCAN_ID, true), { kind: "unknown" });
});

lookups("an expired id is expired for its owner and unknown for everyone else", async () => {
	const store = createFakeStore();
	store.expired.set(`${USER_ID}:${SCAN_ID}`, T0);
	const lookup = createLookup(store.reader);
	assert.equal(await lookup.byId(owner, SCAN_ID), { kind: "expired", scan_id: SCAN_ID, expired_at_ms: T0 });
	assert.equal(await lookup.byId(stranger, SCAN_ID), { kind: "unknown" });
});

lookups("a record past its retention is expired even while it is still stored, and never in the future", async () => {
	const store = createFakeStore();
	store.commit(sampleRecord({ expires_at_ms: T0 + 1_000 }));
	const lookup = createLookup(store.reader);
	assert.equal(await lookup.byId(owner, SCAN_ID), { kind: "expired", scan_id: SCAN_ID, expired_at_ms: T0 + 1_000 });
	assert.is(await lookup.latest(USER_ID), null);
	store.remove(SCAN_ID);
	store.expired.set(`${USER_ID}:${SCAN_ID}`, T0 + 604_800_000);
	const cleared = await lookup.byId(owner, SCAN_ID);
	assert.is(cleared.kind === "expired" && cleared.expired_at_ms, store.reader.now());
});

lookups("latest is the most recently started retained scan, running or not", async () => {
	const store = createFakeStore();
	const later = scanInput({ scan_id: OTHER_SCAN_ID, user_id: USER_ID, accepted_at_ms: T0 + 500 });
	store.commit(sampleRecord());
	store.commit(runningRecord({ context: { ...runningRecord().context, input: later }, scan_id: OTHER_SCAN_ID }));
	const lookup = createLookup(store.reader);
	assert.is((await lookup.latest(USER_ID))?.scan_id, OTHER_SCAN_ID);
	assert.is(await lookup.latest(STRANGER_ID), null);
});

lookups("404 and 410 of status and results carry the scan word, others do not", () => {
	const unknown = absentWordError({ kind: "unknown" });
	assert.equal(unknown.extra, { success: false, message: "Scan not found", status: "not_found", http_status: 404 });
	assert.is(unknown.http_status, 404);
	const gone = absentWordError({ kind: "expired", scan_id: SCAN_ID, expired_at_ms: T0 });
	assert.equal(gone.extra, {
		scan_id: SCAN_ID,
		expired_at: "2026-03-19T19:00:00.000Z",
		success: false,
		message: "The scan has expired",
		status: "expired",
		http_status: 410,
	});
	assert.equal(absentError({ kind: "unknown" }).extra, {});
});

lookups("tags compare weakly, in lists and against the star", () => {
	const record = sampleRecord();
	assert.is(weakTag(record), `W/"${SCAN_ID}-20"`);
	assert.is(strongTag(record), `"${SCAN_ID}-20"`);
	assert.is(matchesTag(weakTag(record), record), true);
	assert.is(matchesTag(`"x", ${strongTag(record)}`, record), true);
	assert.is(matchesTag("*", record), true);
	assert.is(matchesTag(`W/"${SCAN_ID}-19"`, record), false);
	assert.is(matchesTag(undefined, record), false);
});

lookups("the text cache keeps its bounds and drops the oldest unused text", () => {
	const cache = createTextCache(2, 10);
	cache.set("a", ["aaaa"]);
	cache.set("b", ["bbbb"]);
	cache.get("a");
	cache.set("c", ["cccc"]);
	assert.is(cache.get("b"), undefined);
	assert.equal(cache.get("a"), ["aaaa"]);
	cache.set("big", ["x".repeat(11)]);
	assert.is(cache.get("big"), undefined);
	cache.set("a", ["a".repeat(10)]);
	assert.is(cache.get("c"), undefined);
});

lookups("recent durations are read once per five seconds, and a failed read is not remembered", async () => {
	let reads = 0;
	let nowMs = 0;
	let broken = true;
	const samples = createSamples(
		{
			recentDurations: async () => {
				reads += 1;
				if (broken) throw new Error("store down");
				return [];
			},
		},
		{ now: () => nowMs },
	);
	assert.is(await samples().catch(() => "failed"), "failed");
	broken = false;
	await samples();
	await samples();
	assert.is(reads, 2);
	nowMs = 5_000;
	await samples();
	assert.is(reads, 3);
});

lookups("a context says nothing of who may read it: only the record's owner counts", async () => {
	const store = createFakeStore();
	store.commit(
		sampleRecord({
			context: sampleContext({ input: scanInput({ scan_id: SCAN_ID, user_id: STRANGER_ID }) }),
			user_id: USER_ID,
		}),
	);
	assert.is((await createLookup(store.reader).byId(stranger, SCAN_ID)).kind, "unknown");
});

lookups.run();
