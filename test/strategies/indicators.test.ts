import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at, type Column, last } from "../../src/strategies/columns.ts";
import {
	exponentialMean,
	normalisedMean,
	populationDeviation,
	simpleMean,
} from "../../src/strategies/indicators/averages.ts";
import { highestBefore, lowestBefore } from "../../src/strategies/indicators/channel.ts";
import { errorCorrection, halfLifeOf, varianceRatio } from "../../src/strategies/indicators/persistence.ts";
import { trueRange, wilderRange } from "../../src/strategies/indicators/range.ts";
import { wilderRsi } from "../../src/strategies/indicators/rsi.ts";
import { exAnteVolatility, logReturns } from "../../src/strategies/indicators/volatility.ts";
import { expectedRescaledRange, hurstExponent } from "../../src/strategies/statistics/hurst.ts";
import { recordedSpotDaily, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("indicators");
const reference = (name: string): string => readFileSync(join(sharedRoot ?? "", "reference", name), "utf8");

const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

/** Compares where the reference has a number and asks NaN where it has none. */
function alike(found: Column, expected: readonly (number | null)[], tolerance: number, what: string): void {
	assert.is(found.length, expected.length, what);
	expected.forEach((value, i) => {
		if (value === null) assert.ok(Number.isNaN(at(found, i)), `${what}[${i}] should be unknown, is ${at(found, i)}`);
		else near(at(found, i), value, tolerance, `${what}[${i}]`);
	});
}

test("flat prices: RSI is 100, deviation and range are 0", () => {
	const flat = new Float64Array(40).fill(7);
	assert.is(last(wilderRsi(flat, 14)), 100);
	assert.is(last(populationDeviation(flat, 20)), 0);
	assert.is(last(wilderRange({ high: flat, low: flat, close: flat }, 14)), 0);
	assert.ok(Math.abs(last(exponentialMean(flat, 20)) - 7) < 1e-12);
});

test("series shorter than the period stay unknown", () => {
	const short = Float64Array.from([1, 2, 3]);
	for (const column of [
		simpleMean(short, 5),
		exponentialMean(short, 5),
		wilderRsi(short, 5),
		highestBefore(short, 5),
	]) {
		assert.ok([...column].every(Number.isNaN));
	}
});

test("half-life and variance ratio of a planted AR(1)", () => {
	let state = 42;
	const uniform = () => {
		state = (1664525 * state + 1013904223) % 4294967296;
		return state / 4294967296;
	};
	const values = new Float64Array(1000);
	for (let i = 0; i < 1000; i++) {
		let g = -6;
		for (let k = 0; k < 12; k++) g += uniform();
		// The generator of the reference starts at 0 and uses its first draw at index 0 for nothing.
		values[i] = i === 0 ? 0 : 0.9 * at(values, i - 1) + g;
	}
	near(at(values, 1), 0.6350767356343567, 1e-9, "second value");
	near(errorCorrection(values).b, -0.09155541065779157, 1e-9, "b");
	near(errorCorrection(values).a, 0.043354646769418935, 1e-9, "a");
	near(halfLifeOf(values), 7.218675142827942, 1e-9, "half-life");
	near(varianceRatio(values, 8), 0.7588838670138701, 1e-9, "VR(8)");
	near(varianceRatio(values, 2), 0.9905903412055341, 1e-9, "VR(2)");
});

test("Hurst: independent returns come to one half once corrected, trending ones above, alternating ones below", () => {
	const returns = (memory: number) => {
		const normal = gaussian(21);
		let before = 0;
		return Float64Array.from({ length: 16_000 }, () => {
			before = memory * before + normal();
			return before;
		});
	};
	const mean = (memory: number, of: "corrected" | "rescaledRange") => {
		const column = returns(memory);
		let sum = 0;
		for (let k = 0; k < 64; k++) sum += hurstExponent(column.subarray(250 * k, 250 * k + 250))?.[of] ?? Number.NaN;
		return sum / 64;
	};
	near(mean(0, "corrected"), 0.5, 0.02, "independent");
	assert.ok(mean(0, "rescaledRange") > 0.53, "uncorrected it is biased upward");
	assert.ok(mean(0.5, "corrected") > 0.57 && mean(-0.5, "corrected") < 0.43);
	// Two returns: R is |a - b|/2 and so is S.
	near(expectedRescaledRange(2), 1, 1e-12, "E of two");
	assert.is(hurstExponent(new Float64Array(15).fill(1)), null, "too few");
	assert.is(hurstExponent(new Float64Array(100)), null, "does not move");
});

if (!sharedRoot) skipAloud("indicator references");
else {
	const quotes = reference("skender/quotes_default.csv")
		.trim()
		.split("\n")
		.slice(1)
		.map((line) => line.split(",").slice(1).map(Number));
	const column = (index: number) => Float64Array.from(quotes, (quote) => quote[index] ?? Number.NaN);
	const candles = { high: column(1), low: column(2), close: column(3) };
	const skender = (name: string, key = name): (number | null)[] =>
		(JSON.parse(reference(`skender/${name}.json`)) as { columns: Record<string, (number | null)[]> }).columns[key] ??
		[];

	test("Skender: SMA, EMA, RSI, TR, ATR, Donchian, Bollinger z", () => {
		alike(simpleMean(candles.close, 20), skender("sma"), 1e-6, "sma");
		alike(exponentialMean(candles.close, 20), skender("ema"), 1e-6, "ema");
		alike(wilderRsi(candles.close, 14), skender("rsi"), 1e-6, "rsi");
		alike(trueRange(candles).subarray(1), skender("tr").slice(1), 1e-6, "tr");
		alike(wilderRange(candles, 14), skender("atr"), 1e-6, "atr");
		alike(highestBefore(candles.high, 20), skender("donchian", "upperBand"), 1e-6, "donchian upper");
		alike(lowestBefore(candles.low, 20), skender("donchian", "lowerBand"), 1e-6, "donchian lower");
		const mean = simpleMean(candles.close, 20);
		const deviation = populationDeviation(candles.close, 20, mean);
		alike(
			candles.close.map((c, i) => (c - at(mean, i)) / at(deviation, i)),
			skender("bb", "zScore"),
			1e-6,
			"bb z",
		);
	});

	test("Skender: Hurst exponent by rescaled range, and corrected after Anis and Lloyd", () => {
		const [raw, corrected] = [skender("hurst", "hurstExponent"), skender("hurst", "hurstExponentAL")];
		const returns = logReturns(candles.close);
		let compared = 0;
		raw.forEach((value, t) => {
			if (value === null) return;
			const found = hurstExponent(returns.subarray(t - 99, t + 1));
			near(found?.rescaledRange ?? Number.NaN, value, 1e-6, `hurst[${t}]`);
			near(found?.corrected ?? Number.NaN, corrected[t] ?? 0, 1e-6, `hurst AL[${t}]`);
			compared++;
		});
		assert.is(compared, 402);
	});

	test("TTR on BTCUSDT: SMA, EMA, RSI, ATR, Bollinger", () => {
		const [header = "", ...lines] = reference("ttr_btcusdt_1d.csv").trim().split("\n");
		const names = header.split(",");
		const ttr = (name: string) =>
			lines
				.map((line) => line.split(",")[names.indexOf(name)])
				.map((cell) => (cell === "NA" || cell === undefined ? null : Number(cell)));
		const btc = recordedSpotDaily().find((series) => series.symbol === "BTC/USDT");
		assert.ok(btc);
		const tail = { high: btc.high.slice(-400), low: btc.low.slice(-400), close: btc.close.slice(-400) };
		const relative = (found: Column, name: string) =>
			ttr(name).forEach((value, i) => {
				if (value !== null) near(at(found, i) / value, 1, 1e-6, `${name}[${i}]`);
			});
		relative(simpleMean(tail.close, 20), "sma20");
		relative(exponentialMean(tail.close, 20), "ema20");
		relative(wilderRsi(tail.close, 14), "rsi14");
		relative(wilderRange(tail, 14), "atr14");
		const upper = simpleMean(tail.close, 20).map((m, i) => m + 2 * at(populationDeviation(tail.close, 20), i));
		relative(upper, "bbup");
	});

	test("ex-ante volatility equals the centred one where the mean is small, and z28 has the reference's return", () => {
		const golden = JSON.parse(reference("real_data_goldens.json")) as { btc_1d_last400: Record<string, number> };
		const btc = recordedSpotDaily().find((series) => series.symbol === "BTC/USDT");
		assert.ok(btc);
		const closes = btc.close.slice(-400);
		const sigma = last(exAnteVolatility(closes, 60));
		near(sigma / (golden.btc_1d_last400.ewm_com60_std_unbiased_last ?? 0), 1, 0.02, "volatility");
		near(
			Math.log(last(closes) / at(closes, closes.length - 29)),
			golden.btc_1d_last400.ret28_log ?? 0,
			1e-9,
			"28-day log return",
		);
		const mean = last(simpleMean(closes, 20));
		near(
			(last(closes) - mean) / last(populationDeviation(closes, 20)),
			golden.btc_1d_last400.zscore20_pop ?? 0,
			1e-9,
			"z20",
		);
	});

	test("the declared warm-up settles every recursive indicator to 0.1 %", () => {
		const btc = recordedSpotDaily().find((series) => series.symbol === "BTC/USDT");
		assert.ok(btc);
		const whole = { high: btc.high.slice(-1000), low: btc.low.slice(-1000), close: btc.close.slice(-1000) };
		const cut = { high: whole.high.slice(-250), low: whole.low.slice(-250), close: whole.close.slice(-250) };
		for (const read of [
			(c: typeof whole) => last(exponentialMean(c.close, 50)),
			(c: typeof whole) => last(exponentialMean(c.close, 20)),
			(c: typeof whole) => last(wilderRange(c, 14)),
			(c: typeof whole) => last(wilderRange(c, 20)),
			(c: typeof whole) => last(wilderRsi(c.close, 14)),
		]) {
			near(read(cut) / read(whole), 1, 0.001, "last value");
		}
	});
}

test("normalised weights: the first values are weighted means", () => {
	const mean = normalisedMean(Float64Array.from([1, 2, 3]), 0.5);
	near(at(mean, 0), 1, 1e-12, "first");
	near(at(mean, 1), (2 + 0.5) / 1.5, 1e-12, "second");
	near(at(mean, 2), (3 + 1 + 0.25) / 1.75, 1e-12, "third");
});

test.run();
