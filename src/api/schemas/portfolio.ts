import { z } from "zod";
import { ACCOUNT_STATUSES } from "../../accounts/exchange-account-view.ts";
import { timestampSchema } from "./common.ts";

export const POSITIONS_MAX = 200;

/** Far above any portfolio, far below where a product of them stops being finite. */
const QUANTITY_MAX = 1e18;
const PRICE_MAX = 1e12;
const CASH_USD_MAX = 1e15;

/** ccxt unified: BASE/QUOTE, BASE/QUOTE:SETTLE, and dated or option contracts behind it. */
const UNIFIED_SYMBOL = /^[A-Za-z0-9.]{1,30}\/[A-Za-z0-9]{1,15}(:[A-Za-z0-9]{1,15}(-\d{6}(-\d+(\.\d+)?-[CP])?)?)?$/;

const isEntered = ({ account_id }: { account_id?: string | null | undefined }): boolean => account_id == null;

const positionBody = z
	.object({
		symbol: z
			.string()
			.toUpperCase()
			.regex(UNIFIED_SYMBOL, "expected a unified symbol such as BTC/USDT or BTC/USDT:USDT"),
		quantity: z.number().min(-QUANTITY_MAX).max(QUANTITY_MAX),
		entry_price: z.number().positive().max(PRICE_MAX).nullish(),
		account_id: z.string().nullish().describe("As read: a position of an exchange account, which is not stored here"),
	})
	.superRefine((position, context) => {
		if (!isEntered(position)) return;
		if (position.quantity === 0)
			context.addIssue({ code: "custom", path: ["quantity"], message: "expected a number other than 0" });
		if (position.quantity < 0 && !position.symbol.includes(":")) {
			context.addIssue({ code: "custom", path: ["quantity"], message: "only a contract can be held short" });
		}
	});

/** What a client may send on of what it has read: everything entered, and all that 20 exchange accounts hold. */
const SENT_MAX = 12_500;

export const portfolioBody = z.object({
	positions: z
		.array(positionBody)
		.max(SENT_MAX)
		.describe(`At most ${POSITIONS_MAX} beside those of exchange accounts, which are not stored here`)
		.superRefine((positions, context) => {
			const entered = positions.filter(isEntered);
			if (entered.length > POSITIONS_MAX)
				context.addIssue({ code: "custom", path: [], message: `at most ${POSITIONS_MAX} positions may be entered` });
			const seen = new Set<string>();
			for (const [index, position] of positions.entries()) {
				if (!isEntered(position)) continue;
				if (seen.has(position.symbol))
					context.addIssue({ code: "custom", path: [index, "symbol"], message: "a symbol may stand only once" });
				seen.add(position.symbol);
			}
		}),
	cash_usd: z.number().min(0).max(CASH_USD_MAX),
});

/** Exchange accounts are there only for those who have some. */
export const portfolioReply = z.strictObject({
	success: z.literal(true),
	user_id: z.string(),
	positions: z.array(
		z.strictObject({
			symbol: z.string(),
			quantity: z.number(),
			entry_price: z.number().nullable(),
			account_id: z.string().optional().describe("The exchange account that holds it; absent: entered by the user"),
		}),
	),
	cash_usd: z.number(),
	version: z.number().int().min(0),
	updated_at: timestampSchema.nullable(),
	accounts: z
		.array(
			z.strictObject({
				account_id: z.string(),
				exchange: z.string(),
				status: z.enum(ACCOUNT_STATUSES),
				cash_usd: z.number().nullable().describe("Dollars and dollar stablecoins there; null: never read"),
				as_of: timestampSchema.nullable(),
			}),
		)
		.optional()
		.describe("What the cash and positions of exchange accounts are as of"),
});
