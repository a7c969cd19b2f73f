import { z } from "zod";
import { WEBHOOK_EVENTS } from "../../webhooks/contract.ts";
import { URL_LENGTH_MAX } from "../../webhooks/webhook-book.ts";
import { timestampSchema } from "./common.ts";

/** Schemas of webhooks and their deliveries. */

const events = z
	.array(z.enum(WEBHOOK_EVENTS))
	.min(1)
	.max(WEBHOOK_EVENTS.length)
	.transform((words) => WEBHOOK_EVENTS.filter((event) => words.includes(event)));
const url = z.string().max(URL_LENGTH_MAX).describe("https or http, to a public address, without user and password");

export const createWebhookBody = z.object({ url, events });
export const changeWebhookBody = z.object({ url: url.optional(), events: events.optional() });
export const webhookParams = z.object({ webhook_id: z.string() });
export const deliveryParams = z.object({ webhook_id: z.string(), delivery_id: z.string() });

/** Of those that wait and those that have ended: all that are kept. */
const DELIVERIES_SHOWN_MAX = 200;
const statusWord = z.enum(["pending", "delivered", "dead"]);
export const deliveriesQuery = z.object({
	status: statusWord.optional(),
	limit: z.coerce.number().int().min(1).max(DELIVERIES_SHOWN_MAX).default(DELIVERIES_SHOWN_MAX),
});

const webhookSchema = z.strictObject({
	webhook_id: z.string(),
	url: z.string(),
	events: z.array(z.enum(WEBHOOK_EVENTS)),
	created_at: timestampSchema,
});
const deliverySchema = z.strictObject({
	delivery_id: z.string(),
	event: z.enum(WEBHOOK_EVENTS),
	scan_id: z.string(),
	status: statusWord.describe("dead: not attempted any more until it is replayed"),
	attempts: z.int().min(0),
	last_error: z.string().nullable(),
	last_status: z.int().nullable().describe("HTTP status of the last answer"),
	next_attempt_at: timestampSchema.nullable(),
	delivered_at: timestampSchema.nullable(),
	created_at: timestampSchema,
});

const ok = z.literal(true);
export const webhooksSchema = z.array(webhookSchema);
export const webhookReply = z.strictObject({ success: ok, webhook: webhookSchema });
export const createWebhookReply = z.strictObject({
	success: ok,
	webhook: webhookSchema.extend({ secret: z.string().describe("Key of the signatures; shown this once") }),
});
export const webhooksReply = z.strictObject({ success: ok, webhooks: webhooksSchema });
export const deliveriesReply = z.strictObject({ success: ok, deliveries: z.array(deliverySchema) });
export const deliveryReply = z.strictObject({ success: ok, delivery: deliverySchema });
