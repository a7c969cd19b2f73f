import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
	clearReply,
	debugReply,
	historyReply,
	lifecycleReply,
	metricsReply,
	scanMetricsReply,
	stuckScansReply,
	systemReply,
	testDiscoveryReply,
	userStatusReply,
} from "../../src/api/schemas/diagnostics.ts";
import { conforms } from "../support/conform.ts";
import { OTHER_SCAN_ID, runningRecord, SCAN_ID, STRANGER_ID, sampleRecord, USER_ID } from "../support/records.ts";
import { T0 } from "../support/scan-input.ts";
import { admin, createScanServer, owner, stranger, viewerRole } from "../support/scan-server.ts";

const routes = suite("diagnostic routes");

routes("diagnostics of a scan: its owner and admins", async () => {
	const { store, call } = createScanServer();
	store.commit(sampleRecord());
	for (const viewer of [owner, admin, viewerRole]) {
		const lifecycle = await call({ method: "get", path: `/scan-diagnostics/scan-lifecycle/${SCAN_ID}`, viewer });
		conforms(lifecycleReply, lifecycle.body);
		const debug = await call({ method: "get", path: `/scan-diagnostics/scan-debug/${SCAN_ID}`, viewer });
		conforms(debugReply, debug.body);
	}
});

routes("history: own or any for an admin, 403 for others whether or not the user exists", async () => {
	const { store, call } = createScanServer();
	store.commit(sampleRecord());
	store.commit(
		runningRecord({
			scan_id: OTHER_SCAN_ID,
			context: { ...runningRecord().context, input: { ...runningRecord().context.input, accepted_at_ms: T0 + 1 } },
		}),
	);
	const path = (id: string) => `/scan-diagnostics/scan-history/${id}`;
	const own = await call({ method: "get", path: path(USER_ID), viewer: owner, query: { limit: "1" } });
	conforms(historyReply, own.body);
	assert.equal([own.body.total_scans, (own.body.scans as unknown as unknown[]).length], [2, 1]);
	assert.is((await call({ method: "get", path: path(USER_ID), viewer: admin })).status, 200);
	for (const id of [USER_ID, "nobody"])
		assert.is((await call({ method: "get", path: path(id), viewer: stranger })).status, 403);
	assert.is((await call({ method: "get", path: path("nobody"), viewer: admin })).body.code, "user_not_found");
	for (const limit of ["0", "51", "2.5", "x"]) {
		assert.is((await call({ method: "get", path: path(USER_ID), viewer: owner, query: { limit } })).status, 422);
	}
});

routes("figures and clearing are for admins", async () => {
	const { store, call, calls } = createScanServer();
	store.durations.push({ duration_ms: 900, strategies: 14, completed: true });
	store.commit(sampleRecord());
	store.commit(runningRecord({ scan_id: OTHER_SCAN_ID, heartbeat_at_ms: T0 - 500_000 }));
	store.active.push(OTHER_SCAN_ID, SCAN_ID);
	const admins = [
		["get", "/opportunities/metrics", metricsReply],
		["get", "/scan-diagnostics/scan-metrics", scanMetricsReply],
		["get", "/scan-diagnostics/stuck-scans", stuckScansReply],
		["get", "/scan-diagnostics/system", systemReply],
		["post", "/opportunities/test-discovery", testDiscoveryReply],
		["delete", `/scan-diagnostics/clear-scan-cache/${USER_ID}`, clearReply],
	] as const;
	for (const [method, path, schema] of admins) {
		const answer = await call({ method, path, viewer: admin });
		assert.is(answer.status, 200, path);
		conforms(schema, answer.body);
		assert.is((await call({ method, path, viewer: owner })).status, 403, path);
	}
	assert.equal(calls, [`clear ${USER_ID}`]);
	const stuck = await call({ method: "get", path: "/scan-diagnostics/stuck-scans", viewer: admin });
	assert.equal(
		(stuck.body.scans as unknown as { scan_id: string }[]).map((scan) => scan.scan_id),
		[OTHER_SCAN_ID],
	);
});

routes("scan-metrics of one user are that user's ended scans; daily figures can be left out", async () => {
	const { store, call } = createScanServer();
	store.commit(sampleRecord());
	const path = "/scan-diagnostics/scan-metrics";
	const of = async (query: Record<string, string>) => (await call({ method: "get", path, viewer: admin, query })).body;
	const mine = await of({ user_id: USER_ID, include_daily_stats: "false" });
	conforms(scanMetricsReply, mine);
	assert.is((mine.latest_scan as unknown as { opportunities_discovered: number }).opportunities_discovered, 3);
	assert.is(mine.daily_stats, null);
	assert.is((await of({ user_id: STRANGER_ID })).latest_scan, null);
	assert.is((await call({ method: "get", path, viewer: admin, query: { include_daily_stats: "maybe" } })).status, 422);
});

routes("user-status answers one shape, also without any scan", async () => {
	const { store, call } = createScanServer();
	const before = await call({ method: "get", path: "/opportunities/user-status", viewer: owner });
	conforms(userStatusReply, before.body);
	assert.is(before.body.last_scan_info, null);
	store.commit(runningRecord());
	const after = await call({ method: "get", path: "/opportunities/user-status", viewer: owner });
	conforms(userStatusReply, after.body);
	assert.is((after.body.last_scan_info as unknown as { status: string }).status, "scanning");
});

routes.run();
