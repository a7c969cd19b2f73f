import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import { type BarRow, type SeriesName, seriesOf } from "../support/recorded-bars.ts";
import {
	breakingSeries,
	candidateOf,
	DAY_MS,
	marketOf,
	portfolioOf,
	RECORDED,
	randomWalk,
	requestOf,
	revertingSeries,
	trendingSeries,
} from "../support/synthetic-market.ts";

const test = suite("spot strategies");
const SYMBOLS = Array.from({ length: 14 }, (_, i) => `C${String(i).padStart(2, "0")}/USDT`);
const MOMENTUM = "ai_spot_momentum_strategy";
const REVERSION = "ai_spot_mean_reversion";
const BREAKOUT = "ai_spot_breakout_strategy";
const MARKETS: [string, (symbol: string, bars: number, seed: number) => Series][] = [
	[MOMENTUM, trendingSeries],
	[REVERSION, revertingSeries],
	[BREAKOUT, breakingSeries],
];

for (const [strategyId, make] of MARKETS) {
	const series = SYMBOLS.map((symbol, i) => make(symbol, 1400, 100 + i));

	test(`${strategyId} fires on a market built for it`, () => {
		const evaluation = checked(evaluate(requestOf({ strategyId, series })));
		assert.ok(evaluation.published.length > 0, JSON.stringify(reasonCounts(evaluation)));
		assert.is(evaluation.evaluated, SYMBOLS.length);
		for (const row of evaluation.published) {
			assert.is(row.side, "long");
			assert.ok(row.stop_price !== null && row.entry_price !== null && row.target_price !== null);
			assert.ok(row.stop_price < row.entry_price && row.entry_price < row.target_price);
			assert.is(row.metadata.executable, true);
			assert.ok(row.profit_potential_usd > 0 && row.required_capital_usd > 0);
			const { hit_rate: hit, n_effective: n } = row.evidence;
			assert.ok(hit !== null && n > 30);
			assert.ok(Math.abs((row.confidence_score ?? 0) / 100 - hit) < 0.15, "confidence is near the measured rate");
			const bins = row.metadata["reliability_bins"] as { n: number; predicted: number; observed: number }[];
			const scored = bins.reduce((sum, bin) => sum + bin.n, 0);
			const ece = bins.reduce(
				(sum, { n, predicted, observed }) => sum + (n / scored) * Math.abs(predicted - observed),
				0,
			);
			assert.ok(
				Math.abs(ece - (row.evidence.ece ?? Number.NaN)) < 1e-4,
				"the bins of a row add up to its calibration error",
			);
		}
	});

	test(`${strategyId} stays empty with counts on flat prices`, () => {
		const flat = SYMBOLS.map((symbol) =>
			seriesOf(
				Array.from({ length: 400 }, (_, t): BarRow => [Date.UTC(2020, 0, 1) + t * DAY_MS, 100, 100.1, 99.9, 100, 1000]),
				{ symbol },
			),
		);
		const evaluation = checked(evaluate(requestOf({ strategyId, series: flat })));
		assert.is(evaluation.published.length + evaluation.unproven.length, 0);
		assert.equal(reasonCounts(evaluation), { no_trigger: SYMBOLS.length });
	});

	test(`${strategyId} answers alike whatever the order of candidates and universe`, () => {
		const straight = evaluate(requestOf({ strategyId, series }));
		const reversed = evaluate(requestOf({ strategyId, series: [...series].reverse() }));
		assert.equal(reversed, straight);
	});

	test(`${strategyId} does not change with the unit of prices`, () => {
		// A power of two changes no bit of a mantissa, so the answer must be equal to the last digit.
		const scaled = series.map((one) => scale(one, 1024));
		const [a, b] = [evaluate(requestOf({ strategyId, series })), evaluate(requestOf({ strategyId, series: scaled }))];
		assert.equal(
			b.published.map((row) => [row.symbol, row.confidence_score, row.evidence]),
			a.published.map((row) => [row.symbol, row.confidence_score, row.evidence]),
		);
		assert.equal(b.rejected, a.rejected);
		assert.is(b.published[0]?.entry_price, (a.published[0]?.entry_price ?? 0) * 1024);
	});

	test(`${strategyId}: capital moves sizes, never the order or the confidence`, () => {
		const [small, large] = [10_000, 640_000].map((capital) =>
			evaluate(requestOf({ strategyId, series, portfolio: portfolioOf(capital) })),
		);
		assert.ok(small && large);
		assert.equal(
			large.published.map((row) => row.opportunity_id),
			small.published.map((row) => row.opportunity_id),
		);
		assert.equal(
			large.published.map((row) => row.confidence_score),
			small.published.map((row) => row.confidence_score),
		);
		assert.ok((large.published[0]?.required_capital_usd ?? 0) > (small.published[0]?.required_capital_usd ?? 0));
	});

	test(`${strategyId}: a hindsight universe is never graded A`, () => {
		const evaluation = evaluate(requestOf({ strategyId, series, source: RECORDED }));
		for (const row of evaluation.published) assert.is(row.evidence.grade, "B");
		assert.ok(evaluation.published.length > 0);
	});
}

function scale(series: Series, factor: number): Series {
	const times = (column: Float64Array) => column.map((value) => value * factor);
	return {
		...series,
		open: times(series.open),
		high: times(series.high),
		low: times(series.low),
		close: times(series.close),
	};
}

