import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at, type Column, last } from "../../src/strategies/columns.ts";
import { exponentialMean, populationDeviation, simpleMean } from "../../src/strategies/indicators/averages.ts";
import { highestBefore, lowestBefore } from "../../src/strategies/indicators/channel.ts";
import { wilderRange } from "../../src/strategies/indicators/range.ts";
import { rSquared, slopeOf, varianceOf } from "../../src/strategies/risk/covariance.ts";
import { atrShare } from "../../src/strategies/scalping/rules.ts";
import { squeezeRule } from "../../src/strategies/squeeze-rule.ts";
import { leastSquares } from "../../src/strategies/statistics/least-squares.ts";
import { RollingCovariance } from "../../src/strategies/statistics/rolling-covariance.ts";
import { type BarRow, recordedSpotDaily, seriesOf, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { DAY_MS, START_MS } from "../support/synthetic-market.ts";

const test = suite("indicators against published series");
const reference = (name: string): string => readFileSync(join(sharedRoot ?? "", "reference", name), "utf8");
const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

const window = (values: Column, period: number, read: (part: Column) => number): Column =>
	values.map((_, t) => (t < period - 1 ? Number.NaN : read(values.subarray(t - period + 1, t + 1))));
const line = (part: Column) => leastSquares(part, [part.map((_, i) => i + 1)], true);

if (!sharedRoot) skipAloud("published indicator series");
else {
	const rowsOf = (name: string): number[][] =>
		reference(`skender/${name}`)
			.replace(/^\uFEFF/, "")
			.trim()
			.split(/\r?\n/)
			.slice(1)
			.map((row) => row.split(",").slice(1).map(Number));
	const quotes = rowsOf("quotes_default.csv");
	const series = seriesOf(
		quotes.map(
			([open, high, low, close, volume], t) => [START_MS + t * DAY_MS, open, high, low, close, volume] as BarRow,
		),
		{ symbol: "SPY/USD" },
	);
	const { close } = series;
	const skender = (name: string, column: string): (number | null)[] => {
		const { columns } = JSON.parse(reference(`skender/${name}.json`)) as { columns: Record<string, (number | null)[]> };
		const found = columns[column];
		assert.ok(found, `${name}.${column}`);
		return found;
	};
	/** Compares wherever the reference has a number. */
	const alike = (found: Column, name: string, column: string): void => {
		let compared = 0;
		skender(name, column).forEach((value, t) => {
			if (value === null) return;
			near(at(found, t) / (value === 0 ? 1 : value), value === 0 ? 0 : 1, 1e-6, `${name}.${column}[${t}]`);
			compared++;
		});
		assert.ok(compared > 400, `${name}.${column}: only ${compared} values`);
	};

	test("Skender: bands with their width, channels, ranges", () => {
		const mean = simpleMean(close, 20);
		const deviation = populationDeviation(close, 20);
		const band = (side: number) => mean.map((value, t) => value + side * 2 * at(deviation, t));
		alike(mean, "bb", "sma");
		alike(band(1), "bb", "upperBand");
		alike(band(-1), "bb", "lowerBand");
		alike(
			band(0).map((value, t) => (4 * at(deviation, t)) / value),
			"bb",
			"width",
		);
		alike(
			band(-1).map((lower, t) => (at(close, t) - lower) / (4 * at(deviation, t))),
			"bb",
			"percentB",
		);
		const [high, low] = [highestBefore(series.high, 20), lowestBefore(series.low, 20)];
		alike(
			high.map((value, t) => (value + at(low, t)) / 2),
			"donchian",
			"centerline",
		);
		alike(
			high.map((value, t) => (value - at(low, t)) / ((value + at(low, t)) / 2)),
			"donchian",
			"width",
		);
		const [centre, atr] = [exponentialMean(close, 20), wilderRange(series, 10)];
		alike(centre, "keltner", "centerline");
		alike(
			centre.map((value, t) => value + 2 * at(atr, t)),
			"keltner",
			"upperBand",
		);
		alike(
			centre.map((value, t) => value - 2 * at(atr, t)),
			"keltner",
			"lowerBand",
		);
		alike(
			centre.map((value, t) => (4 * at(atr, t)) / value),
			"keltner",
			"width",
		);
		alike(
			wilderRange(series, 14).map((value, t) => (100 * value) / at(close, t)),
			"atr",
			"atrp",
		);
		near(100 * atrShare(series), skender("atr", "atrp").at(-1) ?? 0, 1e-6, "share of the newest close");
	});

	test("Skender: the squeeze reads its bandwidth and channel off those bands", () => {
		const reading = squeezeRule.read(series);
		for (let t = 300; t < series.length; t += 40) {
			const of = (name: string, column: string) => skender(name, column)[t] ?? Number.NaN;
			const { bandwidth, bands_to_keltner } = reading.indicatorsAt(t);
			near(bandwidth ?? 0, of("bb", "width"), 1e-6, `bandwidth ${t}`);
			const centre = of("keltner", "centerline");
			const reach = Math.max(of("bb", "upperBand") - centre, centre - of("bb", "lowerBand"));
			near(bands_to_keltner ?? 0, reach / (of("keltner", "upperBand") - centre), 1e-6, `channel ${t}`);
		}
	});

	test("Skender: slope and deviation of rolling windows (of 14 bars, whatever their label says), exponential means", () => {
		const slopes = window(close, 14, (part) => at(line(part).slopes, 0));
		alike(slopes, "slope", "slope");
		alike(
			window(close, 14, (part) => line(part).r2),
			"slope",
			"rSquared",
		);
		alike(populationDeviation(close, 14), "slope", "stdDev");
		// The published intercept counts bars from 1 at the beginning of the series.
		const intercepts = slopes.map((slope, t) => {
			const part = close.subarray(Math.max(0, t - 13), t + 1);
			return (line(part).intercept ?? Number.NaN) - slope * (t - 13);
		});
		alike(intercepts, "slope", "intercept");
		alike(simpleMean(close, 14), "stdev", "mean");
		alike(populationDeviation(close, 14), "stdev", "stdDev");
		const [mean, deviation] = [simpleMean(close, 14), populationDeviation(close, 14)];
		const z = close.map((value, t) => (value - at(mean, t)) / at(deviation, t));
		alike(z, "stdev", "zScore");
		alike(exponentialMean(close, 12), "macd", "fastEma");
		alike(exponentialMean(close, 26), "macd", "slowEma");
	});

	test("Skender: correlation, covariance and variances against a second series", () => {
		const other = Float64Array.from(rowsOf("quotes_compare.csv"), (row) => row[3] ?? Number.NaN);
		assert.is(other.length, close.length);
		// A is the second series.
		const pairs = (read: (a: Column, b: Column) => number) =>
			close.map((_, t) => (t < 19 ? Number.NaN : read(other.subarray(t - 19, t + 1), close.subarray(t - 19, t + 1))));
		alike(
			pairs((a) => varianceOf(a)),
			"corr",
			"varianceA",
		);
		alike(
			pairs((_, b) => varianceOf(b)),
			"corr",
			"varianceB",
		);
		alike(
			pairs((a, b) => slopeOf(a, b) * varianceOf(b)),
			"corr",
			"covariance",
		);
		alike(
			pairs((a, b) => rSquared(a, b)),
			"corr",
			"rSquared",
		);
		const rolling = new RollingCovariance([close, other], 20, 0);
		const correlation = close.map((_, t) => {
			if (t < 19) return Number.NaN;
			while (rolling.row < t) rolling.advance();
			return at(rolling.standardised().correlation, 1);
		});
		alike(correlation, "corr", "correlation");
	});

	test("TTR on BTCUSDT: lower band, place in the bands and channels with the current bar", () => {
		const [header = "", ...lines] = reference("ttr_btcusdt_1d.csv").trim().split("\n");
		const names = header.split(",");
		const published = (name: string) =>
			lines
				.map((row) => row.split(",")[names.indexOf(name)])
				.map((cell) => (cell === "NA" || cell === undefined ? null : Number(cell)));
		const btc = recordedSpotDaily().find(({ symbol }) => symbol === "BTC/USDT");
		assert.ok(btc);
		const cut = (column: Column) => column.slice(-400);
		const tail = { ...btc, length: 400, open: cut(btc.open), high: cut(btc.high), low: cut(btc.low) };
		const whole = { ...tail, close: cut(btc.close), open_time: cut(btc.open_time), volume: cut(btc.volume) };
		const relative = (found: Column, name: string) => {
			let compared = 0;
			published(name).forEach((value, t) => {
				if (value === null) return;
				near(at(found, t) / value, 1, 1e-6, `${name}[${t}]`);
				compared++;
			});
			assert.ok(compared > 370, `${name}: only ${compared} values`);
		};
		const [mean, deviation] = [simpleMean(whole.close, 20), populationDeviation(whole.close, 20)];
		const lower = mean.map((value, t) => value - 2 * at(deviation, t));
		relative(whole.close, "close");
		relative(lower, "bbdn");
		relative(
			lower.map((value, t) => (at(whole.close, t) - value) / (4 * at(deviation, t))),
			"bbpct",
		);
		// The orders of the squeeze wait at the extremes of the last 20 bars, the newest included.
		const { plan } = squeezeRule.read(whole);
		relative(plan.upper, "dchi");
		relative(plan.lower, "dclo");
		assert.ok(last(plan.upper) > last(plan.lower));
	});
}

test.run();
