import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Opportunity } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import { PLACES, requestAt } from "../support/places.ts";

/** A reader can trace every number of a row: what it was made of, how, from when, and what it costs. */
const test = suite("rows explain themselves");
const DAY_MS = 86_400_000;
const NEAR = 1e-6;

function explains(row: Opportunity, asOfMs: number): void {
	const { evidence, costs, metadata, data_source, symbol } = row;
	const what = `${row.strategy_id} ${symbol}`;
	assert.ok(evidence.method.length > 10, `${what}: method of the evidence`);
	const age = asOfMs - Date.parse(row.as_of);
	assert.ok(age >= 0 && age < 3 * DAY_MS, `${what}: as_of ${row.as_of}`);
	assert.ok(data_source.kind === "simulated" && data_source.name !== "" && data_source.as_of !== null, what);
	const { fee_bps, spread_bps, impact_bps, funding_bps, total_bps } = costs;
	for (const cost of [fee_bps, spread_bps, impact_bps, funding_bps]) assert.ok(Number.isFinite(cost), `${what}: costs`);
	assert.ok(Math.abs(fee_bps + spread_bps + impact_bps + funding_bps - total_bps) < NEAR, `${what}: costs add up`);
	assert.ok(typeof metadata.reasoning === "string" && /\d/.test(metadata.reasoning), `${what}: reasoning with numbers`);
	const indicators = Object.values((metadata.indicators ?? {}) as Record<string, unknown>);
	assert.ok(indicators.length > 0 && indicators.every(Number.isFinite), `${what}: indicators`);
	assert.is(typeof metadata.signal_strength, "number", what);
	assert.is(typeof metadata.capital_assumed, "boolean", `${what}: whose capital`);
	proves(row, what);
}

/** A confidence has a sample behind it, within its interval; a row without one says why. */
function proves(
	{ evidence, confidence_score: score, confidence_low, confidence_high, ...row }: Opportunity,
	what: string,
) {
	if (score === null) {
		assert.is(row.unproven_reason, "insufficient_evidence", what);
		assert.is(evidence.n, 0, `${what}: a record without a confidence`);
		return;
	}
	assert.ok((confidence_low ?? 101) <= score && score <= (confidence_high ?? -1), `${what}: interval`);
	const certain = evidence.method.startsWith("deterministic");
	assert.ok(
		certain || (evidence.n > 0 && evidence.first_trade !== null && evidence.last_trade !== null),
		`${what}: sample`,
	);
	assert.ok(certain || evidence.universe_size > 0, `${what}: universe`);
	assert.ok(evidence.n_effective <= evidence.n + NEAR && evidence.wins <= evidence.n, `${what}: counts`);
}

for (const id of builtStrategyIds()) {
	test(`${id}: method, inputs, costs, source and time of every row`, async () => {
		const place = PLACES[id]?.publishes;
		if (!place) throw new Error(`${id} has no place`);
		const request = await requestAt(id, place);
		const { published, unproven, thresholds, data_as_of } = evaluate(request);
		const rows = [...published, ...unproven];
		assert.ok(rows.length > 0, "a place without rows shows little");
		for (const row of rows) explains(row, request.view.as_of_ms);
		assert.ok(Object.keys(thresholds).length > 0 && data_as_of !== null);
		const newest = Math.max(...rows.map((row) => Date.parse(row.as_of)));
		assert.ok(Date.parse(data_as_of ?? "") >= newest, "data_as_of is that of the newest datum");
	});
}

test.run();
