import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { BAR_COLUMN_NAMES } from "../../src/market/series.ts";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";
import { PLACES, requestAt } from "../support/places.ts";
import { alike, saidBy, signalsIn } from "../support/verdicts.ts";

/**
 * A signal must not depend on how far back a source happens to reach. Each strategy declares from how many bars
 * on older ones move nothing (`needs.history.bars_settled`); here its series are cut to that many and compared
 * with the whole ones. What must agree: which gate each candidate fails or that it fires; of rows the side,
 * the prices and every indicator, within 0.1 % where a mean is recursive. What may grow with history is the
 * record: its counts, and with them confidence, grade, size and expected profit.
 */
const test = suite("older history than declared changes no signal");
const SHARE = 0.001;

/** Where a strategy's record is made of the very series it reads, it shortens with them. */
const OWN_RECORD = new Set([
	"ai_risk_management",
	"ai_portfolio_optimization",
	"ai_hedge_position",
	"ai_scalping_strategy",
	"ai_options_trade",
	"ai_complex_strategy",
]);

const newest = (series: Series, bars: number): Series => {
	if (series.length <= bars) return series;
	const columns = Object.fromEntries(BAR_COLUMN_NAMES.map((name) => [name, series[name].slice(-bars)]));
	return { ...series, ...columns, length: bars };
};

const shortened = (request: EvaluationRequest, bars: number): EvaluationRequest => ({
	...request,
	view: {
		...request.view,
		series: Object.fromEntries(Object.entries(request.view.series).map(([key, one]) => [key, newest(one, bars)])),
	},
});

/** What a row says of the present, without what its record says of the past. */
const presentIn = (request: EvaluationRequest) =>
	saidBy(evaluate(request)).rows.map(({ opportunity_id, side, entry_price, stop_price, target_price, metadata }) => {
		const { indicators, structure, method } = metadata;
		return { opportunity_id, side, entry_price, stop_price, target_price, indicators, structure, method };
	});

type Present = ReturnType<typeof presentIn>;
const commonRows = (a: Present, b: Present) =>
	a.flatMap((row) => {
		const other = b.find(
			(one) =>
				one.opportunity_id === row.opportunity_id && one.structure === row.structure && one.method === row.method,
		);
		return other ? [[row, other] as const] : [];
	});

for (const id of builtStrategyIds()) {
	const history = findBuiltStrategy(id)?.needs.history;
	const place = PLACES[id]?.publishes;
	if (!place || !history) continue;

	test(`${id}: ${history.bars_settled} bars say what the whole history says`, async () => {
		const whole = await requestAt(id, place);
		const short = shortened(whole, history.bars_settled);
		const cut = Object.values(whole.view.series).filter((series) => series.length > history.bars_settled);
		assert.ok(cut.length > 0, "no series is longer than declared");
		assert.equal(signalsIn(evaluate(short)), signalsIn(evaluate(whole)));
		const [present, expected] = [presentIn(short), presentIn(whole)];
		if (OWN_RECORD.has(id)) {
			// A shorter record may fall below what a row asks for, or prefer another structure: rows of both are compared.
			const both = commonRows(present, expected);
			assert.ok(both.length > 0, "no row in common");
			for (const [a, b] of both) alike(a, b, SHARE);
			return;
		}
		alike(present, expected, SHARE);
		const [a, b] = [saidBy(evaluate(short)), saidBy(evaluate(whole))];
		assert.equal(a.rejected, b.rejected);
		alike(a.rows, b.rows, 5 * SHARE);
	});
}

test("every strategy that reads bars declares how many, at least as many as it asks for", () => {
	for (const id of builtStrategyIds()) {
		const needs = findBuiltStrategy(id)?.needs;
		assert.is(needs?.history !== undefined, needs?.candles, id);
		if (needs?.history) assert.ok(needs.history.bars_settled >= needs.history.bars_min, id);
	}
});

test.run();
