import { z } from "zod";
import { timestampSchema } from "./common.ts";
import { accountSchema } from "./exchange-accounts.ts";
import { journalEntry } from "./history.ts";
import { portfolioReply } from "./portfolio.ts";
import { statusReply } from "./scan.ts";
import { schedulesSchema } from "./schedules.ts";
import { userSchema } from "./users.ts";
import { webhooksSchema } from "./webhooks.ts";

/** Schemas of what a user may take along, and of an account's end. */

export const deleteMeBody = z.object({ password: z.string().max(1024) });

export const exportQuery = z.object({
	cursor: z.string().max(200).optional().describe("next_cursor of the document before"),
});

const amount = z.int().min(0);

export const exportReply = z.strictObject({
	success: z.literal(true),
	exported_at: timestampSchema,
	account: userSchema,
	portfolio: portfolioReply.pick({ positions: true, cash_usd: true, version: true, updated_at: true }),
	exchange_accounts: z
		.array(
			accountSchema.extend({
				cash_usd: z.number().nullable(),
				positions: portfolioReply.shape.positions,
				as_of: timestampSchema.nullable(),
			}),
		)
		.describe("Without their keys, with what they held when they were last read"),
	credits: z.strictObject({
		granted: amount,
		used: amount,
		expired: amount,
		balance: z.int(),
		entries: z.array(
			z.looseObject({
				entry_id: z.string(),
				kind: z.enum(["granted", "used", "expired"]),
				amount: z.int().min(1),
				reason: z.string(),
				at: timestampSchema,
			}),
		),
	}),
	schedules: schedulesSchema,
	webhooks: webhooksSchema,
	scans: z.array(
		z.strictObject({
			scan_id: z.string(),
			accepted_at: timestampSchema,
			status: statusReply,
			results: z
				.record(z.string(), z.unknown())
				.nullable()
				.describe("As the results endpoint shows them; null while it runs"),
			journal: z.array(journalEntry),
		}),
	),
	next_cursor: z.string().nullable().describe("For the scans that did not fit into this document"),
});
