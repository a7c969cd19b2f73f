import { z } from "zod";

/** The four fields of a policy that may be set; an absent one is left as it is. */
export const policyFieldsSchema = z.object({
	max_symbols: z.number().int().min(1).nullable().optional(),
	chunk_size: z.number().int().min(1).nullable().optional(),
	priority: z.number().int().min(0).nullable().optional(),
	enabled: z.boolean().optional(),
});
export type PolicyFields = z.infer<typeof policyFieldsSchema>;

export type PolicyOverlay = ReadonlyMap<string, PolicyFields>;
