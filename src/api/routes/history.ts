import { findStrategy } from "../../catalogue.ts";
import { validationFailed } from "../../errors.ts";
import { canonicalSymbol } from "../../filter-words.ts";
import type { Queries } from "../../queries.ts";
import { type ApiReply, type RouteSpec, route } from "../route.ts";
import {
	diffQuery,
	diffReply,
	eventsQuery,
	journalQuery,
	journalReply,
	journalStateParams,
	journalStateReply,
	listQuery,
	listReply,
} from "../schemas/history.ts";
import { scanParams } from "../schemas/scan.ts";

type Dependencies = { queries: Queries };

const msOf = (text: string | undefined): number | null => (text === undefined ? null : Date.parse(text));

const listRoute = ({ queries }: Dependencies): RouteSpec =>
	route({
		method: "get",
		path: "/opportunities/scans",
		operation_id: "list_scans",
		summary: "The caller's retained scans, newest first",
		tag: "scans",
		rate: "other",
		query: listQuery,
		responses: { 200: { description: "One page of scans", schema: listReply } },
		problems: ["validation_failed"],
		async handler({ viewer, query }): Promise<ApiReply> {
			const { status = null, strategy, symbol, from, to, limit, cursor = null } = query;
			const body = await queries.scanList.list(viewer, {
				status,
				// A word that names no strategy matches no scan.
				strategy: strategy === undefined ? null : (findStrategy(strategy)?.id ?? strategy),
				symbol: symbol === undefined ? null : canonicalSymbol(symbol),
				from_ms: msOf(from),
				to_ms: msOf(to),
				limit,
				cursor,
			});
			return { status: 200, body };
		},
	});

/** The number a reader names as the last it has; the header wins, because a browser sets it on reconnecting. */
function lastSeen(header: string | undefined, after: number | undefined): number {
	if (header === undefined || header === "") return after ?? 0;
	if (/^\d{1,15}$/.test(header)) return Number(header);
	throw validationFailed([{ path: "header.last-event-id", message: "must be the number of a journal entry" }]);
}

const eventsRoute = ({ queries }: Dependencies): RouteSpec =>
	route({
		method: "get",
		path: "/opportunities/scans/{scan_id}/events",
		operation_id: "scan_events",
		summary: "The journal as Server-Sent Events, live until the scan's end; resumes after Last-Event-ID",
		tag: "scans",
		rate: "other",
		params: scanParams,
		query: eventsQuery,
		responses: {
			200: {
				description: "Events: `id` is the entry's number, `event` its type, `data` the entry",
				content_type: "text/event-stream",
			},
			204: { description: "The scan has ended and nothing is missing" },
		},
		problems: ["scan_not_found", "scan_expired", "overloaded", "validation_failed"],
		async handler({ viewer, params, query, headers, signal }): Promise<ApiReply> {
			const after = lastSeen(headers["last-event-id"], query.after);
			const stream = await queries.events.open(viewer, params.scan_id, after, signal);
			return stream ? { status: 200, body: null, stream } : { status: 204, body: null };
		},
	});

const journalRoutes = ({ queries }: Dependencies): RouteSpec[] => [
	route({
		method: "get",
		path: "/scan-diagnostics/scan-journal/{scan_id}",
		operation_id: "scan_journal",
		summary: "The entries of a scan's journal, from 1 without holes",
		tag: "diagnostics",
		rate: "other",
		params: scanParams,
		query: journalQuery,
		responses: { 200: { description: "One page of entries", schema: journalReply } },
		problems: ["scan_not_found", "scan_expired", "validation_failed"],
		async handler({ viewer, params, query }): Promise<ApiReply> {
			return { status: 200, body: await queries.journal.page(viewer, params.scan_id, query.after, query.limit) };
		},
	}),
	route({
		method: "get",
		path: "/scan-diagnostics/scan-journal/{scan_id}/{seq}",
		operation_id: "scan_state_at",
		summary: "The whole state of the machine right after one entry, and the status it implied",
		tag: "diagnostics",
		rate: "other",
		params: journalStateParams,
		responses: { 200: { description: "The state then", schema: journalStateReply } },
		problems: ["scan_not_found", "scan_expired", "journal_entry_not_found"],
		async handler({ viewer, params }): Promise<ApiReply> {
			const seq = /^[1-9]\d{0,14}$/.test(params.seq) ? Number(params.seq) : 0;
			return { status: 200, body: await queries.journal.stateAt(viewer, params.scan_id, seq) };
		},
	}),
];

const diffRoute = ({ queries }: Dependencies): RouteSpec =>
	route({
		method: "get",
		path: "/scan-diagnostics/scan-diff",
		operation_id: "scan_diff",
		summary: "What changed between two ended scans",
		tag: "diagnostics",
		rate: "other",
		query: diffQuery,
		responses: { 200: { description: "New, gone and changed rows; verdicts side by side", schema: diffReply } },
		problems: ["scan_not_found", "scan_expired", "scan_not_terminal", "validation_failed"],
		async handler({ viewer, query }): Promise<ApiReply> {
			return { status: 200, body: await queries.scanDiff.diff(viewer, query.a, query.b) };
		},
	});

/** What became of scans: list, live events, journal, state at an entry, comparison. */
export const historyRoutes = (dependencies: Dependencies): RouteSpec[] => [
	listRoute(dependencies),
	eventsRoute(dependencies),
	...journalRoutes(dependencies),
	diffRoute(dependencies),
];
