import type { Queries } from "../../queries.ts";
import { type ApiReply, type RouteSpec, route } from "../route.ts";
import { scanParams } from "../schemas/scan.ts";
import { valuationReply } from "../schemas/valuation.ts";

/** What a scan took for the user's capital, and at which prices. */
export const valuationRoutes = ({ queries }: { queries: Queries }): RouteSpec[] => [
	route({
		method: "get",
		path: "/opportunities/scans/{scan_id}/valuation",
		operation_id: "scan_valuation",
		summary: "The portfolio as a scan valued it, position by position, each price with its time",
		tag: "scans",
		rate: "other",
		params: scanParams,
		responses: { 200: { description: "Null before the portfolio was read", schema: valuationReply } },
		problems: ["scan_not_found", "scan_expired"],
		async handler({ viewer, params }): Promise<ApiReply> {
			return { status: 200, body: await queries.valuations.valuation(viewer, params.scan_id) };
		},
	}),
];
