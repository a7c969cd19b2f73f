import { z } from "zod";
import { timestampSchema } from "./common.ts";

export const POSITIONS_MAX = 200;

/** Far above any portfolio, far below where a product of them stops being finite. */
const QUANTITY_MAX = 1e18;
const PRICE_MAX = 1e12;
const CASH_USD_MAX = 1e15;

/** ccxt unified: BASE/QUOTE, BASE/QUOTE:SETTLE, and dated or option contracts behind it. */
const UNIFIED_SYMBOL = /^[A-Za-z0-9.]{1,30}\/[A-Za-z0-9]{1,15}(:[A-Za-z0-9]{1,15}(-\d{6}(-\d+(\.\d+)?-[CP])?)?)?$/;

const positionBody = z
	.object({
		symbol: z
			.string()
			.toUpperCase()
			.regex(UNIFIED_SYMBOL, "expected a unified symbol such as BTC/USDT or BTC/USDT:USDT"),
		quantity: z.number().min(-QUANTITY_MAX).max(QUANTITY_MAX),
		entry_price: z.number().positive().max(PRICE_MAX).nullish(),
	})
	.superRefine((position, context) => {
		if (position.quantity === 0)
			context.addIssue({ code: "custom", path: ["quantity"], message: "expected a number other than 0" });
		if (position.quantity < 0 && !position.symbol.includes(":")) {
			context.addIssue({ code: "custom", path: ["quantity"], message: "only a contract can be held short" });
		}
	});

export const portfolioBody = z.object({
	positions: z
		.array(positionBody)
		.max(POSITIONS_MAX)
		.superRefine((positions, context) => {
			const seen = new Set<string>();
			for (const [index, { symbol }] of positions.entries()) {
				if (seen.has(symbol))
					context.addIssue({ code: "custom", path: [index, "symbol"], message: "a symbol may stand only once" });
				seen.add(symbol);
			}
		}),
	cash_usd: z.number().min(0).max(CASH_USD_MAX),
});

export const portfolioReply = z.strictObject({
	success: z.literal(true),
	user_id: z.string(),
	positions: z.array(z.strictObject({ symbol: z.string(), quantity: z.number(), entry_price: z.number().nullable() })),
	cash_usd: z.number(),
	version: z.number().int().min(0),
	updated_at: timestampSchema.nullable(),
});
