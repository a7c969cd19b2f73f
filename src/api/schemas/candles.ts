import { z } from "zod";
import { TIMEFRAME_MS, type Timeframe } from "../../market/contract.ts";
import { scanId, timestamp } from "./scan.ts";

/** Schemas of the bars beside a row. */

const TIMEFRAMES = Object.keys(TIMEFRAME_MS) as [Timeframe, ...Timeframe[]];
const BARS_MAX = 500;

export const candlesQuery = z.object({
	symbol: z.string().min(1).max(60).describe("ccxt unified, e.g. `BTC/USDT`"),
	exchange: z.string().min(1).max(60).optional().describe("Venue, where several list the symbol"),
	timeframe: z.enum(TIMEFRAMES).default("1d"),
	limit: z.coerce
		.number({ error: `must be a whole number from 1 to ${BARS_MAX}` })
		.int()
		.min(1)
		.max(BARS_MAX)
		.default(150)
		.describe("Newest bars, at most"),
});

export const candlesReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	symbol: z.string(),
	timeframe: z.enum(TIMEFRAMES),
	as_of: timestamp.nullable().describe("No bar closes after it; null when the scan read no market"),
	source: z.string(),
	candles: z.array(
		z.object({
			at: timestamp.describe("Opening of the bar"),
			open: z.number(),
			high: z.number(),
			low: z.number(),
			close: z.number(),
			volume: z.number().describe("Base units"),
		}),
	),
	unavailable: z.string().nullable().describe("Why there are no bars; they are never made up"),
});
