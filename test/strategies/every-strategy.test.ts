import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";
import { closeScenes, HEAVY_PORTFOLIO, requestOn, scene } from "../support/evaluate-on.ts";

/** What must hold for every strategy that this build has, on one and the same simulated market. */
const every = suite("every strategy");
every.after(closeScenes);

const MARKET = "simulated:3";
const AS_OF = "2026-02-11T00:00:00.000Z";
const SYMBOLS_MAX = 20;

const requestFor = async (id: string): Promise<EvaluationRequest> =>
	requestOn(id, await scene(MARKET, AS_OF), HEAVY_PORTFOLIO, SYMBOLS_MAX);

const reversed = <T>(list: readonly T[]): T[] => [...list].reverse();

for (const id of builtStrategyIds()) {
	every(`${id}: counts every candidate once, keeps its schema, publishes only what is proven`, async () => {
		const request = await requestFor(id);
		const evaluation = evaluate(request);
		const parsed = evaluationSchema.safeParse(evaluation);
		assert.ok(parsed.success, JSON.stringify(parsed.error?.issues.slice(0, 3)));
		const { evaluated, published, unproven, rejected, near_misses } = evaluation;
		assert.is(evaluated, published.length + unproven.length + rejected.length);
		assert.ok(near_misses.length <= 3);
		for (const row of published) {
			assert.ok(["A", "B"].includes(row.evidence.grade), `${row.symbol} has grade ${row.evidence.grade}`);
			assert.is.not(row.confidence_score, null);
		}
		for (const row of [...published, ...unproven]) {
			assert.is(row.strategy_id, id);
			assert.is(row.data_source.kind, "simulated");
			assert.ok(Date.parse(row.as_of) <= request.view.as_of_ms, "no datum after as_of");
		}
		for (const { symbol, reason } of rejected) assert.ok(symbol && reason);
		const rows = [...published, ...unproven].map((row) => row.opportunity_id);
		assert.is(new Set(rows).size, rows.length, "ids are unique");
	});

	every(
		`${id}: the order of candidates, positions, series and markets does not matter, and once more is the same`,
		async () => {
			const request = await requestFor(id);
			const { view } = request;
			const turned: EvaluationRequest = {
				...request,
				candidates: reversed(request.candidates),
				portfolio: { ...request.portfolio, positions: reversed(request.portfolio.positions) },
				view: {
					...view,
					series: Object.fromEntries(reversed(Object.entries(view.series))),
					markets: Object.fromEntries(reversed(Object.entries(view.markets))),
					evidence: { series: reversed(view.evidence.series), funding: reversed(view.evidence.funding) },
				},
			};
			const sorted = (output: ReturnType<typeof evaluate>) => ({
				published: [...output.published].sort((a, b) => (a.opportunity_id < b.opportunity_id ? -1 : 1)),
				unproven: [...output.unproven].sort((a, b) => (a.opportunity_id < b.opportunity_id ? -1 : 1)),
				rejected: output.rejected.map(({ symbol, reason }) => `${symbol} ${reason}`).sort(),
			});
			const straight = sorted(evaluate(request));
			assert.equal(sorted(evaluate(turned)), straight);
			assert.equal(sorted(evaluate(request)), straight);
		},
	);

	every(`${id}: nothing to read is rejected under a reason, never an exception and never silence`, async () => {
		const request = await requestFor(id);
		const errors = Object.fromEntries(request.candidates.map(({ symbol }) => [symbol, "fetch_failed"]));
		const nothing = { series: {}, funding: {}, books: {}, trades: {}, chains: {}, volatility: {} };
		const blind = evaluate({ ...request, view: { ...request.view, ...nothing, errors } });
		assert.is(blind.published.length, 0);
		assert.is(blind.evaluated, blind.unproven.length + blind.rejected.length);
		assert.ok(blind.rejected.length > 0);
		assert.ok(findBuiltStrategy(id));
	});
}

every.run();
