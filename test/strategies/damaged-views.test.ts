import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { BAR_COLUMN_NAMES } from "../../src/market/series.ts";
import type { EvaluationRequest, MarketView } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, findBuiltStrategy, gatesOf } from "../../src/strategies/registry.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";
import { PLACES, requestAt } from "../support/places.ts";

/** Sources fail in every way at once: whatever is missing, each candidate is counted once, under a reason. */
const test = suite("damaged views");
const DAY_MS = 86_400_000;

const rows = (series: Series, keep: (i: number) => boolean): Series => {
	const columns = Object.fromEntries(BAR_COLUMN_NAMES.map((name) => [name, series[name].filter((_, i) => keep(i))]));
	return { ...series, ...columns, length: columns.open_time?.length ?? 0 };
};

/** Ways in which the data of one symbol may be unfit. */
const DAMAGES: Record<string, (view: MarketView, symbol: string) => Partial<MarketView>> = {
	unread: (view, symbol) => ({ errors: { ...view.errors, [symbol]: "fetch_failed" } }),
	absent: (view, symbol) => ({
		series: without(view.series, symbol),
		funding: without(view.funding, symbol),
		books: without(view.books, symbol),
		trades: without(view.trades ?? {}, symbol),
		chains: without(view.chains ?? {}, symbol.split("/")[0] ?? ""),
	}),
	short: (view, symbol) => reshaped(view, symbol, (series) => rows(series, (i) => i >= series.length - 40)),
	empty: (view, symbol) => reshaped(view, symbol, (series) => rows(series, () => false)),
	stale: (view, symbol) => reshaped(view, symbol, (series) => rows(series, (i) => i < series.length - 20)),
	holed: (view, symbol) => reshaped(view, symbol, (series) => rows(series, (i) => i % 17 !== 3)),
	silent: (view, symbol) => reshaped(view, symbol, (series) => ({ ...series, volume: series.volume.map(() => 0) })),
	flat: (view, symbol) => reshaped(view, symbol, flattened),
};

const without = <T>(record: Record<string, T>, key: string): Record<string, T> =>
	Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
const reshaped = (view: MarketView, symbol: string, change: (series: Series) => Series): Partial<MarketView> => {
	const series = view.series[symbol];
	return series ? { series: { ...view.series, [symbol]: change(series) } } : {};
};
function flattened(series: Series): Series {
	const price = series.close.at(-1) ?? 1;
	const flat = series.close.map(() => price);
	return { ...series, open: flat, high: flat, low: flat, close: flat };
}

/** A part of the candidates, some of them damaged; positions of a portfolio stay whole. */
function damagedRequest(request: EvaluationRequest, kept: boolean[], damages: string[]): EvaluationRequest {
	const ofPositions = findBuiltStrategy(request.strategy_id)?.needs.candidates === "positions";
	const candidates = request.candidates.filter((_, i) => ofPositions || kept[i % kept.length]);
	const view = { ...request.view };
	for (const [i, { symbol }] of candidates.entries()) {
		const damage = DAMAGES[damages[i % damages.length] ?? ""];
		if (damage) Object.assign(view, damage(view, symbol));
	}
	return { ...request, candidates, view };
}

for (const id of builtStrategyIds()) {
	test(`${id}: whatever is missing, the counts add up and every rejection has a declared reason`, async () => {
		const place = PLACES[id]?.publishes;
		if (!place) throw new Error(`${id} has no place`);
		const request = await requestAt(id, place);
		const declared = new Set(gatesOf(id).map(({ reason }) => reason));
		fc.assert(
			fc.property(
				fc.array(fc.boolean(), { minLength: 3, maxLength: 7 }),
				fc.array(fc.constantFrom("sound", ...Object.keys(DAMAGES)), { minLength: 2, maxLength: 9 }),
				(kept, damages) => {
					const damaged = damagedRequest(request, kept, damages);
					const evaluation = evaluate(damaged);
					const { evaluated, published, unproven, rejected, near_misses } = evaluation;
					assert.is(evaluated, published.length + unproven.length + rejected.length);
					const parsed = evaluationSchema.safeParse(evaluation);
					assert.ok(parsed.success, JSON.stringify(parsed.error?.issues.slice(0, 2)));
					for (const { symbol, reason } of rejected) assert.ok(declared.has(reason) && symbol !== "", reason);
					for (const { distance } of near_misses) assert.ok(distance === null || Number.isFinite(distance));
					for (const row of [...published, ...unproven])
						assert.ok(Date.parse(row.as_of) > damaged.view.as_of_ms - 4 * DAY_MS, `${row.symbol} rests on old data`);
				},
			),
			{ numRuns: 12, seed: 7 },
		);
	});
}

test.run();
