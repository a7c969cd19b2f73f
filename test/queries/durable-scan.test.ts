import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createScanRoutes } from "../../src/api/routes/scan-routes.ts";
import { debugReply, historyReply, lifecycleReply, scanMetricsReply } from "../../src/api/schemas/diagnostics.ts";
import { discoverReply, resultsFailedExtra, resultsReply } from "../../src/api/schemas/results.ts";
import { cancelReply, statusReply } from "../../src/api/schemas/scan.ts";
import { systemClock } from "../../src/clock.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { createQueries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { Viewer } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { conforms, isCompact, momentsHaveMilliseconds } from "../support/conform.ts";
import { probes } from "../support/probes.ts";
import { sampleAssets, sampleRow } from "../support/records.ts";
import { createRouteKernel } from "../support/route-kernel.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandDeps, commandsOn, foundReport, never, quickEffects, runtimeOn, viewer } from "../support/system.ts";

/** The read side over the real store, after real commits of the real runtime. */
const reads = suite("reading durable scans");

let redis: TestRedis;
let store: ScanStore;
let call: ReturnType<typeof createRouteKernel>;
let users = 500;

/** Effects whose rows have every member, as the boundary check leaves them. */
const fullEffects = (overrides: Partial<Effects> = {}): Effects =>
	quickEffects({
		discoverAssets: async () => ({ assets: sampleAssets(), attachments: {} }),
		async evaluateStrategy(effect) {
			const row = sampleRow(`${effect.strategy_id}-row`, { strategy_id: effect.strategy_id });
			return {
				report: foundReport(effect),
				attachments: { rows: new Map([[row.opportunity_id, row]]) },
			};
		},
		...overrides,
	});

reads.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	const queries = createQueries({
		...store,
		clock: systemClock,
		probes,
		earnedCredits: async () => null,
		stuckAfterMs: 120_000,
		replay,
		streamsMax: 10,
	});
	const noQueue = async () => undefined;
	call = createRouteKernel(
		createScanRoutes({
			queries,
			commands: commandsOn(store, noQueue),
			accounts: commandDeps(store, noQueue).accounts,
			parseFilters: () => ({ ok: true, filters: {}, filter_key: "all", unmatched: [] }),
			clock: store.clock,
		}),
	);
});
reads.after(async () => {
	await redis.close();
});

const next = (): Viewer => {
	users += 1;
	return { ...viewer(users), role: "trader" };
};

async function start(who: Viewer): Promise<string> {
	const { body } = await call({ method: "post", path: "/opportunities/discover", viewer: who });
	conforms(discoverReply, body);
	return String(body.scan_id);
}

const get = (who: Viewer, path: string, query: Record<string, string> = {}, headers: Record<string, string> = {}) =>
	call({ method: "get", path, viewer: who, query, headers });

reads("a start is found by the next read, and a waiting status sees every revision in order", async () => {
	const who = next();
	const scanId = await start(who);
	const first = await get(who, `/opportunities/status/${scanId}`);
	conforms(statusReply, first.body);
	assert.is(first.body.state, "queued");
	const run = runtimeOn(store, fullEffects()).run(scanId);
	let { body, etag } = first;
	while (body.status === "scanning") {
		const later = await get(who, `/opportunities/status/${scanId}`, { wait: "10" }, { "if-none-match": etag ?? "" });
		isCompact(later.text);
		conforms(statusReply, later.body);
		assert.is(Number(later.body.revision) > Number(body.revision), true);
		({ body, etag } = later);
	}
	assert.is(await run, "ended");
	assert.is(body.status, "complete");
	assert.is(body.total_opportunities, 3);
});

