import { suite } from "uvu";
import * as assert from "uvu/assert";
import { discoverReply, resultsFailedExtra, resultsPendingReply, resultsReply } from "../../src/api/schemas/results.ts";
import { cancelReply, statusReply } from "../../src/api/schemas/scan.ts";
import { conforms, isCompact } from "../support/conform.ts";
import { settle } from "../support/fake-reader.ts";
import { OTHER_SCAN_ID, queuedRecord, runningRecord, SCAN_ID, sampleRecord, USER_ID } from "../support/records.ts";
import { T0 } from "../support/scan-input.ts";
import { admin, createScanServer, owner, stranger, viewerRole } from "../support/scan-server.ts";

const routes = suite("scan routes");
const statusPath = (id: string) => `/opportunities/status/${id}`;
const resultsPath = (id: string) => `/opportunities/results/${id}`;
const discover = "/opportunities/discover";
const cancelledRecord = () => {
	const end = {
		at_ms: T0 + 900,
		error: null,
		is_timeout: false,
		reason: "user_request" as const,
		superseded_by: null,
		by: USER_ID,
	};
	const { context } = runningRecord();
	return sampleRecord({
		context: { ...context, end, strategies: context.strategies.slice(0, 1) },
		position: "cancelled",
	});
};

routes("a start answers every key, the poll address and no result keys", async () => {
	const { store, call, started } = createScanServer();
	store.commit(queuedRecord());
	const answer = await call({
		method: "post",
		path: discover,
		viewer: owner,
		body: { force_refresh: "true", limit: 5, symbols: "BTC" },
	});
	assert.is(answer.status, 200);
	isCompact(answer.text);
	conforms(discoverReply, answer.body);
	assert.is(answer.headers.Location, `/api/v1${statusPath(SCAN_ID)}`);
	assert.is(answer.body.status, "initiated");
	assert.is("opportunities" in answer.body, false);
	assert.is(answer.body.estimated_completion_seconds, 120);
	assert.is(started[0]?.force_refresh, true);
	assert.is(started[0]?.include_strategy_recommendations, true);
	assert.equal(started[0]?.filters, { symbols: ["BTC"] });
});

routes("booleans accept six spellings and refuse the rest with their path", async () => {
	const { store, call, started } = createScanServer();
	store.commit(queuedRecord());
	const spellings = [true, false, 1, 0, "true", "false"];
	for (const force_refresh of spellings)
		await call({ method: "post", path: discover, viewer: owner, body: { force_refresh } });
	assert.equal(
		started.map((request) => request.force_refresh),
		[true, false, true, false, true, false],
	);
	for (const force_refresh of ["yes", 2, [], {}]) {
		const answer = await call({ method: "post", path: discover, viewer: owner, body: { force_refresh } });
		assert.is(answer.status, 422);
		assert.is((answer.body.errors as unknown as { path: string }[])[0]?.path, "body.force_refresh");
	}
});

routes("filter errors and waits out of range are 422, a viewer is 403", async () => {
	const { store, call, started } = createScanServer();
	store.commit(queuedRecord());
	assert.is((await call({ method: "post", path: discover, viewer: owner, body: { symbols: 5 } })).status, 422);
	for (const wait of ["31", "-1", "soon"]) {
		const answer = await call({ method: "post", path: discover, viewer: owner, query: { wait } });
		assert.is(answer.status, 422);
		assert.is((answer.body.errors as unknown as { path: string }[])[0]?.path, "query.wait");
	}
	assert.is((await call({ method: "post", path: discover, viewer: viewerRole })).status, 403);
	assert.equal(started, []);
});

