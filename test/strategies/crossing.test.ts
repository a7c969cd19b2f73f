import { suite } from "uvu";
import * as assert from "uvu/assert";
import { areSealed, columnDigest, sealColumns } from "../../src/market/content.ts";
import type { Series } from "../../src/market/contract.ts";
import { BAR_COLUMN_NAMES } from "../../src/market/series.ts";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { arrived, crossing } from "../../src/strategies/crossing.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import {
	fundingFingerprint,
	seriesFingerprint,
	tapeFingerprint,
	volatilityFingerprint,
} from "../../src/strategies/evidence/memo.ts";
import { makerRecord } from "../../src/strategies/market-making/evidence.ts";
import { createEvaluationPool } from "../../src/strategies/pool.ts";
import { flowRecord } from "../../src/strategies/scalping/evidence.ts";
import { martingaleBars, martingaleTape } from "../support/micro.ts";
import { randomWalk, requestOf, trendingSeries } from "../support/synthetic-market.ts";

const test = suite("identity of histories on their way to a thread");
const open = new AbortController().signal;

/** The same bars in memory of their own, one of them changed: what a source answers after a revision. */
function revised(series: Series, at: number, factor: number): Series {
	const copy = { ...series };
	for (const name of BAR_COLUMN_NAMES) copy[name] = series[name].slice();
	copy.close[at] = (copy.close[at] ?? 0) * factor;
	return copy;
}

const sealed = (series: Series): Series => {
	sealColumns(series);
	return series;
};

test("a sealed history is named as an unsealed one of the same bars; a revised one is not", () => {
	const series = randomWalk("A/USDT", 400, 1);
	const name = seriesFingerprint(series);
	assert.is(seriesFingerprint(sealed(series)), name);
	assert.is(seriesFingerprint(revised(series, 0, 1)), name);
	for (const at of [0, 1, 200, 398, 399])
		assert.is.not(seriesFingerprint(sealed(revised(series, at, 1 + 1e-12))), name, `bar ${at}`);
	assert.is.not(seriesFingerprint({ ...series, venue: "elsewhere" }), name);
	assert.is(seriesFingerprint({ ...series, as_of_ms: series.as_of_ms + 1 }), name);
});

test("a source that rewrites its newest bar in place is noticed, though its columns were sealed", () => {
	const series = sealed(revised(randomWalk("A/USDT", 400, 1), 0, 1));
	const name = seriesFingerprint(series);
	series.close[399] = (series.close[399] ?? 0) * 1.01;
	assert.is.not(seriesFingerprint(series), name);
});

test("columns of both kinds have digests, and a view of other bytes another one", () => {
	const tape = martingaleTape("X", 3, { days: 1, stepMs: 60_000, asOfMs: 0, sigma: 0.0007 });
	assert.not.ok(areSealed([tape.time]));
	sealColumns(tape);
	assert.ok(areSealed([tape.time, tape.price, tape.quantity, tape.taker_side]));
	const later = tape.price.subarray(1);
	assert.not.ok(areSealed([later]));
	assert.is.not(columnDigest(later), columnDigest(tape.price));
	assert.is(columnDigest(tape.taker_side.slice()), columnDigest(tape.taker_side));
});

test("fingerprints cross with what they name, and the thread does not read the bars again", () => {
	const series = sealed(revised(randomWalk("A/USDT", 400, 1), 0, 1));
	const cut = { ...series, close: series.close.subarray(0, 300) };
	const column = (...values: number[]) => Float64Array.from(values);
	const funding = {
		symbol: "A/USDT:USDT",
		venue: "v",
		length: 2,
		funding_time: column(1, 2),
		rate_e8: column(3, 4),
		interval_hours: 8,
		as_of_ms: 9,
	};
	const history = { base: "A", venue: "v", length: 2, time: column(1, 2), atm_iv: column(0.5, 0.6), as_of_ms: 9 };
	const tape = martingaleTape("X", 3, { days: 1, stepMs: 60_000, asOfMs: 0, sigma: 0.0007 });
	for (const answer of [funding, history, tape]) sealColumns(answer);
	const request = requestOf({ strategyId: "ai_spot_momentum_strategy", series: [series] });
	const view = {
		...request.view,
		series: { A: series, cut },
		evidence: { series: [series], funding: [funding] },
		trades: { X: tape },
		volatility: { A: history },
	};
	const sent = crossing({ ...request, view });
	assert.is(sent.fingerprints.length, 4, "one each, the series once; the cut one may yet change");
	const names = [series, cut].map(seriesFingerprint);
	const there = arrived(structuredClone(sent)).view as EvaluationRequest["view"];
	// A change in the middle, behind the back of a thread that would hash again, is the proof that it does not.
	for (const one of [there.series.A, there.series.cut]) if (one) one.close[100] = 1;
	const [whole, part] = [there.series.A, there.series.cut];
	assert.ok(whole && part && there.evidence.series[0] === whole);
	assert.is(seriesFingerprint(whole), names[0]);
	assert.is.not(seriesFingerprint(part), names[1]);
	assert.is(fundingFingerprint(there.evidence.funding[0] ?? funding), fundingFingerprint(funding));
	assert.is(volatilityFingerprint(there.volatility?.A ?? history), volatilityFingerprint(history));
	assert.is(tapeFingerprint(there.trades?.X ?? tape), tapeFingerprint(tape));
});

test("a pool answers a revised history anew, and the old one as before", async () => {
	const pool = createEvaluationPool({ threads: 1 });
	try {
		const series = Array.from({ length: 6 }, (_, i) => sealed(trendingSeries(`C${i}/USDT`, 1000, 100 + i)));
		const changed = series.map((one) => sealed(revised(one, 500, 3)));
		const [before, after] = [series, changed].map((of) =>
			requestOf({ strategyId: "ai_spot_momentum_strategy", series: of }),
		);
		assert.ok(before && after);
		const first = await pool.evaluate(before, open);
		const second = await pool.evaluate(after, open);
		assert.equal(second, evaluate(after));
		assert.not.equal(second.report, first.report);
		assert.equal(await pool.evaluate(before, open), first);
	} finally {
		await pool.close();
	}
});

test("records of as many markets as a universe has are remembered, asked for in turn", () => {
	const asOf = Date.UTC(2024, 0, 2);
	const tape = martingaleTape("X", 3, { days: 1, stepMs: 600_000, asOfMs: asOf, sigma: 0.0007 });
	const series = martingaleBars("X", 60, 4, 0.003, asOf);
	const { view } = requestOf({ strategyId: "ai_scalping_strategy", series: [series], asOfMs: asOf });
	const symbols = Array.from({ length: 300 }, (_, i) => `C${i}/USDT:USDT`);
	const ask = () =>
		symbols.flatMap((symbol) => [
			makerRecord({ ...tape, symbol }, asOf, { makerFee: 0, closing: 0.001 }, false),
			flowRecord({ ...series, symbol }, { ...tape, symbol }, view),
		]);
	const first = ask();
	const again = ask();
	assert.ok(again.every((record, i) => record === first[i]));
});

test.run();
