import { validationFailed } from "../../errors.ts";
import type { Queries } from "../../queries.ts";
import type { ScanCommands } from "../../services.ts";
import { type RouteSpec, route } from "../route.ts";
import { metricsReply, testDiscoveryReply } from "../schemas/diagnostics.ts";
import type { ParseFilters } from "./scans.ts";

export interface MetricsRouteDependencies {
	queries: Queries;
	commands: ScanCommands;
	parseFilters: ParseFilters;
}

/** Figures of the running system for admins, and a trial scan. */
export const metricsRoutes = ({ queries, commands, parseFilters }: MetricsRouteDependencies): RouteSpec[] => [
	route({
		method: "get",
		path: "/opportunities/metrics",
		operation_id: "opportunity_metrics",
		summary: "Scans of today, durations and errors",
		tag: "diagnostics",
		roles: ["admin"],
		rate: "other",
		responses: { 200: { description: "Figures over all users", schema: metricsReply } },
		handler: async () => ({ status: 200, body: await queries.diagnostics.metrics() }),
	}),
	route({
		method: "post",
		path: "/opportunities/test-discovery",
		operation_id: "test_discovery",
		summary: "Start a scan of the calling admin to see the whole path work",
		tag: "diagnostics",
		roles: ["admin"],
		rate: "discover",
		responses: { 200: { description: "The scan that was started or joined", schema: testDiscoveryReply } },
		problems: ["overloaded"],
		async handler({ viewer }) {
			const parsed = parseFilters({});
			if (!parsed.ok) throw validationFailed(parsed.errors);
			const { scan_id, decision } = await commands.startScan(viewer, {
				filters: parsed.filters,
				filter_key: parsed.filter_key,
				filters_unmatched: parsed.unmatched,
				force_refresh: true,
				include_strategy_recommendations: true,
			});
			const message = decision === "joined" ? "A scan that was just started is joined." : "A test scan was started.";
			return { status: 200, body: { success: true, message, test_user_id: viewer.user_id, scan_id } };
		},
	}),
];
