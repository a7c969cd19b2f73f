import { suite } from "uvu";
import * as assert from "uvu/assert";
import { weighAll } from "../../src/strategies/portfolio/methods.ts";
import { portfolioLogs } from "../../src/strategies/portfolio/months.ts";
import { simpleReturns } from "../../src/strategies/risk/book.ts";
import { varianceOf } from "../../src/strategies/risk/covariance.ts";
import { historicalTail, maxDrawdown } from "../../src/strategies/risk/measures.ts";
import { recordedDailyCloses, sharedRoot, skipAloud } from "../support/recorded-bars.ts";

/** The walk-forward table of the specification, on what the recorded set holds. */
const test = suite("portfolio table");
const near = (actual: number, expected: number, tolerance: number, what = "") =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not within ${tolerance} of ${expected}`);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

if (!sharedRoot) skipAloud("measured portfolio table");
else {
	test("sixteen coins, 180 days estimated and 30 measured: the measured table", () => {
		const logs = [...recordedDailyCloses().values()].map((close) => simpleReturns(close).map(Math.log1p));
		assert.equal([logs.length, logs[0]?.length], [16, 808]);
		const simple = logs.map((column) => column.map(Math.expm1));
		/** Realised volatility, largest fall, daily CVaR95, turnover of a month; percent. */
		const table = {
			equal_weight: [71.0, 67.6, 8.8, 0],
			inverse_volatility: [67.6, 63.8, 8.4, 2.7],
			equal_risk: [65.4, 60.9, 8.1, 3.0],
			minimum_variance: [54.8, 45.1, 6.2, 10.1],
		} as const;
		const found = walkTable(logs, simple);
		for (const [key, expected] of Object.entries(table)) {
			const [volatility = 0, fall = 0, tail = 0, turnover = 0] = found.get(key) ?? [];
			near(volatility, expected[0], 2, `${key} volatility`);
			near(fall, expected[1], 1.3, `${key} drawdown`);
			near(tail, expected[2], 0.25, `${key} CVaR`);
			near(turnover, expected[3], 0.6, `${key} turnover`);
		}
		const volatility = (key: string) => found.get(key)?.[0] ?? 0;
		assert.ok(volatility("equal_weight") > volatility("inverse_volatility"));
		assert.ok(volatility("inverse_volatility") > volatility("equal_risk"));
		assert.ok(volatility("equal_risk") > volatility("minimum_variance") + 5);
	});
}

function walkTable(logs: readonly Float64Array[], simple: readonly Float64Array[]): Map<string, number[]> {
	const periods = logs[0]?.length ?? 0;
	const paths = new Map<string, { returns: number[]; turnover: number; months: number; last: number[] | null }>();
	for (let from = 180; from < periods; from += 30) {
		const { weights } = weighAll(logs.map((column) => column.subarray(from - 180, from)));
		for (const [key, found] of Object.entries(weights)) {
			if (!found) continue;
			const path = paths.get(key) ?? { returns: [], turnover: 0, months: 0, last: null };
			paths.set(key, path);
			const { last } = path;
			if (last) {
				path.turnover += sum(found.map((weight, i) => Math.abs(weight - (last[i] ?? 0)))) / 2;
				path.months++;
			}
			path.last = found;
			path.returns.push(
				...portfolioLogs(
					found,
					simple.map((column) => column.subarray(from, from + 30)),
				),
			);
		}
	}
	return new Map(
		[...paths].map(([key, { returns, turnover, months }]) => {
			const column = Float64Array.from(returns);
			const equity = new Float64Array(returns.length + 1).fill(1);
			returns.forEach((value, i) => {
				equity[i + 1] = (equity[i] ?? 1) * Math.exp(value);
			});
			const volatility = Math.sqrt((365 * varianceOf(column) * column.length) / (column.length - 1));
			const tail = historicalTail(column).cvar95;
			return [key, [volatility, maxDrawdown(equity), tail, turnover / months].map((share) => 100 * share)];
		}),
	);
}

test.run();
