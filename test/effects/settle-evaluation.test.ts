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
			assert.equal([...rows.keys()].sort(), [...tally.row_ids, ...tally.unproven_ids].sort());
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

const settleInput = (
	candidates: string[],
	candidates_total: number,
	failures: ReadonlyMap<string, { reason: string }>,
) => ({
	candidates,
	candidates_total,
	failures,
	filters: {},
	rows_max: 10,
	compareRows: contractOrder,
	as_of_ms: AS_OF_MS,
	discoveredAt: () => "",
});

/** Every pair of `n` symbols: rejected for an unread leg where there is one, else for its own reason. */
function pairsOf(n: number, unread: ReadonlySet<string>, found: number): Evaluation {
	const symbols = Array.from({ length: n }, (_, i) => `C${i}/USDT`);
	const evaluation: Evaluation = { ...evaluationOf([]), candidate_unit: "pair" };
	symbols.forEach((a, i) => {
		for (const b of symbols.slice(i + 1)) {
			const symbol = `${a.split("/")[0]}-${b.split("/")[0]}`;
			const cause = [a, b].find((leg) => unread.has(leg));
			if (cause) evaluation.rejected.push({ symbol, reason: "fetch_failed", cause });
			else if (evaluation.published.length < found) evaluation.published.push(row(symbol));
			else evaluation.rejected.push({ symbol, reason: "not_cointegrated" });
		}
	});
	return { ...evaluation, evaluated: evaluation.published.length + evaluation.rejected.length };
}

test("pairs are totalled as pairs before the limit, other units as they were counted", () => {
	const none = new Map<string, { reason: string }>();
	const settled = settleEvaluation(pairsOf(2, new Set(), 0), settleInput(["C0/USDT", "C1/USDT"], 4, none));
	assert.equal([settled.tally.evaluated, settled.tally.candidates_total], [1, 6]);
	const structure: Evaluation = {
		...evaluationOf([]),
		candidate_unit: "structure",
		evaluated: 1,
		rejected: [{ symbol: "A-B", reason: "no_trigger" }],
	};
	assert.is(settleEvaluation(structure, settleInput(["A/USDT"], 4, none)).tally.candidates_total, 1);
});

test("each pair is in exactly one count, and one whose leg was not read counts by why it was not", () => {
	const reads = fc.array(fc.constantFrom(null, "fetch_failed", "timeout"), { minLength: 2, maxLength: 12 });
	fc.assert(
		fc.property(reads, fc.nat({ max: 15 }), fc.nat({ max: 5 }), (fates, found, beyond) => {
			const symbols = fates.map((_, place) => `C${place}/USDT`);
			const failures = new Map<string, { reason: string }>(
				fates.flatMap((reason, place) => (reason === null ? [] : [[`C${place}/USDT`, { reason }] as const])),
			);
			const n = symbols.length;
			const evaluation = pairsOf(n, new Set(failures.keys()), found);
			const { tally } = settleEvaluation(evaluation, settleInput(symbols, n + beyond, failures));
			const sum = Object.values(tally.rejected).reduce((total, count) => total + count, 0);
			const all = n + beyond;
			assert.is(tally.evaluated, (n * (n - 1)) / 2);
			assert.is(tally.row_ids.length + sum, tally.evaluated);
			assert.is(tally.candidates_total, (all * (all - 1)) / 2);
			for (const reason of ["fetch_failed", "timeout"]) {
				const caused = evaluation.rejected.filter(({ cause }) => cause && failures.get(cause)?.reason === reason);
				assert.is(tally.rejected[reason] ?? 0, caused.length);
			}
		}),
		{ numRuns: 100 },
	);
});

test("a pair too few or too many breaks the contract; beyond 25 candidates 300 pairs are due", () => {
	const symbols = (n: number) => Array.from({ length: n }, (_, i) => `C${i}/USDT`);
	const none = new Map<string, { reason: string }>();
	assert.throws(() => settleEvaluation(pairsOf(3, new Set(), 0), settleInput(symbols(4), 4, none)), /counts 3 of 6/);
	const { tally } = settleEvaluation(pairsOf(25, new Set(), 0), settleInput(symbols(30), 30, none));
	assert.equal([tally.evaluated, tally.candidates_total], [300, 435]);
});

test.run();