const walk = (rows: (t: number) => BarRow, bars: number, name: SeriesName) =>
	seriesOf(
		Array.from({ length: bars }, (_, t) => rows(t)),
		name,
	);
const bar = (t: number, volume = 1000): BarRow => [Date.UTC(2020, 0, 1) + t * DAY_MS, 100, 101, 99, 100, volume];

test("each data gate has its reason, and the first failing one counts", () => {
	const good = walk(bar, 400, { symbol: "GOOD/USDT" });
	const asOfMs = good.as_of_ms;
	const series = [
		good,
		walk((t) => bar(t - 5), 400, { symbol: "STALE/USDT", as_of_ms: asOfMs }),
		walk((t) => bar(t < 350 ? t - 5 : t), 400, { symbol: "GAPS/USDT" }),
		walk((t) => bar(t + 300), 100, { symbol: "SHORT/USDT" }),
		walk((t) => bar(t, t > 380 ? 0 : 1000), 400, { symbol: "DRY/USDT" }),
		walk(bar, 400, { symbol: "WRAP/USDT" }),
		walk(bar, 400, { symbol: "SMALL/USDT" }),
		walk(bar, 400, { symbol: "ERR/USDT" }),
	];
	const candidates = [
		...series.map((one) =>
			candidateOf(
				marketOf(
					one.symbol,
					one.symbol === "WRAP/USDT"
						? { tags: ["wrapped"] }
						: one.symbol === "SMALL/USDT"
							? { volume_usd_24h: 9_000_000 }
							: {},
				),
			),
		),
		candidateOf(marketOf("NONE/USDT")),
	];
	const evaluation = checked(
		evaluate(
			requestOf({ strategyId: MOMENTUM, series, candidates, asOfMs, errors: { "ERR/USDT": "connection reset" } }),
		),
	);
	assert.equal(Object.fromEntries(evaluation.rejected.map(({ symbol, reason }) => [symbol, reason])), {
		"DRY/USDT": "illiquid",
		"ERR/USDT": "fetch_failed",
		"GAPS/USDT": "gaps",
		"GOOD/USDT": "no_trigger",
		"NONE/USDT": "insufficient_history",
		"SHORT/USDT": "insufficient_history",
		"SMALL/USDT": "illiquid",
		"STALE/USDT": "stale_data",
		"WRAP/USDT": "pegged_or_wrapped",
	});
	assert.is(evaluation.rejected.find(({ symbol }) => symbol === "ERR/USDT")?.detail, "connection reset");
});

test("one crash publishes three, the deepest; the rest is cluster_limit", () => {
	const series = SYMBOLS.map((symbol, i) => revertingSeries(symbol, 1400, 100 + i));
	const evaluation = evaluate(requestOf({ strategyId: REVERSION, series }));
	assert.is(evaluation.published.length, 3);
	assert.is(reasonCounts(evaluation).cluster_limit, SYMBOLS.length - 3);
});

test("too little capital is a reason of its own; rows beyond rows_max are rank_limit", () => {
	const series = SYMBOLS.map((symbol, i) => trendingSeries(symbol, 1400, 100 + i));
	const poor = checked(evaluate(requestOf({ strategyId: MOMENTUM, series, portfolio: portfolioOf(10) })));
	assert.is(poor.published.length, 0);
	assert.ok((reasonCounts(poor).capital_below_min_notional ?? 0) > 0);
	const full = evaluate(requestOf({ strategyId: MOMENTUM, series }));
	const cut = checked(
		evaluate(
			requestOf({
				strategyId: MOMENTUM,
				series,
				limits: { rows_max: 2, risk_per_trade: 0.01, max_position_share: 0.25 },
			}),
		),
	);
	assert.equal(
		cut.published.map((row) => row.opportunity_id),
		full.published.slice(0, 2).map((row) => row.opportunity_id),
	);
	assert.is(reasonCounts(cut).rank_limit, full.published.length - 2);
});

test("a rule that loses on its universe is rejected with its numbers", () => {
	const evidence = Array.from({ length: 12 }, (_, i) => sinking(`T${i}/USDT`, 1500, 40 + i));
	const series = SYMBOLS.slice(0, 4).map((symbol, i) => trendingSeries(symbol, 400, 100 + i));
	const evaluation = checked(
		evaluate(requestOf({ strategyId: MOMENTUM, series, evidence, asOfMs: Math.max(...series.map((s) => s.as_of_ms)) })),
	);
	const losing = evaluation.rejected.filter(({ reason }) => reason === "negative_expectancy");
	assert.ok(losing.length > 0, JSON.stringify(reasonCounts(evaluation)));
	assert.match(losing[0]?.detail ?? "", /mean net -/);
});

function sinking(symbol: string, bars: number, seed: number): Series {
	const walked = randomWalk(symbol, bars, seed, 0.03);
	const rows = Array.from(walked.close, (close, t): BarRow => {
		const fallen = Math.exp(-0.003 * t);
		return [
			walked.open_time[t] ?? 0,
			(walked.open[t] ?? 0) * fallen,
			(walked.high[t] ?? 0) * fallen,
			(walked.low[t] ?? 0) * fallen,
			close * fallen,
			1000,
		];
	});
	return seriesOf(rows, { symbol });
}

test.run();
