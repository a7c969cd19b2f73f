import { z } from "zod";
import { ACCOUNT_STATUSES } from "../../accounts/exchange-account-view.ts";
import { ACCOUNT_ERRORS } from "../../exchange/contract.ts";
import { timestampSchema } from "./common.ts";

/** Schemas of exchange accounts. What is sealed goes in and never comes out. */

/** A key travels in a header of the exchange's requests, so it has no blanks and no line ends. */
const apiKey = z
	.string()
	.trim()
	.regex(/^[\x21-\x7e]{8,512}$/, "expected 8 to 512 printable characters without blanks")
	.meta({ writeOnly: true });
/** Some exchanges give a PEM block. */
const secret = z.string().trim().min(8).max(4096).meta({ writeOnly: true });
const password = z.string().min(1).max(256).meta({ writeOnly: true });
const label = z.string().trim().min(1).max(100);

export const accountParams = z.object({ account_id: z.string() });

export const addAccountBody = z.object({
	exchange: z
		.string()
		.trim()
		.toLowerCase()
		.regex(/^[a-z][a-z0-9]{1,39}$/, "expected the name of an exchange such as binance, bybit, okx, kraken or coinbase"),
	label: label.nullish(),
	api_key: apiKey,
	secret,
	password: password.nullish().describe("Third part of the key, where the exchange has one (okx)"),
});

export const changeAccountBody = z
	.object({
		label: label.nullish().describe("null takes it away"),
		api_key: apiKey.optional(),
		secret: secret.optional(),
		password: password.nullish(),
	})
	.superRefine(({ api_key, secret: given, password: third }, context) => {
		const parts = [api_key, given].filter((part) => part !== undefined).length;
		if (parts === 2 || (parts === 0 && third == null)) return;
		const missing = api_key === undefined ? "api_key" : "secret";
		context.addIssue({ code: "custom", path: [missing], message: "a new key is given whole: api_key and secret" });
	});

export const accountSchema = z.strictObject({
	account_id: z.string(),
	exchange: z.string(),
	label: z.string().nullable(),
	key_hint: z.string().describe("Last four characters of the key"),
	status: z.enum(ACCOUNT_STATUSES),
	permissions_checked: z.boolean().describe("The exchange has said that the key can only read"),
	last_read_at: timestampSchema.nullable(),
	last_error: z.enum(ACCOUNT_ERRORS).nullable(),
});

export const accountReply = z.strictObject({ success: z.literal(true), account: accountSchema });
export const accountsReply = z.strictObject({ success: z.literal(true), accounts: z.array(accountSchema) });
