import { suite } from "uvu";
import * as assert from "uvu/assert";
import { simulate, type TradePlan } from "../../src/strategies/simulator.ts";
import { type BarRow, seriesOf } from "../support/recorded-bars.ts";

const test = suite("simulator");
const DAY = 86_400_000;

/** Bars as [open, high, low, close]; the signal stands on bar 0. */
function run(
	bars: [number, number, number, number][],
	plan: Partial<TradePlan> & { stopAt: number; targetAt?: number },
	signalBars = [0],
) {
	const rows: BarRow[] = bars.map(([o, h, l, c], i) => [i * DAY, o, h, l, c, 1]);
	const series = seriesOf(rows, { symbol: "X/USDT" });
	const signal = new Uint8Array(bars.length);
	for (const t of signalBars) signal[t] = 1;
	return simulate(
		series,
		{
			signal,
			stop: new Float64Array(bars.length).fill(plan.stopAt),
			target: plan.targetAt === undefined ? null : new Float64Array(bars.length).fill(plan.targetAt),
			side: plan.side ?? 1,
			horizonBars: plan.horizonBars ?? 3,
			...(plan.trail ? { trail: plan.trail } : {}),
		},
		0.003,
	);
}
const flat: [number, number, number, number] = [100, 101, 99, 100];
const near = (actual: number | undefined, expected: number) =>
	assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-12, `${actual} is not ${expected}`);

test("entry at the next open, timeout at close[t+H]", () => {
	const [trade] = run([flat, [102, 103, 101, 102], flat, [100, 105, 100, 104], flat], { stopAt: 90 }).trades;
	assert.is(trade?.entryPrice, 102);
	assert.is(trade?.exitReason, "timeout");
	assert.is(trade?.exitIndex, 3);
	near(trade?.net, 104 / 102 - 1 - 0.003);
	near(trade?.r, (104 / 102 - 1 - 0.003) / (12 / 102));
});

test("stop before target inside one bar, entry bar included", () => {
	const [trade] = run([flat, [100, 120, 80, 100], flat, flat, flat], { stopAt: 90, targetAt: 110 }).trades;
	assert.equal([trade?.exitReason, trade?.exitPrice, trade?.exitIndex], ["stop", 90, 1]);
});

test("a gap fills at the open: worse than the stop, better than the target", () => {
	const [down] = run([flat, flat, [85, 86, 84, 85], flat, flat], { stopAt: 90 }).trades;
	assert.equal([down?.exitReason, down?.exitPrice], ["stop", 85]);
	const [up] = run([flat, flat, [115, 116, 114, 115], flat, flat], { stopAt: 90, targetAt: 110 }).trades;
	assert.equal([up?.exitReason, up?.exitPrice], ["target", 115]);
});

test("an open beyond the stop makes no trade", () => {
	const result = run([flat, [89, 95, 88, 94], flat, flat, flat], { stopAt: 90 });
	assert.equal([result.trades.length, result.gapBars.length], [0, 1]);
});

test("an incomplete horizon is unresolved and ends the symbol", () => {
	const result = run([flat, flat, flat], { stopAt: 90, targetAt: 110 }, [0, 1]);
	assert.equal([result.trades.length, result.unresolved], [0, true]);
});

test("a barrier before the end resolves although the horizon is not complete", () => {
	const result = run([flat, [100, 111, 99, 110]], { stopAt: 90, targetAt: 110 });
	assert.equal(
		result.trades.map((trade) => trade.exitReason),
		["target"],
	);
});

test("one trade at a time; the exit bar may signal again", () => {
	const result = run(
		[flat, flat, [100, 112, 99, 111], flat, [100, 112, 99, 111], flat],
		{ stopAt: 90, targetAt: 110 },
		[0, 1, 2],
	);
	assert.equal(
		result.trades.map((trade) => [trade.signalIndex, trade.exitIndex]),
		[
			[0, 2],
			[2, 4],
		],
	);
});

test("shorts mirror longs", () => {
	const [win] = run([flat, [100, 101, 88, 90], flat, flat, flat], { stopAt: 110, targetAt: 90, side: -1 }).trades;
	assert.equal([win?.exitReason, win?.exitPrice], ["target", 90]);
	near(win?.net, 0.1 - 0.003);
	const [loss] = run([flat, flat, [112, 113, 111, 112], flat, flat], { stopAt: 110, targetAt: 90, side: -1 }).trades;
	assert.equal([loss?.exitReason, loss?.exitPrice], ["stop", 112]);
});

test("a trailing stop counts from the bar after the entry and never loosens the stop", () => {
	const trail = Float64Array.from([0, 120, 95, 98, 98]);
	const [trade] = run([flat, [100, 104, 99, 103], [103, 106, 102, 105], [105, 106, 97, 99], flat], {
		stopAt: 90,
		trail,
		horizonBars: 4,
	}).trades;
	assert.equal([trade?.exitReason, trade?.exitPrice, trade?.exitIndex], ["trail", 98, 3]);
});

test.run();
