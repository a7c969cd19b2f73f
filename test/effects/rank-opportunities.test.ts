import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RankingDocument } from "../../src/effects/contract.ts";
import type { EffectDeps } from "../../src/effects/ports.ts";
import { createRankAtOnce, createRankOpportunities, rankRows } from "../../src/effects/rank-opportunities.ts";
import type { Grade, Opportunity } from "../../src/strategies/contract.ts";
import { bounded, ManualClock, never, settled } from "./fake-clock.ts";
import { effectContext, entry, type ScanOptions, scanContext } from "./fake-scan.ts";
import { contractOrder, fakeDeps, MOMENTUM, row } from "./fakes.ts";

const test = suite("effects/rank-opportunities");
const BREAKOUT = "ai_spot_breakout_strategy";

const graded = (
	id: string,
	grade: Grade,
	mean_net_bps: number,
	n_effective: number,
	strategy_id = MOMENTUM,
): Opportunity => {
	const base = row(`${id}/USDT`, { strategy_id });
	return { ...base, opportunity_id: id, evidence: { ...base.evidence, grade, mean_net_bps, n_effective } };
};
const byId = (rows: readonly Opportunity[]) => new Map(rows.map((one) => [one.opportunity_id, one]));

/** The scan whose strategies accepted these rows. */
const scanOf = (published: readonly Opportunity[], unproven: readonly Opportunity[] = [], options: ScanOptions = {}) =>
	scanContext({
		...options,
		entries: [MOMENTUM, BREAKOUT].map((id) => {
			const own = (rows: readonly Opportunity[]) =>
				rows.filter((one) => one.strategy_id === id).map((one) => one.opportunity_id);
			return entry(id, { row_ids: own(published), unproven_ids: own(unproven) });
		}),
	});

async function ranked(
	scan: ReturnType<typeof scanContext>,
	rows: readonly Opportunity[],
	overrides: Partial<EffectDeps> = {},
) {
	const deps = fakeDeps(overrides);
	const context = effectContext(scan, deps.clock, { timeMs: 20_000, rows: byId(rows) });
	const { ranking, attachments } = await createRankOpportunities(deps)(context);
	return { ranking, document: attachments.documents?.ranking as RankingDocument };
}

test(
	"grade, then net per unit of risk, then n_effective, then id",
	bounded(async () => {
		const rows = [
			graded("e", "B", 100, 40),
			graded("d", "B", 100, 40),
			graded("c", "B", 100, 50),
			graded("b", "B", 200, 30),
			graded("a", "A", 1, 100),
		];
		const { ranking, document } = await ranked(scanOf(rows), rows);
		assert.equal(document.ranked, ["a", "b", "c", "d", "e"]);
		assert.equal([ranking.ranked_count, ranking.unproven_count, ranking.cut], [5, 0, {}]);
	}),
);

test("the ranking is total and does not depend on the order of rows or strategies", () => {
	const anyRow = fc.record({
		id: fc.stringMatching(/^[a-z0-9]{1,6}$/),
		grade: fc.constantFrom<Grade>("A", "B"),
		net: fc.integer({ min: 1, max: 3 }),
		n: fc.integer({ min: 30, max: 32 }),
		strategy: fc.constantFrom(MOMENTUM, BREAKOUT),
	});
	const shuffled = fc
		.uniqueArray(anyRow, { selector: ({ id }) => id, maxLength: 20 })
		.map((list) => list.map(({ id, grade, net, n, strategy }) => graded(id, grade, net, n, strategy)))
		.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
	fc.assert(
		fc.property(shuffled, fc.integer({ min: 1, max: 10 }), ([rows, other], scan_limit) => {
			const options = { profile: { scan_limit } };
			const one = rankRows(scanOf(rows, [], options), byId(rows), contractOrder);
			const two = rankRows(scanOf(other, [], options), byId(other), contractOrder);
			assert.equal(one, two);
			assert.is(one.ranked.length, Math.min(scan_limit, rows.length));
			const cut = Object.values(one.cut).reduce((sum, ids) => sum + ids.length, 0);
			assert.is(one.ranked.length + cut, rows.length);
			const map = byId(rows);
			for (const [place, id] of one.ranked.slice(1).entries()) {
				const [better, worse] = [map.get(one.ranked[place] ?? ""), map.get(id)];
				assert.ok(better && worse && contractOrder(better, worse) <= 0);
			}
		}),
		{ numRuns: 200 },
	);
});

test(
	"at once it is the same ranking, with recommendations and without",
	bounded(async () => {
		const rows = [graded("b", "B", 2, 40), graded("a", "A", 3, 100, BREAKOUT), graded("c", "B", 1, 40)];
		const weak = [graded("u", "C", 900, 500)];
		for (const recommendations of [true, false]) {
			const scan = scanOf(rows, weak, { recommendations, profile: { scan_limit: 2 } });
			const all = [...rows, ...weak];
			const now = createRankAtOnce(fakeDeps())(scan, byId(all));
			const { ranking, document } = await ranked(scan, all);
			assert.equal(now, { ranking, attachments: { documents: { ranking: document } } });
			assert.is(document.recommendations.length, recommendations ? 3 : 0);
		}
	}),
);

