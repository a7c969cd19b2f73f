import * as assert from "uvu/assert";
import type { Evaluation, Opportunity } from "../../src/strategies/contract.ts";

/** Rows of both lists by what names them, and every rejection: what an evaluation says, whatever its order. */
export function saidBy(evaluation: Evaluation): { rows: Opportunity[]; rejected: string[] } {
	const name = (row: Opportunity) => `${row.opportunity_id} ${row.metadata.structure ?? ""}`;
	return {
		rows: [...evaluation.published, ...evaluation.unproven].sort((a, b) => (name(a) < name(b) ? -1 : 1)),
		rejected: evaluation.rejected.map(({ symbol, reason }) => `${symbol} ${reason}`).sort(),
	};
}

/** Reasons that speak of a record or of money, after every signal gate has held. */
const ECONOMIC = new Set([
	"negative_expectancy",
	"cost_exceeds_edge",
	"capital_below_min_notional",
	"hedge_ineffective",
	"funding_against",
	"stop_too_wide",
	"leverage_limit",
	"cluster_limit",
	"rank_limit",
]);

/** Whether each candidate's signal gates held: `fires`, whatever its record is worth, or the gate that failed. */
export function signalsIn(evaluation: Evaluation): string[] {
	const { rows, rejected } = saidBy(evaluation);
	return [
		...rows.map(({ symbol }) => `${symbol} fires`),
		...rejected.map((line) => {
			const [symbol = "", reason = ""] = line.split(" ");
			return `${symbol} ${ECONOMIC.has(reason) ? "fires" : reason}`;
		}),
	].sort();
}

/** Equal in every key, text and flag, and in every number up to a share of it; `skip` names keys left out. */
export function alike(
	actual: unknown,
	expected: unknown,
	share: number,
	skip: ReadonlySet<string> = new Set(),
	path = "",
): void {
	if (typeof actual === "number" && typeof expected === "number") {
		const near = actual === expected || Math.abs(actual - expected) <= share * Math.max(1e-9, Math.abs(expected));
		assert.ok(near, `${path}: ${actual} against ${expected}`);
		return;
	}
	if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
		assert.is(actual, expected, path);
		return;
	}
	const keys = (of: object) =>
		Object.keys(of)
			.filter((key) => !skip.has(key))
			.sort();
	assert.equal(keys(actual), keys(expected), `${path}: keys`);
	for (const key of keys(actual)) {
		const [a, b] = [actual, expected].map((of) => (of as Record<string, unknown>)[key]);
		alike(a, b, share, skip, `${path}.${key}`);
	}
}
