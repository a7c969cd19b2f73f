/** The published table and what is measured here, line by line. */
import { designEffectOf, effectiveTrades } from "../../src/strategies/evidence/clusters.ts";
import { expandingForecasts, reliabilityOf } from "../../src/strategies/evidence/reliability.ts";
import { weeklySharpe } from "../../src/strategies/evidence/selection.ts";
import type { ResolvedTrade } from "../../src/strategies/evidence/trades.ts";
import { recordedPerpDaily, recordedSpotDaily, recordedSpotHourly } from "../../test/support/recorded-bars.ts";
import {
	breakout,
	meanReversion,
	type PlanOf,
	tally,
	tradesOf,
	tsmom28Simple,
} from "../../test/support/table-rules.ts";
import type { Calibrated } from "./collect.ts";
import { type Published, type Recorded, TABLE_ROWS } from "./table-rows.ts";

const PERP_BARS_MIN = 200;
const DAILY_BARS_MIN = 300;
const TABLE_COST = 0.003;

/** Widest differences that count as met: seeds of recursive means alone move a hundredth of the trades. */
export const TOLERANCE = { trades: 0.01, hit: 0.005, meanPercent: 0.1, effective: 0.02, brier: 0.0005, ece: 0.005 };

/** The series of a data set that the table is about. */
export const readRecorded = (folder: string): Recorded => ({
	daily: recordedSpotDaily(DAILY_BARS_MIN, folder),
	hourly: recordedSpotHourly(folder),
	perps: recordedPerpDaily(folder).filter(({ length }) => length >= PERP_BARS_MIN),
});

export interface Compared {
	rule: string;
	published: Published;
	measured: Published;
	/** Names of the figures that lie outside their tolerance. */
	outside: string[];
}

export const compareTable = (set: Recorded): Compared[] =>
	TABLE_ROWS.map(({ rule, trades, published }) => {
		const found = trades(set);
		const { wins, n, meanPercent, profitFactor } = tally(found);
		const nEffective = published.nEffective === null ? null : effectiveTrades(n, designEffectOf(found));
		const measured = { n, hit: wins / n, meanPercent, profitFactor, nEffective };
		return { rule, published, measured, outside: outsideOf(published, measured) };
	});

function outsideOf(published: Published, measured: Published): string[] {
	const far = (name: string, a: number, b: number, most: number) => (Math.abs(a - b) > most ? [name] : []);
	return [
		...far("trades", measured.n, published.n, TOLERANCE.trades * published.n),
		...far("hit rate", measured.hit, published.hit, TOLERANCE.hit),
		...far("mean", measured.meanPercent, published.meanPercent, TOLERANCE.meanPercent),
		...(published.nEffective === null || measured.nEffective === null
			? []
			: far("effective", measured.nEffective, published.nEffective, TOLERANCE.effective * published.nEffective)),
	];
}

/** Scores of one way to state probabilities. */
interface Scores {
	brier: number;
	ece: number;
}
export interface ComparedScores {
	rule: string;
	/** Stated as this program does: Beta(5,5) pool, own record weighing as 50 trades against it. */
	stated: { published: Scores; measured: Scores };
	/** Brier of the pooled rate alone. */
	pool: { published: number; measured: number };
	/** A constant 80 %, whatever happens. */
	constant: { published: Scores; measured: Scores };
	outside: string[];
}

const SCORED: readonly {
	rule: string;
	on: "daily" | "hourly";
	plan: PlanOf;
	stated: Scores;
	pool: number;
	constant: Scores;
}[] = [
	{
		rule: "1d momentum 28",
		on: "daily",
		plan: tsmom28Simple,
		stated: { brier: 0.2516, ece: 0.031 },
		pool: 0.2512,
		constant: { brier: 0.3718, ece: 0.353 },
	},
	{
		rule: "1d breakout 20",
		on: "daily",
		plan: breakout(20, 20),
		stated: { brier: 0.2507, ece: 0.029 },
		pool: 0.2513,
		constant: { brier: 0.3656, ece: 0.343 },
	},
	{
		rule: "1d mean reversion",
		on: "daily",
		plan: meanReversion(-2, 10),
		stated: { brier: 0.25, ece: 0.081 },
		pool: 0.2506,
		constant: { brier: 0.2892, ece: 0.215 },
	},
	{
		rule: "1h mean reversion",
		on: "hourly",
		plan: meanReversion(-2, 24),
		stated: { brier: 0.2405, ece: 0.036 },
		pool: 0.24,
		constant: { brier: 0.4063, ece: 0.41 },
	},
];
const CONSTANT = 0.8;

export const compareScores = (set: Recorded): ComparedScores[] =>
	SCORED.map(({ rule, on, plan, stated, pool, constant }) => {
		const measured = scoresOf(tradesOf(set[on], plan, TABLE_COST));
		const outside = [
			...(Math.abs(measured.stated.brier - stated.brier) > TOLERANCE.brier ? ["Brier"] : []),
			...(Math.abs(measured.stated.ece - stated.ece) > TOLERANCE.ece ? ["ECE"] : []),
			...(Math.abs(measured.pool - pool) > TOLERANCE.brier ? ["pooled Brier"] : []),
			...(Math.abs(measured.constant.ece - constant.ece) > TOLERANCE.ece ? ["constant"] : []),
		];
		return {
			rule,
			stated: { published: stated, measured: measured.stated },
			pool: { published: pool, measured: measured.pool },
			constant: { published: constant, measured: measured.constant },
			outside,
		};
	});

function scoresOf(trades: readonly ResolvedTrade[]): { stated: Scores; pool: number; constant: Scores } {
	const forecasts = expandingForecasts(trades);
	const mean = (of: (won: number, i: number) => number) =>
		forecasts.reduce((sum, { won }, i) => sum + of(won, i), 0) / forecasts.length;
	const { brier, ece } = reliabilityOf(trades);
	return {
		stated: { brier: brier ?? Number.NaN, ece: ece ?? Number.NaN },
		pool: mean((won, i) => ((forecasts[i]?.pool ?? Number.NaN) - won) ** 2),
		constant: { brier: mean((won) => (CONSTANT - won) ** 2), ece: Math.abs(CONSTANT - mean((won) => won)) },
	};
}

/** The same rules as records of their own, for the bins and the plot. */
export const tableRecords = (set: Recorded): Calibrated[] =>
	SCORED.map(({ rule, on, plan }) => {
		const trades = tradesOf(set[on], plan, TABLE_COST);
		return {
			strategy: "published table",
			part: rule,
			reliability: reliabilityOf(trades),
			sharpe: weeklySharpe(trades),
		};
	});
