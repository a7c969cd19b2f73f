import { suite } from "uvu";
import * as assert from "uvu/assert";
import { settle } from "../support/fake-reader.ts";
import {
	queuedRecord,
	runningRecord,
	SCAN_ID,
	sampleContext,
	sampleEntry,
	sampleRanking,
	sampleRecord,
	sampleRow,
} from "../support/records.ts";
import { createScanServer, owner } from "../support/scan-server.ts";

/** What clients of the original server rely on, checked on the text they would see. */
const legacy = suite("existing clients");

const FORBIDDEN = [
	"User has no active strategies",
	"Opportunity discovery failed",
	"final_response",
	"float() argument",
	"reference_id",
	'"strategy_performance":{}',
	'"total_assets_scanned":0',
];
const RUNNING_WORDS = [
	"scanning",
	"running",
	"in_progress",
	"processing",
	"queued",
	"pending",
	"initiated",
	"initializing",
];
const RISK_WORDS = ["low", "medium", "high", "very_high"];

/** A complete scan of twelve rows behind the routes. */
function twelveRows() {
	const server = createScanServer();
	const entry = sampleEntry(0, "ai_spot_momentum_strategy", {}, 10);
	const more = sampleEntry(8, "ai_futures_trade", {}, 2);
	const ids = [...entry.tally.row_ids, ...more.tally.row_ids];
	for (const id of ids)
		server.store.rows.set(
			id,
			JSON.stringify(sampleRow(id, { strategy_id: id.startsWith("row_8") ? "ai_futures_trade" : entry.strategy_id })),
		);
	server.store.documents.set(`${SCAN_ID}:ranking`, sampleRanking(ids));
	const ranking = {
		ranked_count: 12,
		unproven_count: 0,
		cut: {},
		recommendations_count: 0,
		recommendations: "completed" as const,
		duration_ms: 1,
	};
	const record = sampleRecord({
		context: sampleContext({ strategies: [entry, more], opportunities_found: 12, ranking }),
	});
	return { ...server, record };
}

const get = (server: ReturnType<typeof createScanServer>, kind: "status" | "results", id = SCAN_ID) =>
	server.call({ method: "get", path: `/opportunities/${kind}/${id}`, viewer: owner });

legacy("compact texts that scripts search for", async () => {
	const server = twelveRows();
	server.store.commit(server.record);
	const results = await get(server, "results");
	for (const text of ['"success":true', '"status":"complete"', '"total_opportunities":12', `"scan_id":"${SCAN_ID}"`]) {
		assert.is(results.text.includes(text), true, text);
	}
	assert.is(results.text.split('"total_opportunities":').length, 2, "one total in the whole body");
	const status = await get(server, "status");
	for (const text of ['"status":"complete"', '"percentage":100', '"total_opportunities":12'])
		assert.is(status.text.includes(text), true, text);
});

legacy("texts that scripts take for a failure never occur in a healthy answer", async () => {
	const server = twelveRows();
	server.store.commit(server.record);
	const waited = await server.call({
		method: "post",
		path: "/opportunities/discover",
		viewer: owner,
		query: { wait: "30" },
		body: { force_refresh: true },
	});
	for (const { text } of [await get(server, "results"), await get(server, "status"), waited]) {
		for (const forbidden of FORBIDDEN) assert.is(text.includes(forbidden), false, forbidden);
	}
});

legacy("scripts of the synchronous age find results in a waited start", async () => {
	const server = twelveRows();
	server.store.commit(queuedRecord());
	const pending = server.call({
		method: "post",
		path: "/opportunities/discover",
		viewer: owner,
		query: { wait: "30" },
		body: { limit: 5, scan_type: "full", risk_tolerance: "high" },
	});
	await settle();
	server.store.commit(server.record);
	const { body } = await pending;
	for (const key of [
		"total_opportunities",
		"opportunities",
		"asset_discovery",
		"user_profile",
		"strategy_performance",
		"signal_analysis",
		"threshold_transparency",
		"execution_time_ms",
	]) {
		assert.is(key in body, true, key);
	}
});

