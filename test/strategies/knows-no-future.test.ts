import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { BAR_COLUMN_NAMES } from "../../src/market/series.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";
import { PLACES, requestAt } from "../support/places.ts";

/**
 * No strategy may say at t what it could not know at t. Asked here of whole scans: the same moment on a source
 * that ends there and on one whose series go on for weeks. (look-ahead.test.ts asks it bar by bar of the rules.)
 */
const test = suite("no strategy knows the future");
const DAY_MS = 86_400_000;
const LATER_DAYS = 25;

/** The series with the bars of its later self behind it. Windows of minutes move: their later self has lost the oldest. */
function continued(series: Series, later: readonly Series[]): Series {
	const next = later.find(({ symbol, venue }) => symbol === series.symbol && venue === series.venue);
	const end = series.open_time.at(-1) ?? Number.NEGATIVE_INFINITY;
	const from = next?.open_time.findIndex((time) => time > end) ?? -1;
	if (!next || from < 0) return series;
	const join = (name: (typeof BAR_COLUMN_NAMES)[number]) => Float64Array.of(...series[name], ...next[name].slice(from));
	const columns = Object.fromEntries(BAR_COLUMN_NAMES.map((name) => [name, join(name)]));
	return { ...series, ...columns, length: series.length + next.length - from };
}

for (const id of builtStrategyIds()) {
	const places = PLACES[id];
	if (!places) throw new Error(`${id} has no place`);
	const place = places.publishes;
	const laterThan = (at: string) => Date.parse(at) + LATER_DAYS * DAY_MS;

	test(`${id}: the signals of a bar are the same on the full series and on data that end with it`, async () => {
		const [then, later] = [await requestAt(id, place), await requestAt(id, place, laterThan(place.at))];
		const said = evaluate(then);
		assert.equal(evaluate(later), said);
		assert.ok(said.published.length + said.unproven.length > 0, "a place without rows shows little");
	});

	if (!findBuiltStrategy(id)?.needs.evidence) continue;
	test(`${id}: a record that is handed later bars counts nothing of them`, async () => {
		const then = await requestAt(id, place);
		const next = await requestAt(id, { ...place, at: new Date(laterThan(place.at)).toISOString() });
		const { series, funding } = then.view.evidence;
		const evidence = {
			...next.view.evidence,
			series: series.map((one) => continued(one, next.view.evidence.series)),
			funding: funding.map((one) => next.view.evidence.funding.find(({ symbol }) => symbol === one.symbol) ?? one),
		};
		assert.ok(evidence.series.some((one, i) => one.length > (series[i]?.length ?? 0)));
		assert.equal(evaluate({ ...then, view: { ...then.view, evidence } }), evaluate(then));
	});
}

test.run();
