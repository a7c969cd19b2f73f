import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series, TradeTape } from "../../src/market/contract.ts";
import { createTradeColumns } from "../../src/market/trade-columns.ts";
import { barEvidence, flowRecord } from "../../src/strategies/scalping/evidence.ts";
import { martingaleBars } from "../support/micro.ts";
import { gaussian, requestOf } from "../support/synthetic-market.ts";

/** Nothing is to be found on martingales; PLACEBO_SEEDS=100 runs more markets. */
const test = suite("scalping, placebo");
const ID = "ai_scalping_strategy";
const AS_OF = Date.UTC(2026, 2, 16, 11, 5);

test("placebo: on martingales with noise for flow no signal looks like an edge", () => {
	const seeds = Number(process.env.PLACEBO_SEEDS ?? 12);
	const allowed = Math.max(1, Math.floor(0.05 * seeds));
	const fooled = { flow: [] as number[], bars: [] as number[] };
	for (let seed = 1; seed <= seeds; seed++) {
		const universe = Array.from({ length: 3 }, (_, i) =>
			martingaleBars(`P${i}/USDT:USDT`, 8640, 1000 * seed + i, 0.003, AS_OF),
		);
		const [series] = universe;
		if (!series) throw new Error("no series");
		const { view } = requestOf({ strategyId: ID, series: universe, asOfMs: AS_OF });
		const bars = barEvidence(view);
		const looksGood = (grade: string) => grade === "A" || grade === "B";
		if (
			(["ema_cross", "band_reversal"] as const).some((one) =>
				([1, -1] as const).some((side) => looksGood(bars.of(one, side).grade)),
			)
		)
			fooled.bars.push(seed);
		const { long, short } = flowRecord(series, noisyTape(series, seed), view);
		assert.ok(long.measurement.evidence.n > 100 && short.measurement.evidence.n > 100);
		if ([long, short].some(({ measurement }) => looksGood(measurement.grade))) fooled.flow.push(seed);
	}
	assert.ok(fooled.bars.length <= allowed, `bar signals fooled by seeds ${fooled.bars.join(", ")}`);
	assert.ok(fooled.flow.length <= allowed, `flow fooled by seeds ${fooled.flow.join(", ")}`);
});

/** One buy and one sale in each bar, whose sizes follow a pressure that knows nothing. */
function noisyTape(series: Series, seed: number): TradeTape {
	const columns = createTradeColumns(2 * series.length);
	const normal = gaussian(seed + 31);
	let pressure = 0;
	for (let t = 0; t < series.length; t++) {
		pressure = 0.9 * pressure + 0.4 * normal();
		for (const [i, side] of [1, -1].entries()) {
			columns.time[2 * t + i] = (series.open_time[t] ?? 0) + 1000 + i * 100_000;
			columns.price[2 * t + i] = series.close[t] ?? 0;
			columns.quantity[2 * t + i] = 1 + side * 0.95 * Math.tanh(pressure);
			columns.taker_side[2 * t + i] = side;
		}
	}
	return {
		symbol: series.symbol,
		venue: series.venue,
		...columns,
		since_ms: series.open_time[0] ?? 0,
		as_of_ms: AS_OF,
	};
}

test.run();
