import { z } from "zod";
import { doneSchema, emailSchema, passwordSchema, roleSchema, statusSchema, timestampSchema } from "./common.ts";

export const loginBody = z.object({
	email: emailSchema,
	password: passwordSchema,
	/** Accepted for older clients, without effect. */
	tenant_id: z.unknown().optional(),
	remember_me: z.unknown().optional(),
	mfa_code: z.unknown().optional(),
});

const tokenPair = {
	access_token: z.string(),
	refresh_token: z.string(),
	token_type: z.literal("bearer"),
	expires_in: z.number().int(),
};
const tokensSchema = z.strictObject(tokenPair);

export const loginReply = z.strictObject({
	...tokenPair,
	user_id: z.string(),
	role: roleSchema,
	tenant_id: z.literal(""),
	permissions: z.array(z.string()),
});

export const refreshBody = z.object({ refresh_token: z.string().min(1).max(4096) });
export const refreshReply = z.strictObject({ success: z.literal(true), ...tokenPair, tokens: tokensSchema });

export const registerBody = z.object({
	email: emailSchema,
	password: passwordSchema,
	full_name: z.string().trim().max(200).nullish(),
});
export const registerReply = z.strictObject({
	success: z.literal(true),
	user: z.strictObject({ id: z.string(), email: z.string(), role: z.literal("trader"), status: z.literal("active") }),
	tokens: tokensSchema,
});

export const passwordBody = z.object({ current_password: z.string().max(1024), new_password: passwordSchema });
export const doneReply = doneSchema;

export const meReply = z.strictObject({
	id: z.string(),
	email: z.string(),
	full_name: z.string().nullable(),
	role: roleSchema,
	status: statusSchema,
	tenant_id: z.literal(""),
	created_at: timestampSchema,
	last_login: timestampSchema.nullable(),
	mfa_enabled: z.literal(false),
	permissions: z.array(z.string()),
});