test("is not at once where a recommendation is measured, and fails where a row is missing", () => {
	const rankAtOnce = createRankAtOnce(fakeDeps({ measure: async () => ({ mean_net_bps: 1, n: 40 }) }));
	assert.is(rankAtOnce(scanOf([]), new Map()), null);
	const one = [graded("a", "B", 1, 30)];
	assert.ok(rankAtOnce(scanOf(one, [], { recommendations: false }), byId(one)));
	assert.throws(() => rankAtOnce(scanOf(one, [], { recommendations: false }), new Map()), /could not be read back/);
});

test(
	"what exceeds scan_limit or rows_max is counted per strategy",
	bounded(async () => {
		const rows = [
			graded("a", "A", 3, 100),
			graded("b", "B", 3, 40, BREAKOUT),
			graded("c", "B", 2, 40),
			graded("d", "B", 1, 40, BREAKOUT),
			graded("e", "B", 0.5, 40, BREAKOUT),
		];
		const limited = await ranked(scanOf(rows, [], { profile: { scan_limit: 2 } }), rows);
		assert.equal(limited.document.ranked, ["a", "b"]);
		assert.equal(limited.ranking.cut, { [MOMENTUM]: ["c"], [BREAKOUT]: ["d", "e"] });
		const capped = await ranked(scanOf(rows, [], { rowsMax: 4 }), rows);
		assert.equal(capped.ranking.cut, { [BREAKOUT]: ["e"] });
	}),
);

test(
	"unproven rows stand apart, whatever their figures",
	bounded(async () => {
		const published = [graded("a", "B", 1, 30)];
		const unproven = [graded("u", "C", 900, 500), graded("v", "C", 950, 5)];
		const { document, ranking } = await ranked(scanOf(published, unproven, { profile: { scan_limit: 1 } }), [
			...published,
			...unproven,
		]);
		assert.equal([document.ranked, document.unproven], [["a"], ["v", "u"]]);
		assert.is(ranking.unproven_count, 2);
	}),
);

test(
	"an accepted row that cannot be read back is a failure, not a shorter list",
	bounded(async () => {
		const rows = [graded("a", "B", 1, 30), graded("b", "B", 1, 30)];
		const outcome = await ranked(scanOf(rows), rows.slice(1)).catch((error: { code: string }) => error.code);
		assert.is(outcome, "ranking_failed");
	}),
);

test(
	"recommends at most three strategies that the user lacks and this build has, nothing invented",
	bounded(async () => {
		const { document, ranking } = await ranked(scanOf([]), []);
		assert.is(document.recommendations.length, 3);
		assert.is(ranking.recommendations, "completed");
		assert.equal(new Set(document.recommendations.map(({ benefit }) => benefit)), new Set(["not measured"]));
		assert.not(document.recommendations.some(({ strategy_id }) => strategy_id === MOMENTUM));
		const one = await ranked(scanOf([]), [], {
			strategyOf: (id) => (id === BREAKOUT ? { id, needs: {} as never } : undefined),
			measure: async () => ({ mean_net_bps: 282, n: 1405 }),
		});
		assert.equal(
			one.document.recommendations.map(({ strategy_id, benefit }) => [strategy_id, benefit]),
			[[BREAKOUT, "Mean net result of 282.0 bps per trade (n = 1405)"]],
		);
	}),
);

test(
	"a portfolio is recommended its own strategies first",
	bounded(async () => {
		const { document } = await ranked(scanOf([], [], { positions: 2 }), []);
		assert.equal(document.recommendations[0]?.strategy_id, "ai_risk_management");
	}),
);

test(
	"recommendations that fail or hang do not fail the scan; unwanted ones are skipped",
	bounded(async () => {
		const broken = await ranked(scanOf([]), [], { measure: () => Promise.reject(new Error("down")) });
		assert.equal([broken.ranking.recommendations, broken.document.recommendations], ["failed", []]);
		const unwanted = await ranked(scanOf([], [], { recommendations: false }), []);
		assert.equal([unwanted.ranking.recommendations, unwanted.ranking.recommendations_count], ["skipped", 0]);
		const clock = new ManualClock();
		let signal: AbortSignal | undefined;
		const running = ranked(scanOf([]), [], {
			clock,
			measure: (_, given) => {
				signal = given;
				return never();
			},
		});
		await clock.advance(6_000);
		assert.is((await running).ranking.recommendations, "failed");
		assert.is(signal?.aborted, true);
		assert.is(clock.armed(), 0);
	}),
);

test(
	"an abort ends ranking at once",
	bounded(async () => {
		const deps = fakeDeps({ measure: () => never() });
		const context = effectContext(scanOf([]), deps.clock);
		const outcome = createRankOpportunities(deps)(context).catch((error: Error) => error.message);
		await settled();
		context.abort(new Error("cancelled"));
		assert.is(await outcome, "cancelled");
	}),
);

test.run();
