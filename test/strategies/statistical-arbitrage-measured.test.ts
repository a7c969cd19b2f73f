import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { at } from "../../src/strategies/columns.ts";
import { evidencePanel } from "../../src/strategies/statistical-arbitrage-evidence.ts";
import { replayPanel, stepsOf } from "../../src/strategies/statistical-arbitrage-replay.ts";
import { recordedSpotDaily, recordedSpotHourly, seriesOf, sharedRoot, skipAloud } from "../support/recorded-bars.ts";

const test = suite("measured record of statistical arbitrage");
const FOREVER = Number.POSITIVE_INFINITY;
const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

interface Measured {
	n: number;
	hit: number;
	meanPercent: number;
	profitFactor: number;
}

/** `slack`: share of trades, percent points of the mean and profit factor a difference may make. */
function alike(nets: number[], measured: Measured, slack: { n: number; mean: number; profitFactor: number }): void {
	const gains = nets.reduce((sum, net) => sum + Math.max(0, net), 0);
	const losses = nets.reduce((sum, net) => sum - Math.min(0, net), 0);
	near(nets.length, measured.n, slack.n * measured.n, "trades");
	near(nets.filter((net) => net > 0).length / nets.length, measured.hit, 0.01, "hit rate");
	near((100 * nets.reduce((sum, net) => sum + net, 0)) / nets.length, measured.meanPercent, slack.mean, "mean");
	near(gains / losses, measured.profitFactor, slack.profitFactor, "profit factor");
}

if (!sharedRoot) skipAloud("measured record of statistical arbitrage");
else {
	const netsOf = (universe: readonly Series[]) => {
		const panel = evidencePanel(universe, FOREVER);
		const replay = replayPanel(panel, stepsOf(panel), { holdBars: () => 30, embargoMs: FOREVER, placebo: false });
		return [...replay.trades.long, ...replay.trades.short].map(({ net }) => net);
	};

	test("daily: 1448 trades win 58 % and lose 0.92 % on average", () => {
		const universe = recordedSpotDaily().filter(({ length }) => length >= 1800);
		assert.is(universe.length, 24);
		const nets = netsOf(universe);
		const measured = { n: 1448, hit: 0.581, meanPercent: -0.92, profitFactor: 0.72 };
		alike(nets, measured, { n: 0.01, mean: 0.05, profitFactor: 0.03 });
		near(nets.filter((net) => net > 0).length, 841, 8, "wins");
	});

	/** Closes of every fourth hour, beginning with hour `phase` of each block of four. */
	const fourHourly = (phase: number) =>
		recordedSpotHourly().map((series) => {
			const rows = Array.from(series.open_time, (time, i) => [time, at(series.close, i)] as const).filter(
				([time]) => (time / 3_600_000) % 4 === phase,
			);
			return seriesOf(
				rows.map(([time, close]) => [time, close, close, close, close, 1]),
				{ symbol: series.symbol, timeframe: "4h" },
			);
		});

	test("4 hours: 2740 trades win 59 % and lose 0.09 % on average, on the first close of every four", () => {
		// Every fourth row from the first of the file on, not the last close of each four hours. 1648 of 2765 here
		// against 1628 of 2740. A walk that begins only when the regression's 60 bars follow the 252 of the factors
		// has 1628 wins of 2734, but then the daily table loses 60 bars of trades that it counts: where it began is
		// not stated.
		const measured = { n: 2740, hit: 0.594, meanPercent: -0.09, profitFactor: 0.9 };
		alike(netsOf(fourHourly(0)), measured, { n: 0.01, mean: 0.01, profitFactor: 0.01 });
	});

	test("4 hours: the last closes win as often and lose twice as much, so the table's mean is partly luck", () => {
		const measured = { n: 2686, hit: 0.5875, meanPercent: -0.2, profitFactor: 0.81 };
		alike(netsOf(fourHourly(3)), measured, { n: 0.001, mean: 0.01, profitFactor: 0.01 });
	});
}

test.run();
