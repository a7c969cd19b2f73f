import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ESTIMATION_DAYS, windowEffect } from "../../src/strategies/hedging/effectiveness.ts";
import { simpleReturns } from "../../src/strategies/risk/book.ts";
import { recordedDailyCloses, sharedRoot, skipAloud } from "../support/recorded-bars.ts";

/** Median effectiveness of a BTC hedge out of sample, month by month, on what the recorded set holds. */
const test = suite("hedge table");
const MEDIANS: Record<string, number> = {
	ETH: 0.66,
	LINK: 0.62,
	SOL: 0.61,
	DOGE: 0.62,
	AVAX: 0.57,
	ADA: 0.53,
	DOT: 0.53,
	NEAR: 0.57,
	XTZ: 0.52,
	XLM: 0.51,
	NEO: 0.53,
	XRP: 0.34,
	BCH: 0.51,
	LTC: 0.43,
	TRX: 0.1,
};

if (!sharedRoot) skipAloud("measured hedge table");
else {
	test("fifteen coins: medians, the share of positive windows, and who is refused", () => {
		const logs = new Map(
			[...recordedDailyCloses()].map(([symbol, close]) => [symbol, simpleReturns(close).map(Math.log1p)]),
		);
		const btc = logs.get("BTC/USDT");
		assert.ok(btc);
		const medians = new Map<string, number>();
		let positive = 0;
		let windows = 0;
		let distance = 0;
		for (const [name, expected] of Object.entries(MEDIANS)) {
			const position = logs.get(`${name}/USDT`);
			assert.ok(position, name);
			const effects: number[] = [];
			for (let from = ESTIMATION_DAYS; from + 30 <= position.length; from += 30) {
				const returns = { position, legs: [btc], days: [], standInDays: 0 };
				effects.push(windowEffect(returns, { from, to: from + 30 }, null));
			}
			positive += effects.filter((effect) => effect > 0).length;
			windows += effects.length;
			effects.sort((a, b) => a - b);
			const median = effects[(effects.length - 1) / 2] ?? Number.NaN;
			medians.set(name, median);
			distance += Math.abs(median - expected);
			// 23 windows a coin: where the months begin moves a median by this much.
			assert.ok(Math.abs(median - expected) <= 0.09, `${name}: ${median} against ${expected}`);
		}
		assert.ok(distance / medians.size <= 0.03, `mean distance ${distance / medians.size}`);
		assert.ok(Math.abs(positive / windows - 0.965) <= 0.015, `positive ${positive / windows}`);
		assert.ok((medians.get("TRX") ?? 1) < 0.3, "TRX goes its own way");
		assert.ok(Math.abs((medians.get("ETH") ?? 0) - 0.66) <= 0.01);
	});
}

test.run();
