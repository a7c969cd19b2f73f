import type { Users } from "../../src/accounts/users.ts";
import type { RouteSpec } from "../../src/api/route.ts";
import { createAccountDataRoutes } from "../../src/api/routes/account-data.ts";
import { createAlertRoutes } from "../../src/api/routes/alerts.ts";
import { createScanRoutes } from "../../src/api/routes/scan-routes.ts";
import { parseFilters } from "../../src/filters.ts";
import { createCandleQueries } from "../../src/queries/candles.ts";
import { createQueries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { AccountReader, ScanCommands, UserRemoval } from "../../src/services.ts";
import { accountRoutesOn } from "./account-routes.ts";
import { noAlerts } from "./alerts.ts";
import { createFakeMarket } from "./fake-market.ts";
import { createFakeStore } from "./fake-reader.ts";
import { probes } from "./probes.ts";
import { SCAN_ID, sampleRanking, sampleRecord, sampleRow } from "./records.ts";

/** The scan routes over a fake store, for tests of the whole table: whoever starts a scan owns a complete one. */
export function scanRoutesOnFake(users: () => Users): RouteSpec[] {
	const accounts: AccountReader = { byId: (userId) => users().accounts.byId(userId) };
	const store = createFakeStore();
	const ids = ["row_0_0", "row_0_1", "row_0_2"];
	for (const id of ids) store.rows.set(id, JSON.stringify(sampleRow(id)));
	store.documents.set(`${SCAN_ID}:ranking`, sampleRanking(ids));
	const commands: ScanCommands = {
		async startScan(viewer) {
			store.commit(sampleRecord({ user_id: viewer.user_id }));
			return { decision: "cached", scan_id: SCAN_ID, superseded_scan_id: null, age_seconds: 5 };
		},
		redriveScan: async (viewer) => commands.startScan(viewer, {} as never),
		cancelScan: async (_, scan_id) => ({ scan_id, reason: "user_request", cancelled_at_ms: store.reader.now() }),
		clearScans: async () => 0,
	};
	const queries = createQueries({
		...store,
		probes,
		earnedCredits: async () => 25,
		stuckAfterMs: 120_000,
		replay,
		streamsMax: 10,
	});
	const market = createFakeMarket({ nowMs: store.reader.now() });
	const candles = createCandleQueries(queries.lookup, market);
	const removal: UserRemoval = {
		remove: async (userId) => (await accounts.byId(userId)) !== null,
		settle: async () => 0,
	};
	const alerts = noAlerts();
	return [
		...accountRoutesOn(users),
		...createAlertRoutes({ ...alerts, parseFilters }),
		...createScanRoutes({ queries, commands, accounts, parseFilters, clock: store.clock, candles }),
		...createAccountDataRoutes({
			get users() {
				return users();
			},
			removal,
			queries,
			clock: store.clock,
			alerts,
		}),
	];
}
