import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { settleEvaluation } from "../../src/effects/settle-evaluation.ts";
import type { Evaluation } from "../../src/strategies/contract.ts";
import { AS_OF_MS } from "./fake-market.ts";
import { contractOrder, row } from "./fakes.ts";

const test = suite("effects/settle-evaluation");

/** What becomes of one candidate: the strategy's answer, and whether its data had arrived. */
const fate = fc.record({
	answer: fc.constantFrom("published", "unproven", "rejected"),
	unread: fc.constantFrom(null, "fetch_failed", "timeout"),
	counted: fc.boolean(),
	risk: fc.constantFrom<"low" | "high">("low", "high"),
	net: fc.integer({ min: -5, max: 5 }),
});
type Fate = typeof fate extends fc.Arbitrary<infer F> ? F : never;

function evaluationOf(fates: readonly Fate[]): Evaluation {
	const evaluation: Evaluation = {
		candidate_unit: "symbol",
		evaluated: 0,
		published: [],
		unproven: [],
		rejected: [],
		near_misses: [],
		thresholds: {},
		data_as_of: null,
		report: {},
	};
	for (const [place, { answer, unread, counted, risk, net }] of fates.entries()) {
		const symbol = `C${place}/USDT`;
		if (unread !== null) {
			if (counted) evaluation.rejected.push({ symbol, reason: "insufficient_history" });
		} else if (answer === "rejected") evaluation.rejected.push({ symbol, reason: "no_trigger" });
		else {
			const base = row(symbol, { risk_level: risk });
			evaluation[answer === "published" ? "published" : "unproven"].push({
				...base,
				evidence: { ...base.evidence, mean_net_bps: net },
			});
		}
	}
	return {
		...evaluation,
		evaluated: evaluation.published.length + evaluation.unproven.length + evaluation.rejected.length,
	};
}

test("whatever fails, is filtered or exceeds a bound: every candidate is in exactly one count", () => {
	const shuffled = fc.array(fate, { maxLength: 25 }).chain((fates) =>
		fc.tuple(
			fc.constant(fates),
			fc.shuffledSubarray(
				fates.map((_, place) => place),
				{ minLength: fates.length },
			),
		),
	);
	const bounds = fc.record({
		rows_max: fc.integer({ min: 0, max: 10 }),
		filtered: fc.boolean(),
		beyond: fc.nat({ max: 9 }),
	});
	fc.assert(
		fc.property(shuffled, bounds, ([fates, order], { rows_max, filtered, beyond }) => {
			const symbols = fates.map((_, place) => `C${place}/USDT`);
			const failures = new Map(
				fates.flatMap(({ unread }, place) =>
					unread === null ? [] : [[`C${place}/USDT`, { reason: unread }] as const],
				),
			);
			const input = {
				candidates: symbols,
				candidates_total: symbols.length + beyond,
				failures,
				filters: filtered ? { filter_by_risk_level: ["low"] } : {},
				rows_max,
				compareRows: contractOrder,
				as_of_ms: AS_OF_MS,
				discoveredAt: () => "",
			};
			const { tally, rows, rejected } = settleEvaluation(evaluationOf(fates), input);
			const sum = Object.values(tally.rejected).reduce((total, count) => total + count, 0);
			assert.is(tally.evaluated, fates.length);
			assert.is(tally.row_ids.length + tally.unproven_ids.length + sum, tally.evaluated);
			assert.is(tally.candidates_total, tally.evaluated + beyond);
			assert.is(rejected.length, sum);
			assert.ok(tally.row_ids.length <= rows_max && tally.unproven_ids.length <= rows_max);
			assert.equal(Object.keys(rows).sort(), [...tally.row_ids, ...tally.unproven_ids].sort());
			for (const reason of ["fetch_failed", "timeout"]) {
				assert.is(tally.rejected[reason] ?? 0, fates.filter(({ unread }) => unread === reason).length);
			}

			const base = evaluationOf(fates);
			const place = (one: { symbol: string }) => order.indexOf(symbols.indexOf(one.symbol));
			const by = <T extends { symbol: string }>(list: readonly T[]) => [...list].sort((a, b) => place(a) - place(b));
			const other = {
				...base,
				published: by(base.published),
				unproven: by(base.unproven),
				rejected: by(base.rejected),
			};
			assert.equal(settleEvaluation(other, input).tally, tally, "the order of candidates does not matter");
		}),
		{ numRuns: 300 },
	);
});

test("pairs are totalled as pairs before the limit, other units as they were counted", () => {
	const input = {
		candidates: ["A/USDT", "B/USDT"],
		candidates_total: 4,
		failures: new Map(),
		filters: {},
		rows_max: 10,
		compareRows: contractOrder,
		as_of_ms: AS_OF_MS,
		discoveredAt: () => "",
	};
	const one = (candidate_unit: string): Evaluation => ({
		...evaluationOf([]),
		candidate_unit,
		evaluated: 1,
		rejected: [{ symbol: "A-B", reason: "not_cointegrated" }],
	});
	assert.is(settleEvaluation(one("pair"), input).tally.candidates_total, 6);
	assert.is(settleEvaluation(one("structure"), input).tally.candidates_total, 1);
});

test.run();