routes("joined, cached and superseding starts say so", async () => {
	const { store, call, next } = createScanServer();
	store.commit(runningRecord());
	const start = async (result: Partial<typeof next.start>) => {
		next.start = { decision: "created", scan_id: SCAN_ID, superseded_scan_id: null, age_seconds: null, ...result };
		const { body } = await call({ method: "post", path: discover, viewer: owner });
		conforms(discoverReply, body);
		return body;
	};
	const joined = await start({ decision: "joined" });
	assert.equal([joined.status, joined.joined, joined.from_cache], ["scanning", true, false]);
	const superseded = await start({ decision: "superseded", superseded_scan_id: OTHER_SCAN_ID });
	assert.equal([superseded.status, superseded.superseded_scan_id], ["initiated", OTHER_SCAN_ID]);
	store.commit(sampleRecord());
	const cached = await start({ decision: "cached", age_seconds: 12 });
	assert.equal(
		[cached.status, cached.from_cache, cached.age_seconds, cached.estimated_completion_seconds],
		["complete", true, 12, 0],
	);
	assert.is("opportunities" in cached, false);
});

routes("a waited start merges the results when the scan ends in time", async () => {
	const { store, call } = createScanServer();
	store.commit(queuedRecord());
	const pending = call({ method: "post", path: discover, viewer: owner, query: { wait: "30" } });
	await settle();
	store.commit(sampleRecord());
	const answer = await pending;
	isCompact(answer.text);
	conforms(discoverReply, answer.body);
	assert.is(answer.body.status, "complete");
	assert.is(answer.body.total_opportunities, 3);
	assert.is(answer.body.poll_url, `/api/v1${statusPath(SCAN_ID)}`);
	assert.is("error" in answer.body, false);
});

routes("a wait that runs out says scanning; one that ends badly says failed and keeps what was found", async () => {
	const { store, call } = createScanServer();
	store.commit(runningRecord());
	const ranOut = await call({ method: "post", path: discover, viewer: owner, query: { wait: "0" } });
	assert.is(ranOut.body.status, "scanning");
	assert.is("opportunities" in ranOut.body, false);
	store.commit(cancelledRecord());
	const failed = await call({ method: "post", path: discover, viewer: owner, query: { wait: "5" } });
	conforms(discoverReply, failed.body);
	assert.equal(
		[failed.status, failed.body.success, failed.body.status, failed.body.state],
		[200, false, "failed", "cancelled"],
	);
	assert.is(failed.body.total_opportunities, 3);
	assert.is("error" in failed.body, false);
});

routes("status answers with a weak tag; latest names the scan and where it is", async () => {
	const { store, call } = createScanServer();
	store.commit(runningRecord());
	const answer = await call({ method: "get", path: statusPath("latest"), viewer: owner });
	conforms(statusReply, answer.body);
	isCompact(answer.text);
	assert.is(answer.etag, `W/"${SCAN_ID}-12"`);
	assert.is(answer.headers["Content-Location"], `/api/v1${statusPath(SCAN_ID)}`);
	const direct = await call({ method: "get", path: statusPath(SCAN_ID), viewer: owner });
	assert.is("Content-Location" in direct.headers, false);
	assert.is(direct.text, answer.text);
});

routes("latest without a retained scan is 404, never 410", async () => {
	const { store, call } = createScanServer();
	store.commit(sampleRecord({ expires_at_ms: T0 }));
	for (const path of [statusPath("latest"), resultsPath("latest")]) {
		const answer = await call({ method: "get", path, viewer: owner });
		assert.equal([answer.status, answer.body.status, answer.body.success], [404, "not_found", false]);
	}
	assert.is((await call({ method: "get", path: statusPath(SCAN_ID), viewer: owner })).status, 410);
});

routes(
	"results: 202 with Retry-After while running, 200 with a strong tag when complete, 409 when ended badly",
	async () => {
		const { store, call } = createScanServer();
		store.commit(runningRecord());
		const running = await call({ method: "get", path: resultsPath(SCAN_ID), viewer: owner });
		assert.equal([running.status, running.headers["Retry-After"]], [202, "3"]);
		conforms(resultsPendingReply, running.body);
		store.commit(sampleRecord());
		const complete = await call({ method: "get", path: resultsPath("latest"), viewer: owner });
		assert.equal([complete.status, complete.etag], [200, `"${SCAN_ID}-20"`]);
		assert.is(complete.headers["Content-Location"], `/api/v1${resultsPath(SCAN_ID)}`);
		conforms(resultsReply, complete.body);
		store.commit(cancelledRecord());
		const cancelled = await call({ method: "get", path: resultsPath(SCAN_ID), viewer: owner });
		assert.equal([cancelled.status, cancelled.body.status, cancelled.body.http_status], [409, "failed", 409]);
		const { type: _t, title: _i, detail: _d, instance: _n, code, request_id: _r, error: _e, ...extra } = cancelled.body;
		assert.is(code, "scan_cancelled");
		conforms(resultsFailedExtra, extra);
	},
);

