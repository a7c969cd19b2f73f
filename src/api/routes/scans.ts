import type { ScanFilters } from "../../../machines/types.ts";
import { type ProblemField, validationFailed } from "../../errors.ts";
import { NO_WAIT, type Wait } from "../../queries/long-poll.ts";
import type { Queries } from "../../queries.ts";
import type { ScanCommands, StartResult } from "../../services.ts";
import { pollUrl, resultsUrl } from "../../views/words.ts";
import { type ApiReply, type RouteSpec, route } from "../route.ts";
import { discoverReply, resultsPendingReply, resultsReply } from "../schemas/results.ts";
import {
	cancelBody,
	cancelReply,
	discoverBody,
	redriveBody,
	scanParams,
	statusReply,
	waitQuery,
} from "../schemas/scan.ts";

const POLL_AFTER_SECONDS = "3";

/** The filter parser: canonical filters with their key, or every fault at once. */
export type ParseFilters = (
	body: Record<string, unknown>,
) =>
	| { ok: true; filters: ScanFilters; filter_key: string; unmatched: string[] }
	| { ok: false; errors: ProblemField[] };

export interface ScanRouteDependencies {
	queries: Queries;
	commands: ScanCommands;
	parseFilters: ParseFilters;
}

/** Takes the request's signal only where there is something to wait for: it is made when asked for. */
const waitOf = (request: { query: { wait?: number | undefined }; readonly signal: AbortSignal }): Wait => {
	const waitMs = Math.round((request.query.wait ?? 0) * 1000);
	return waitMs === 0 ? NO_WAIT : { waitMs, signal: request.signal };
};

function discoverRoute({ queries, commands, parseFilters }: ScanRouteDependencies): RouteSpec {
	return route({
		method: "post",
		path: "/opportunities/discover",
		operation_id: "discover",
		summary: "Start a scan, or join or reuse one of the same filters",
		tag: "scans",
		roles: ["admin", "trader", "api_only"],
		rate: "discover",
		once: {
			replay: async (remembered, request) => {
				const { viewer, query } = request;
				const result = remembered as StartResult;
				const wait = query.wait === undefined ? null : waitOf(request);
				return startedReply(200, result, await queries.scans.discover(viewer, result, wait, true));
			},
		},
		query: waitQuery,
		body: discoverBody,
		responses: {
			200: { description: "The scan to poll; with `wait` its results if it ended in time", schema: discoverReply },
		},
		problems: ["validation_failed", "overloaded"],
		async handler(asked): Promise<ApiReply> {
			const { viewer, body, query, reserved_scan_id = null } = asked;
			const parsed = parseFilters(body);
			if (!parsed.ok) throw validationFailed(parsed.errors);
			const request = {
				filters: parsed.filters,
				filter_key: parsed.filter_key,
				filters_unmatched: parsed.unmatched,
				force_refresh: body.force_refresh,
				include_strategy_recommendations: body.include_strategy_recommendations,
			};
			const result = await commands.startScan(viewer, request, reserved_scan_id);
			const wait = query.wait === undefined ? null : waitOf(asked);
			return startedReply(200, result, await queries.scans.discover(viewer, result, wait));
		},
	});
}

/** What follows from a start, with what a repetition of the same request is answered from. */
const startedReply = (status: 200 | 202, result: StartResult, body: string): ApiReply => ({
	status,
	body,
	headers: { Location: pollUrl(result.scan_id) },
	remember: result,
});