reads("results and diagnostics of a complete scan fit their schemas, and the hashes tell the same story", async () => {
	const who = next();
	const scanId = await start(who);
	await runtimeOn(store, fullEffects()).run(scanId);
	const results = await get(who, "/opportunities/results/latest");
	isCompact(results.text);
	momentsHaveMilliseconds(results.text);
	conforms(resultsReply, results.body);
	assert.is(results.body.total_opportunities, 3);
	const lifecycle = await get(who, `/scan-diagnostics/scan-lifecycle/${scanId}`);
	isCompact(lifecycle.text);
	conforms(lifecycleReply, lifecycle.body);
	assert.equal(Object.keys(lifecycle.body.phases ?? {}), [
		"started",
		"portfolio_fetch",
		"asset_discovery",
		"strategies_scan",
		"ranking",
		"completed",
	]);
	const { body: debug } = await get(who, `/scan-diagnostics/scan-debug/${scanId}`);
	conforms(debugReply, debug);
	assert.is(debug.total_steps, debug.expected_steps);
	const { body: history } = await get(who, `/scan-diagnostics/scan-history/${who.user_id}`);
	conforms(historyReply, history);
	assert.is(history.total_scans, 1);
	const admin: Viewer = { ...viewer(1), role: "admin" };
	const metrics = await get(admin, "/scan-diagnostics/scan-metrics", { user_id: who.user_id });
	conforms(scanMetricsReply, metrics.body);
});

reads("a cancelled scan answers 409 with what it had found, and a repeated cancel answers the same", async () => {
	const who = next();
	const scanId = await start(who);
	const stuck = fullEffects({
		evaluateStrategy: (effect, context) =>
			effect.strategy_id === "ai_spot_breakout_strategy"
				? never(context.signal)
				: fullEffects().evaluateStrategy(effect, context),
	});
	const run = runtimeOn(store, stuck).run(scanId);
	let found = 0;
	while (found < 2) {
		const { body, etag } = await get(who, `/opportunities/status/${scanId}`);
		found = Number((body.progress as unknown as { opportunities_found_so_far: number }).opportunities_found_so_far);
		if (found < 2) await get(who, `/opportunities/status/${scanId}`, { wait: "5" }, { "if-none-match": etag ?? "" });
	}
	const cancel = () => call({ method: "post", path: `/opportunities/scans/${scanId}/cancel`, viewer: who });
	const first = await cancel();
	conforms(cancelReply, first.body);
	assert.equal((await cancel()).body, first.body);
	assert.is((await run) !== "released", true);
	const results = await get(who, `/opportunities/results/${scanId}`);
	assert.is(results.status, 409);
	const { type: _t, title: _i, detail: _d, instance: _n, code: _c, request_id: _r, error: _e, ...extra } = results.body;
	conforms(resultsFailedExtra, extra);
	assert.is((extra.opportunities as unknown as unknown[]).length, 2);
	const lifecycle = await get(who, `/scan-diagnostics/scan-lifecycle/${scanId}`);
	assert.is(lifecycle.body.current_status, "cancelled");
});

reads("cleared scans are 410 for their owner, 404 as latest, and unknown to everyone else", async () => {
	const who = next();
	const scanId = await start(who);
	await runtimeOn(store, fullEffects()).run(scanId);
	const admin: Viewer = { ...viewer(1), role: "admin" };
	const cleared = await call({
		method: "delete",
		path: `/scan-diagnostics/clear-scan-cache/${who.user_id}`,
		viewer: admin,
	});
	assert.is(cleared.body.entries_deleted, 1);
	for (const kind of ["status", "results"]) {
		const gone = await get(who, `/opportunities/${kind}/${scanId}`);
		assert.equal([gone.status, gone.body.status, gone.body.scan_id], [410, "expired", scanId]);
		assert.is((await get(who, `/opportunities/${kind}/latest`)).status, 404);
		assert.is((await get(next(), `/opportunities/${kind}/${scanId}`)).status, 404);
	}
	const { body: history } = await get(who, `/scan-diagnostics/scan-history/${who.user_id}`);
	assert.is(history.total_scans, 0);
});

reads.run();
