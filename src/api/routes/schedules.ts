import type { ScanFilters } from "../../../machines/types.ts";
import { SCAN_STARTERS } from "../../accounts/permissions.ts";
import { validationFailed } from "../../errors.ts";
import type { ScheduleBook, ScheduleFields } from "../../schedules/schedule-book.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	changeScheduleBody,
	createScheduleBody,
	scheduleParams,
	scheduleReply,
	schedulesReply,
} from "../schemas/schedules.ts";
import type { AlertRoutesDependencies } from "./alerts.ts";
import type { ParseFilters } from "./scans.ts";

const common = { tag: "scans", rate: "other" } as const;
const write = { ...common, roles: SCAN_STARTERS } as const;
const PATH = "/opportunities/schedules";
const one = (description: string) => ({ 200: { description, schema: scheduleReply } });

/** Members that were sent, filters in their canonical form. Throws validation_failed. */
function sent(
	body: { filters?: Record<string, unknown> | undefined; [name: string]: unknown },
	parse: ParseFilters,
): ScheduleFields {
	const { filters, ...rest } = body;
	const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as ScheduleFields;
	return filters === undefined ? fields : { ...fields, filters: canonical(filters, parse) };
}

function canonical(filters: Record<string, unknown>, parse: ParseFilters): ScanFilters {
	const parsed = parse(filters);
	if (parsed.ok) return parsed.filters;
	throw validationFailed(
		parsed.errors.map(({ path, message }) => ({ path: path.replace(/^body/, "body.filters"), message })),
	);
}

const reads = (schedules: ScheduleBook): RouteSpec[] => [
	route({
		...common,
		method: "get",
		path: PATH,
		operation_id: "list_schedules",
		summary: "The own recurring scans, oldest first",
		responses: { 200: { description: "All of them", schema: schedulesReply } },
		handler: async ({ viewer }) => ({
			status: 200,
			body: { success: true, schedules: await schedules.list(viewer.user_id) },
		}),
	}),
	route({
		...common,
		method: "get",
		path: `${PATH}/{schedule_id}`,
		operation_id: "get_schedule",
		summary: "One recurring scan",
		params: scheduleParams,
		responses: one("As it stands"),
		problems: ["schedule_not_found"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: { success: true, schedule: await schedules.get(viewer.user_id, params.schedule_id) },
		}),
	}),
];

const writes = (schedules: ScheduleBook, parse: ParseFilters): RouteSpec[] => [
	route({
		...write,
		method: "post",
		path: PATH,
		operation_id: "create_schedule",
		summary: "Start scans by a cron expression in a time zone",
		body: createScheduleBody,
		responses: { 201: { description: "The schedule with its next run", schema: scheduleReply } },
		problems: ["limit_reached", "validation_failed", "token_revoked"],
		async handler({ viewer, body }) {
			const fields = { ...sent(body, parse), cron: body.cron };
			const schedule = await schedules.create(viewer.user_id, fields);
			return { status: 201, body: { success: true, schedule } };
		},
	}),
	route({
		...write,
		method: "patch",
		path: `${PATH}/{schedule_id}`,
		operation_id: "change_schedule",
		summary: "Change the fields sent; runs that were missed until then are not made up for",
		params: scheduleParams,
		body: changeScheduleBody,
		responses: one("As it stands now"),
		problems: ["schedule_not_found", "validation_failed", "token_revoked"],
		async handler({ viewer, params, body }) {
			const schedule = await schedules.change(viewer.user_id, params.schedule_id, sent(body, parse));
			return { status: 200, body: { success: true, schedule } };
		},
	}),
	route({
		...write,
		method: "delete",
		path: `${PATH}/{schedule_id}`,
		operation_id: "delete_schedule",
		summary: "End a recurring scan; scans that it has started stay",
		params: scheduleParams,
		responses: one("As it was"),
		problems: ["schedule_not_found"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: { success: true, schedule: await schedules.remove(viewer.user_id, params.schedule_id) },
		}),
	}),
];

export const scheduleRoutes = ({ schedules, parseFilters }: AlertRoutesDependencies): RouteSpec[] => [
	...reads(schedules),
	...writes(schedules, parseFilters),
];
