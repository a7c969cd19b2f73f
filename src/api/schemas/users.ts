import { z } from "zod";
import { emailSchema, passwordSchema, roleSchema, statusSchema, timestampSchema } from "./common.ts";

/** Names of strategies: id, id without `ai_`, or display name; resolved by the handler. */
const strategyWords = z.array(z.string().max(100)).max(50);

export const createUserBody = z.object({
	email: emailSchema,
	password: passwordSchema,
	role: roleSchema,
	strategy_ids: strategyWords.optional(),
});
export const createUserReply = z.strictObject({
	success: z.literal(true),
	user: z.strictObject({
		user_id: z.string(),
		email: z.string(),
		role: roleSchema,
		status: z.literal("active"),
		strategy_ids: z.array(z.string()),
		created_at: timestampSchema,
	}),
});

export const userSchema = z.strictObject({
	user_id: z.string(),
	email: z.string(),
	full_name: z.string().nullable(),
	role: roleSchema,
	status: statusSchema,
	strategy_ids: z.array(z.string()),
	created_at: timestampSchema,
	last_login: timestampSchema.nullable(),
	premium_welcome: z.boolean(),
	onboarded_at: timestampSchema.nullable(),
});
export type UserView = z.infer<typeof userSchema>;

export const listUsersQuery = z.object({
	limit: z.coerce.number().int().min(1).max(100).default(20),
	cursor: z.string().min(1).max(200).optional(),
});
export const listUsersReply = z.strictObject({
	success: z.literal(true),
	users: z.array(userSchema),
	next_cursor: z.string().nullable(),
	has_more: z.boolean(),
});

export const userParams = z.object({ user_id: z.string() });
export const patchUserBody = z.object({
	status: statusSchema.optional(),
	role: roleSchema.optional(),
	strategy_ids: strategyWords.optional(),
	premium_welcome: z.boolean().optional(),
	new_password: passwordSchema.optional(),
});
export const patchUserReply = z.strictObject({ success: z.literal(true), user: userSchema });
