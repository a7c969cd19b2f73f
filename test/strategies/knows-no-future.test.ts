import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";
import { PLACES, requestAt } from "../support/places.ts";

/**
 * No strategy may say at t what it could not know at t. Asked here of whole scans: the same moment on a source
 * that ends there and on one whose series go on for weeks. (look-ahead.test.ts asks it bar by bar of the rules.)
 */
const test = suite("no strategy knows the future");
const DAY_MS = 86_400_000;
const LATER_DAYS = 40;

for (const id of builtStrategyIds()) {
	const place = PLACES[id]?.publishes;
	if (!place) throw new Error(`${id} has no place`);
	const clockMs = Date.parse(place.at) + LATER_DAYS * DAY_MS;

	test(`${id}: the signals of a bar are the same on the full series and on data that end with it`, async () => {
		const [then, later] = [await requestAt(id, place), await requestAt(id, place, clockMs)];
		const said = evaluate(then);
		assert.equal(evaluate(later), said);
		assert.ok(said.published.length + said.unproven.length > 0, "a place without rows shows little");
	});

	if (!findBuiltStrategy(id)?.needs.evidence) continue;
	test(`${id}: a record that is handed later bars counts nothing of them`, async () => {
		const then = await requestAt(id, place);
		const next = await requestAt(id, { ...place, at: new Date(clockMs).toISOString() });
		const grown = next.view.evidence.series.some((series, i) => series.length !== then.view.evidence.series[i]?.length);
		assert.ok(grown, "the later record is no longer");
		const told = evaluate({ ...then, view: { ...then.view, evidence: next.view.evidence } });
		assert.equal(told, evaluate(then));
	});
}

test.run();
