import { z } from "zod";
import { JOURNAL_TYPES } from "../../../machines/events.ts";
import { VERDICTS } from "../../../machines/types.ts";
import {
	cancelReason,
	count,
	filters,
	opportunity,
	outcome,
	position,
	progress,
	scanId,
	statusReply,
	timestamp,
} from "./scan.ts";

/** Schemas of lists, journals, states and comparisons of scans. */

const wholeNumber = (meaning: string, min: number, max: number) =>
	z.coerce
		.number({ error: `must be a whole number from ${min} to ${max}` })
		.int()
		.min(min)
		.max(max)
		.describe(meaning);

const moment = z.iso.datetime({ offset: true, error: "must be an ISO-8601 time with a zone" });

export const listQuery = z.object({
	status: z.enum(["scanning", "complete", "failed", "cancelled"]).optional().describe("failed is without cancelled"),
	strategy: z.string().min(1).max(100).optional().describe("Scans in which this strategy ran"),
	symbol: z.string().min(1).max(60).optional().describe("Scans with it among their rows or filters"),
	from: moment.optional().describe("accepted_at at or after"),
	to: moment.optional().describe("accepted_at before"),
	limit: wholeNumber("Scans in one answer", 1, 100).default(20),
	cursor: z.string().max(200).optional().describe("next_cursor of the answer before"),
});

export const listReply = z.object({
	success: z.literal(true),
	scans: z.array(
		z.object({
			scan_id: scanId,
			status: z.enum(["scanning", "complete", "failed"]),
			state: z.enum(["queued", "running", "complete", "failed", "cancelled"]),
			reason: cancelReason,
			outcome,
			filters,
			accepted_at: timestamp,
			started_at: timestamp.nullable(),
			completed_at: timestamp.nullable(),
			duration_ms: count.nullable(),
			total_opportunities: count,
			unproven_count: count,
			progress,
			redrive_of: scanId.nullable(),
			superseded_by: scanId.nullable(),
			expires_at: timestamp.nullable(),
			status_url: z.string(),
			results_url: z.string(),
		}),
	),
	next_cursor: z.string().nullable(),
	has_more: z.boolean(),
});

export const journalQuery = z.object({
	after: wholeNumber("Entries after this number", 0, Number.MAX_SAFE_INTEGER).default(0),
	limit: wholeNumber("Entries in one answer", 1, 500).default(100),
});

export const journalEntry = z.object({
	seq: z.int().min(1),
	at: timestamp,
	type: z.enum(JOURNAL_TYPES),
	phase: position,
	strategy_id: z.string().nullable(),
	attempt: count.nullable(),
	revision: z.int().min(1),
	payload: z.record(z.string(), z.unknown()),
});

export const journalReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	entries: z.array(journalEntry),
	last_seq: count,
	next_after: count,
	has_more: z.boolean(),
});

export const journalStateParams = z.object({ scan_id: z.string(), seq: z.string() });

export const journalStateReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	seq: z.int().min(1),
	at: timestamp,
	type: z.enum(JOURNAL_TYPES),
	state: z.object({ value: position, context: z.record(z.string(), z.unknown()) }),
	view: statusReply,
});

export const eventsQuery = z.object({
	after: wholeNumber("Entries after this number", 0, Number.MAX_SAFE_INTEGER).optional(),
});

export const diffQuery = z.object({
	a: z.string().describe("Id of an ended scan"),
	b: z.string().describe("Id of another"),
});

const pairOf = <T extends z.ZodType>(of: T) => z.tuple([of.nullable(), of.nullable()]);
const row = z.looseObject({ opportunity_id: opportunity.shape.opportunity_id });

const movedRows = z.object({
	added: z.array(row),
	removed: z.array(row),
	/** Those of them whose strategy did not end well in the scan that lacks them. */
	unknown: z.object({ added: z.array(row), removed: z.array(row) }),
});

export const diffReply = z.object({
	success: z.literal(true),
	a: scanId,
	b: scanId,
	same_filters: z.boolean(),
	opportunities: movedRows.extend({
		changed: z.array(z.object({ opportunity_id: z.string(), fields: z.record(z.string(), pairOf(z.unknown())) })),
	}),
	unproven: movedRows,
	strategies: z.array(
		z.object({
			strategy_id: z.string(),
			strategy_name: z.string(),
			verdict: pairOf(z.enum(VERDICTS)),
			published: pairOf(count),
			duration_ms: pairOf(count),
			rejected: z.record(z.string(), pairOf(count)),
		}),
	),
	timing: z.object({ execution_time_ms: pairOf(count) }),
	data_as_of: pairOf(timestamp),
});
