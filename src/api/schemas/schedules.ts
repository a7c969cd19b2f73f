import { z } from "zod";
import { CRON_LENGTH_MAX } from "../../schedules/cron.ts";
import { JITTER_MS_MAX } from "../../schedules/schedule-book.ts";
import { timestampSchema } from "./common.ts";
import { lenientBoolean } from "./scan.ts";

/** Schemas of recurring scans. Cron, zone and filters are checked by those who know them. */

const NAME_LENGTH_MAX = 100;
const ZONE_LENGTH_MAX = 64;

const fields = {
	name: z.string().trim().max(NAME_LENGTH_MAX).nullish(),
	cron: z
		.string()
		.max(CRON_LENGTH_MAX)
		.describe("minute hour day month weekday, or six fields with seconds first; runs are at least 60 s apart"),
	tz: z.string().max(ZONE_LENGTH_MAX).optional().describe("IANA time zone, default UTC"),
	filters: z.looseObject({}).optional().describe("As in the start of a scan"),
	overlap: z
		.enum(["skip", "queue_one"])
		.optional()
		.describe("While the scan before still runs: skip the run, or run once when it has ended"),
	jitter_ms: z
		.int()
		.min(0)
		.max(JITTER_MS_MAX)
		.optional()
		.describe("Runs come up to this much later, the same each time"),
	paused: lenientBoolean.optional(),
	webhook_ids: z
		.array(z.string().max(100))
		.max(20)
		.nullish()
		.describe("Who is told of its scans; null: every webhook of the user"),
};

export const createScheduleBody = z.object(fields);
export const changeScheduleBody = z.object({ ...fields, cron: fields.cron.optional() });
export const scheduleParams = z.object({ schedule_id: z.string() });

const scheduleSchema = z.strictObject({
	schedule_id: z.string(),
	name: z.string().nullable(),
	cron: z.string(),
	tz: z.string(),
	filters: z.record(z.string(), z.unknown()),
	overlap: z.enum(["skip", "queue_one"]),
	jitter_ms: z.int().min(0),
	paused: z.boolean(),
	webhook_ids: z.array(z.string()).nullable(),
	next_run_at: timestampSchema.nullable().describe("With jitter; null while it is paused"),
	last_scan_id: z.string().nullable(),
	last_error: z.string().nullable().describe("Why the last run did not start; null once one has started"),
	created_at: timestampSchema,
});

export const schedulesSchema = z.array(scheduleSchema);
export const scheduleReply = z.strictObject({ success: z.literal(true), schedule: scheduleSchema });
export const schedulesReply = z.strictObject({ success: z.literal(true), schedules: schedulesSchema });
