import type { Clock } from "../../clock.ts";
import { isoOf } from "../../clock.ts";
import { ApiError } from "../../errors.ts";
import type { Queries } from "../../queries.ts";
import type { AccountReader, ScanCommands } from "../../services.ts";
import { plural } from "../../views/words.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	clearReply,
	debugReply,
	historyQuery,
	historyReply,
	lifecycleReply,
	scanMetricsQuery,
	scanMetricsReply,
	stuckScansReply,
	systemReply,
	userParams,
} from "../schemas/diagnostics.ts";
import { scanParams } from "../schemas/scan.ts";

export interface DiagnosticsRouteDependencies {
	queries: Queries;
	commands: ScanCommands;
	accounts: AccountReader;
	clock: Pick<Clock, "now">;
}

const ADMIN = ["admin"] as const;

const ofOneScan = ({ queries }: DiagnosticsRouteDependencies): RouteSpec[] => [
	route({
		method: "get",
		path: "/scan-diagnostics/scan-lifecycle/{scan_id}",
		operation_id: "scan_lifecycle",
		summary: "The phases of a scan and whether it is stuck",
		tag: "diagnostics",
		rate: "other",
		params: scanParams,
		responses: { 200: { description: "Phases with their times", schema: lifecycleReply } },
		problems: ["scan_not_found", "scan_expired"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: await queries.diagnostics.lifecycle(viewer, params.scan_id),
		}),
	}),
	route({
		method: "get",
		path: "/scan-diagnostics/scan-debug/{scan_id}",
		operation_id: "scan_debug",
		summary: "The steps of a scan, one for each strategy",
		tag: "diagnostics",
		rate: "other",
		params: scanParams,
		responses: { 200: { description: "Steps by number", schema: debugReply } },
		problems: ["scan_not_found", "scan_expired"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: await queries.diagnostics.debug(viewer, params.scan_id),
		}),
	}),
];

const ofOneUser = ({ queries, commands, accounts, clock }: DiagnosticsRouteDependencies): RouteSpec[] => [
	route({
		method: "get",
		path: "/scan-diagnostics/scan-history/{user_id}",
		operation_id: "scan_history",
		summary: "A user's retained scans, newest first",
		tag: "diagnostics",
		rate: "other",
		params: userParams,
		query: historyQuery,
		responses: { 200: { description: "Scans of every status", schema: historyReply } },
		problems: ["user_not_found", "validation_failed"],
		async handler({ viewer, params, query }) {
			const own = params.user_id === viewer.user_id;
			if (!own && viewer.role !== "admin") throw new ApiError("insufficient_permissions");
			if (!own && !(await accounts.byId(params.user_id))) throw new ApiError("user_not_found");
			return { status: 200, body: await queries.diagnostics.history(params.user_id, query.limit) };
		},
	}),
	route({
		method: "delete",
		path: "/scan-diagnostics/clear-scan-cache/{user_id}",
		operation_id: "clear_scan_cache",
		summary: "Remove a user's ended scans; their ids answer 410 afterwards",
		tag: "diagnostics",
		roles: ADMIN,
		rate: "other",
		params: userParams,
		responses: { 200: { description: "How many scans were removed", schema: clearReply } },
		problems: ["user_not_found"],
		async handler({ params }) {
			if (!(await accounts.byId(params.user_id))) throw new ApiError("user_not_found");
			const deleted = await commands.clearScans(params.user_id);
			const message = `${plural(deleted, "ended scan was", "ended scans were")} removed; running scans are untouched.`;
			const body = {
				success: true,
				user_id: params.user_id,
				entries_deleted: deleted,
				message,
				timestamp: isoOf(clock.now()),
			};
			return { status: 200, body };
		},
	}),
];

const ofTheSystem = ({ queries }: DiagnosticsRouteDependencies): RouteSpec[] => [
	route({
		method: "get",
		path: "/scan-diagnostics/scan-metrics",
		operation_id: "scan_metrics",
		summary: "The newest scans and the figures of the day",
		tag: "diagnostics",
		roles: ADMIN,
		rate: "other",
		query: scanMetricsQuery,
		responses: { 200: { description: "Figures over all users, or the scans of one", schema: scanMetricsReply } },
		problems: ["validation_failed"],
		handler: async ({ query }) => ({
			status: 200,
			body: await queries.diagnostics.scanMetrics(query.user_id, query.include_daily_stats),
		}),
	}),
	route({
		method: "get",
		path: "/scan-diagnostics/stuck-scans",
		operation_id: "stuck_scans",
		summary: "Scans that are stuck, longest first",
		tag: "diagnostics",
		roles: ADMIN,
		rate: "other",
		responses: { 200: { description: "Stuck scans of all users", schema: stuckScansReply } },
		handler: async () => ({ status: 200, body: await queries.diagnostics.stuckScans() }),
	}),
	route({
		method: "get",
		path: "/scan-diagnostics/system",
		operation_id: "system_diagnostics",
		summary: "Workers, queue, Redis, sweeper and market sources",
		tag: "diagnostics",
		roles: ADMIN,
		rate: "other",
		responses: { 200: { description: "The parts of the system", schema: systemReply } },
		handler: async () => ({ status: 200, body: await queries.diagnostics.system() }),
	}),
];

/** Views of record and journal for owners and operators. */
export const diagnosticsRoutes = (dependencies: DiagnosticsRouteDependencies): RouteSpec[] => [
	...ofOneScan(dependencies),
	...ofOneUser(dependencies),
	...ofTheSystem(dependencies),
];