routes("a stranger's answers equal those of an unknown id on every route (I10, F25)", async () => {
	const { store, call } = createScanServer();
	store.commit(sampleRecord());
	const paths = [
		statusPath,
		resultsPath,
		(id: string) => `/scan-diagnostics/scan-lifecycle/${id}`,
		(id: string) => `/scan-diagnostics/scan-debug/${id}`,
	];
	for (const path of paths) {
		const [real, unknown, malformed] = await Promise.all(
			[SCAN_ID, OTHER_SCAN_ID, "x"].map((id) => call({ method: "get", path: path(id), viewer: stranger })),
		);
		const bare = (answer: typeof real, id: string) => answer?.text.replaceAll(path(id), "");
		assert.is(real?.status, 404);
		assert.is(bare(real, SCAN_ID), bare(unknown, OTHER_SCAN_ID));
		assert.is(bare(real, SCAN_ID), bare(malformed, "x"));
	}
	const cancel = (id: string) => call({ method: "post", path: `/opportunities/scans/${id}/cancel`, viewer: stranger });
	assert.is(
		(await cancel(SCAN_ID)).text.replaceAll(SCAN_ID, ""),
		(await cancel(OTHER_SCAN_ID)).text.replaceAll(OTHER_SCAN_ID, ""),
	);
	assert.is(
		(await call({ method: "get", path: statusPath(SCAN_ID), viewer: admin })).status,
		404,
		"an admin reads own status only",
	);
});

routes("the reason of a cancel is handed on as it was meant, and one that is no line of text is refused", async () => {
	const { call, store, calls, next } = createScanServer();
	store.commit(runningRecord());
	next.cancel = () => store.commit(cancelledRecord());
	const cancel = (body: unknown) =>
		call({ method: "post", path: `/opportunities/scans/${SCAN_ID}/cancel`, viewer: owner, body });
	for (const reason_text of ["x".repeat(501), "a\u0000b", "\u001b[31mred", 5, ["no"]]) {
		const refused = await cancel({ reason_text });
		const [fault] = refused.body.errors as unknown as { path: string }[];
		assert.equal([refused.status, fault?.path], [422, "body.reason_text"], String(reason_text));
	}
	assert.equal(calls, []);
	for (const reason_text of ["  Markets are closed  ", "two\nlines", "", "   ", null, undefined])
		await cancel({ reason_text });
	const said = ["Markets are closed", "two\nlines", null, null, null, null];
	assert.equal(
		calls,
		said.map((text) => `cancel ${SCAN_ID}${text === null ? "" : `: ${text}`}`),
	);
});

routes("cancel answers the ended scan; a complete one is 409; an admin may cancel anyone's", async () => {
	const { store, call, calls, next } = createScanServer();
	const path = `/opportunities/scans/${SCAN_ID}/cancel`;
	store.commit(runningRecord());
	next.cancel = () => store.commit(cancelledRecord());
	const answer = await call({ method: "post", path, viewer: owner, body: { reason_text: "enough" } });
	conforms(cancelReply, answer.body);
	assert.is((await call({ method: "post", path, viewer: admin })).body.reason, "admin_request");
	assert.is((await call({ method: "post", path, viewer: viewerRole })).status, 403);
	store.commit(sampleRecord());
	const late = await call({ method: "post", path, viewer: owner });
	assert.equal([late.status, late.body.code], [409, "scan_already_terminal"]);
	assert.is(calls.length, 2);
});

routes.run();
