import { z } from "zod";
import { timestampSchema } from "./common.ts";

export { policyFieldsSchema as policyBody } from "../../accounts/policy-overlay.ts";

const policySchema = z.strictObject({
	strategy_key: z.string(),
	max_symbols: z.number().int().nullable(),
	chunk_size: z.number().int().nullable(),
	priority: z.number().int().nullable(),
	enabled: z.boolean(),
	source: z.enum(["default", "config", "database"]),
	id: z.string(),
	created_at: timestampSchema.nullable(),
	updated_at: timestampSchema.nullable(),
});

export const policyParams = z.object({ strategy_key: z.string() });
export const listPoliciesReply = z.strictObject({
	success: z.literal(true),
	policies: z.array(policySchema),
	count: z.number().int(),
});
export const policyReply = z.strictObject({ success: z.literal(true), policy: policySchema });
