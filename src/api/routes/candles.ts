import type { CandleQueries } from "../../queries/candles.ts";
import { type ApiReply, type RouteSpec, route } from "../route.ts";
import { candlesQuery, candlesReply } from "../schemas/candles.ts";
import { scanParams } from "../schemas/scan.ts";

/** Bars for the picture of a row; read again from the source, up to the moment of the scan. */
export const candleRoutes = (queries: CandleQueries): RouteSpec[] => [
	route({
		method: "get",
		path: "/opportunities/scans/{scan_id}/candles",
		operation_id: "scan_candles",
		summary: "Bars of one market up to the moment a scan looked at it",
		tag: "scans",
		rate: "other",
		params: scanParams,
		query: candlesQuery,
		responses: { 200: { description: "Bars, oldest first; none with the reason why", schema: candlesReply } },
		problems: ["scan_not_found", "scan_expired", "validation_failed"],
		async handler({ viewer, params, query, signal }): Promise<ApiReply> {
			const { symbol, exchange = null, timeframe, limit } = query;
			const body = await queries.candles(viewer, params.scan_id, { symbol, exchange, timeframe, limit }, signal);
			return { status: 200, body };
		},
	}),
];