legacy("polling scripts: four numbers of progress, known words, and a status that stays complete", async () => {
	const server = twelveRows();
	for (const record of [queuedRecord(), runningRecord(), server.record, server.record]) {
		server.store.commit(record);
		const { status, body } = await get(server, "status");
		assert.is(status, 200);
		assert.is(["scanning", "complete", "failed"].includes(String(body.status)), true);
		const progress = body.progress as unknown as Record<string, unknown>;
		for (const key of ["strategies_completed", "total_strategies", "opportunities_found_so_far", "percentage"])
			assert.type(progress[key], "number");
	}
	assert.is((await get(server, "results")).status, 200);
});

legacy("what scripts format as numbers is a number, and each row has what they print", async () => {
	const server = twelveRows();
	server.store.commit(server.record);
	const { body } = await get(server, "results");
	assert.type(body.execution_time_ms, "number");
	assert.type((body.metadata as unknown as Record<string, unknown>).scan_duration_seconds, "number");
	for (const row of body.opportunities as unknown as Record<string, unknown>[]) {
		assert.type(row.profit_potential_usd, "number");
		assert.type(row.confidence_score, "number");
		for (const key of ["strategy_id", "strategy_name", "symbol", "opportunity_type"])
			assert.is(String(row[key]).length > 0, true, key);
	}
});

legacy("the page never meets null where it does not expect one", async () => {
	const server = twelveRows();
	server.store.commit(server.record);
	const { body } = await get(server, "results", "latest");
	assert.is(body.scan_id, SCAN_ID, "the page adopts the id from latest");
	assert.type(body.last_updated, "string");
	for (const row of body.opportunities as unknown as Record<string, string>[]) {
		assert.is(RISK_WORDS.includes(row.risk_level ?? ""), true);
		assert.type(row.estimated_timeframe, "string");
		assert.is(Object.values(row.metadata ?? {}).includes(null as never), false);
	}
	const status = await get(server, "status");
	assert.type(status.body.message, "string");
	assert.is(Array.isArray(status.body.partial_results), true);
});

legacy("an error key in a 200 of results would be taken for a failure", async () => {
	const server = twelveRows();
	server.store.commit(server.record);
	assert.is("error" in (await get(server, "results")).body, false);
});

legacy("the page forgets an id on 404 of results/latest, and reads detail and error as strings", async () => {
	const server = createScanServer();
	for (const kind of ["status", "results"] as const) {
		const { status, body } = await get(server, kind, "latest");
		assert.is(status, 404);
		assert.is(body.status, "not_found");
		assert.type(body.detail, "string");
		assert.type(body.error, "string");
		assert.type(body.message, "string");
	}
});

legacy("the dialog: how often to poll, how long to wait, and running words it knows", async () => {
	const server = createScanServer();
	server.store.commit(queuedRecord());
	const { body } = await server.call({ method: "post", path: "/opportunities/discover", viewer: owner });
	assert.is(body.success, true);
	assert.is(body.polling_interval_seconds, 3);
	const patience = Math.max(120, 1.5 * Number(body.estimated_completion_seconds));
	assert.is(patience >= 150, true, "one and a half times the estimate covers the scan's budget");
	assert.is(RUNNING_WORDS.includes(String(body.status)), true);
	for (const key of ["message", "poll_url", "results_url"]) assert.type(body[key], "string");
	server.store.commit(runningRecord());
	assert.is((await get(server, "results")).status, 202, "early results are not yet there");
});

legacy("a cancelled scan is failed for clients that know three words, and its results are no 2xx", async () => {
	const server = createScanServer();
	const { context } = runningRecord();
	const end = {
		at_ms: context.now_ms,
		error: null,
		is_timeout: false,
		reason: "superseded" as const,
		superseded_by: SCAN_ID,
		by: "u",
	};
	server.store.commit(
		sampleRecord({ context: { ...context, end, strategies: context.strategies.slice(0, 1) }, position: "cancelled" }),
	);
	const status = await get(server, "status");
	assert.equal([status.status, status.body.status, status.body.state], [200, "failed", "cancelled"]);
	assert.is((await get(server, "results")).status, 409);
});

legacy.run();
