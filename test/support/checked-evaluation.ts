import * as assert from "uvu/assert";
import { REASON_CODES } from "../../src/api/schemas/reason-codes.ts";
import type { Evaluation } from "../../src/strategies/contract.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";

/** The evaluation itself, after what holds for every one: its schema, that all add up, that each reason is known. */
export function checked(evaluation: Evaluation): Evaluation {
	const result = evaluationSchema.safeParse(evaluation);
	assert.ok(result.success, JSON.stringify(result.error?.issues.slice(0, 3)));
	const { evaluated, published, unproven, rejected } = evaluation;
	assert.is(evaluated, published.length + unproven.length + rejected.length);
	for (const { reason } of rejected) assert.ok((REASON_CODES as readonly string[]).includes(reason), reason);
	return evaluation;
}

/** How many candidates were rejected for each reason. */
export function reasonCounts({ rejected }: Evaluation): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { reason } of rejected) counts[reason] = (counts[reason] ?? 0) + 1;
	return counts;
}
