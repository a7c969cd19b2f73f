import { z } from "zod";
import { scanId, timestamp } from "./scan.ts";

/** Schemas of how a scan's capital came about. */

export const valuationReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	capital_usd: z.number().nullable().describe("null: the portfolio has not been read"),
	assumed: z.boolean().nullable(),
	source: z.string().nullable(),
	valuation: z
		.object({
			as_of: timestamp.nullable().describe("The source's instant at which prices were asked for; null: none was"),
			stale: z
				.object({ age_seconds: z.number(), error: z.string() })
				.nullable()
				.describe("Prices are the last good ones of a source that failed: the oldest of them, and why"),
			cash_usd: z.number(),
			positions: z.array(
				z.object({
					symbol: z.string(),
					value_usd: z.number(),
					basis: z.enum(["market", "entry_price", "unpriced"]),
					price: z.number().nullable(),
					priced_at: timestamp
						.nullable()
						.describe("When the market's price was made; null: it is none of the market's"),
					account_id: z.string().optional().describe("The exchange account that holds it; absent: entered by the user"),
				}),
			),
			accounts: z
				.array(
					z.object({
						account_id: z.string(),
						exchange: z.string(),
						error: z.string().nullable(),
						missing: z.array(z.string()),
						as_of: timestamp.nullable(),
						cash_usd: z.number().nullable(),
					}),
				)
				.optional(),
		})
		.nullable(),
});
