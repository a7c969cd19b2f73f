import type { ScanFilters } from "../../machines/types.ts";
import { createScanRoutes } from "../../src/api/routes/scan-routes.ts";
import { createQueries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { Account, ScanCommands, StartRequest, StartResult } from "../../src/services.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { createFakeStore } from "./fake-reader.ts";
import { probes } from "./probes.ts";
import { SCAN_ID, STRANGER_ID, sampleRanking, sampleRow, USER_ID } from "./records.ts";
import { createRouteKernel } from "./route-kernel.ts";

export const owner: Viewer = { user_id: USER_ID, role: "trader" };
export const stranger: Viewer = { user_id: STRANGER_ID, role: "trader" };
export const admin: Viewer = { user_id: "33333333-3333-4333-8333-333333333333", role: "admin" };
export const viewerRole: Viewer = { user_id: USER_ID, role: "viewer" };

const account = (user_id: string, role: Account["role"]): Account => ({
	user_id,
	email: `${role}@example.com`,
	full_name: null,
	role,
	status: "active",
	strategy_ids: ["ai_spot_momentum_strategy"],
	created_at: "2026-01-01T00:00:00.000Z",
	last_login: null,
	premium_welcome: false,
	onboarded_at: "2026-01-02T00:00:00.000Z",
});

/** The scan routes over a fake store; commands answer what a test puts into `next`. */
export function createScanServer() {
	const store = createFakeStore();
	for (const n of [0, 1, 2]) store.rows.set(`row_0_${n}`, JSON.stringify(sampleRow(`row_0_${n}`)));
	store.documents.set(`${SCAN_ID}:ranking`, sampleRanking(["row_0_0", "row_0_1", "row_0_2"]));
	const started: StartRequest[] = [];
	const calls: string[] = [];
	const next: { start: StartResult; cancel: () => void } = {
		start: { decision: "created", scan_id: SCAN_ID, superseded_scan_id: null, age_seconds: null },
		cancel: () => undefined,
	};
	const commands: ScanCommands = {
		async startScan(_, request) {
			started.push(request);
			return next.start;
		},
		async redriveScan(_, scanId, words) {
			calls.push(`redrive ${scanId} ${words?.join(",") ?? ""}`);
			return next.start;
		},
		async cancelScan(viewer, scanId, reasonText) {
			calls.push(`cancel ${scanId}${reasonText ? `: ${reasonText}` : ""}`);
			next.cancel();
			return {
				scan_id: scanId,
				reason: viewer.role === "admin" ? "admin_request" : "user_request",
				cancelled_at_ms: store.reader.now(),
			};
		},
		async clearScans(userId) {
			calls.push(`clear ${userId}`);
			return 2;
		},
	};
	const accounts = new Map([owner, stranger, admin].map(({ user_id, role }) => [user_id, account(user_id, role)]));
	const call = createRouteKernel(
		createScanRoutes({
			queries: createQueries({
				...store,
				probes,
				earnedCredits: async () => 25,
				stuckAfterMs: 120_000,
				replay,
				streamsMax: 10,
			}),
			commands,
			accounts: { byId: async (userId) => accounts.get(userId) ?? null },
			parseFilters(body) {
				if (body.symbols === 5)
					return { ok: false, errors: [{ path: "body.symbols", message: "must be a list or a string" }] };
				const filters: ScanFilters = typeof body.symbols === "string" ? { symbols: [body.symbols] } : {};
				return { ok: true, filters, filter_key: JSON.stringify(filters), unmatched: [] };
			},
			clock: store.clock,
		}),
	);
	return { store, call, started, calls, next, accounts };
}
