import { z } from "zod";
import { findStrategy, strategyKey } from "../catalogue.ts";

/** The four fields of a policy that may be set; an absent one is left as it is. */
export const policyFieldsSchema = z.object({
	max_symbols: z.number().int().min(1).nullable().optional(),
	chunk_size: z.number().int().min(1).nullable().optional(),
	priority: z.number().int().min(0).nullable().optional(),
	enabled: z.boolean().optional(),
});
export type PolicyFields = z.infer<typeof policyFieldsSchema>;

export type PolicyOverlay = ReadonlyMap<string, PolicyFields>;

/**
 * OPPORTUNITY_STRATEGY_SYMBOL_POLICIES: `{"<strategy>":{max_symbols?,chunk_size?,priority?,enabled?}}`,
 * a strategy named as in CONTRACT.md 13.1. Throws an Error that lists every problem of the text.
 */
export function parsePolicyOverlay(text: string | undefined): PolicyOverlay {
	if (text === undefined || text.trim() === "") return new Map();
	let document: unknown;
	try {
		document = JSON.parse(text);
	} catch {
		throw new Error("OPPORTUNITY_STRATEGY_SYMBOL_POLICIES: expected JSON");
	}
	const parsed = z.record(z.string(), policyFieldsSchema).safeParse(document);
	if (!parsed.success) {
		const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
		throw new Error(`OPPORTUNITY_STRATEGY_SYMBOL_POLICIES: ${problems.join("; ")}`);
	}
	const overlay = new Map<string, PolicyFields>();
	const unknown: string[] = [];
	for (const [word, fields] of Object.entries(parsed.data)) {
		const entry = findStrategy(word);
		if (entry) overlay.set(strategyKey(entry), fields);
		else unknown.push(word);
	}
	if (unknown.length > 0) throw new Error(`OPPORTUNITY_STRATEGY_SYMBOL_POLICIES: no such strategy: ${unknown.join(", ")}`);
	return overlay;
}