function redriveRoute({ queries, commands }: ScanRouteDependencies): RouteSpec {
	return route({
		method: "post",
		path: "/opportunities/scans/{scan_id}/redrive",
		operation_id: "redrive_scan",
		summary: "Run strategies of an ended scan again in a new scan that keeps the other answers",
		tag: "scans",
		roles: ["admin", "trader", "api_only"],
		rate: "other",
		once: {
			replay: async (remembered, { viewer }) => {
				const result = remembered as StartResult;
				return startedReply(202, result, await queries.scans.discover(viewer, result, null, true));
			},
		},
		params: scanParams,
		body: redriveBody,
		responses: { 202: { description: "The new scan to poll", schema: discoverReply } },
		problems: [
			"scan_not_found",
			"scan_expired",
			"scan_not_terminal",
			"scan_already_active",
			"nothing_to_redrive",
			"validation_failed",
			"overloaded",
		],
		async handler({ viewer, params, body, reserved_scan_id = null }): Promise<ApiReply> {
			await queries.scans.mayRedrive(viewer, params.scan_id);
			const result = await commands.redriveScan(viewer, params.scan_id, body.strategy_ids ?? null, reserved_scan_id);
			return startedReply(202, result, await queries.scans.discover(viewer, result, null));
		},
	});
}

function statusRoute({ queries }: ScanRouteDependencies): RouteSpec {
	return route({
		method: "get",
		path: "/opportunities/status/{scan_id}",
		operation_id: "scan_status",
		summary: "How a scan stands; `latest` is the caller's newest scan",
		tag: "scans",
		rate: "other",
		params: scanParams,
		query: waitQuery,
		responses: { 200: { description: "The scan as it stands", schema: statusReply } },
		problems: ["scan_not_found", "scan_expired", "validation_failed"],
		known: queries.scans.known.status,
		async handler(request): Promise<ApiReply> {
			const { viewer, params, headers } = request;
			const answer = await queries.scans.status(viewer, params.scan_id, waitOf(request), headers["if-none-match"]);
			return {
				status: 200,
				body: answer.body,
				etag: answer.etag,
				headers: params.scan_id === answer.scan_id ? {} : { "Content-Location": pollUrl(answer.scan_id) },
			};
		},
	});
}

function resultsRoute({ queries }: ScanRouteDependencies): RouteSpec {
	return route({
		method: "get",
		path: "/opportunities/results/{scan_id}",
		operation_id: "scan_results",
		summary: "What a complete scan found; 202 while it runs; `latest` is the caller's newest scan",
		tag: "scans",
		rate: "other",
		params: scanParams,
		query: waitQuery,
		responses: {
			200: { description: "Final and immutable results", schema: resultsReply },
			202: { description: "The scan is still running", schema: resultsPendingReply },
		},
		problems: ["scan_not_found", "scan_expired", "scan_failed", "scan_cancelled", "validation_failed"],
		known: queries.scans.known.results,
		async handler(request): Promise<ApiReply> {
			const { viewer, params } = request;
			const answer = await queries.scans.results(viewer, params.scan_id, waitOf(request));
			return {
				status: answer.complete ? 200 : 202,
				body: answer.body,
				etag: answer.etag,
				headers: {
					...(answer.complete ? {} : { "Retry-After": POLL_AFTER_SECONDS }),
					...(params.scan_id === answer.scan_id ? {} : { "Content-Location": resultsUrl(answer.scan_id) }),
				},
			};
		},
	});
}

function cancelRoute({ queries, commands }: ScanRouteDependencies): RouteSpec {
	return route({
		method: "post",
		path: "/opportunities/scans/{scan_id}/cancel",
		operation_id: "cancel_scan",
		once: {},
		summary: "End a scan; what it found so far is kept",
		tag: "scans",
		roles: ["admin", "trader", "api_only"],
		rate: "other",
		params: scanParams,
		body: cancelBody,
		responses: { 200: { description: "The scan is cancelled, durably", schema: cancelReply } },
		problems: ["scan_not_found", "scan_expired", "scan_already_terminal"],
		async handler({ viewer, params, body }): Promise<ApiReply> {
			await queries.scans.mayCancel(viewer, params.scan_id);
			const result = await commands.cancelScan(viewer, params.scan_id, body.reason_text || null);
			return { status: 200, body: await queries.scans.cancelled(viewer, result) };
		},
	});
}

/** Start, poll, read, cancel and redrive. */
export const scanRoutes = (dependencies: ScanRouteDependencies): RouteSpec[] => [
	discoverRoute(dependencies),
	statusRoute(dependencies),
	resultsRoute(dependencies),
	cancelRoute(dependencies),
	redriveRoute(dependencies),
];
