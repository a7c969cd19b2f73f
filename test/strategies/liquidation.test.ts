import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
	CAUTIOUS_TIERS,
	chooseLeverage,
	liquidationPrice,
	marginTiers,
	tierOf,
} from "../../src/strategies/liquidation.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";

const test = suite("liquidation and leverage");
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

const isolated = (side: 1 | -1, leverage: number, mmr: number, cum = 0) =>
	liquidationPrice({ side, quantity: 1, entry: 100, walletBalance: 100 / leverage, tier: { mmr, cum } });

test("the worked example: ten times at 100 with half a percent of maintenance", () => {
	near(isolated(1, 10, 0.005), 90.452, 5e-4);
	near(isolated(-1, 10, 0.005), 109.453, 5e-4);
});

test("at the liquidation price the margin left is exactly the maintenance margin", () => {
	for (const side of [1, -1] as const) {
		for (const leverage of [1, 2, 3, 10]) {
			const [mmr, cum] = [0.02, 0.5];
			const price = isolated(side, leverage, mmr, cum);
			near(100 / leverage + side * (price - 100), mmr * price - cum);
		}
	}
});

test("a long without leverage has no liquidation above zero", () => {
	assert.ok(isolated(1, 1, 0.02) <= 0);
	const choice = chooseLeverage({ side: 1, entry: 100, stop: 70, notional: 1000 }, 1);
	assert.equal([choice?.leverage, choice?.liquidation], [1, null]);
});

test("maintenance amounts make the margin continuous from row to row", () => {
	CAUTIOUS_TIERS.forEach((tier, i) => {
		const next = CAUTIOUS_TIERS[i + 1];
		if (!next) return;
		near(tier.notionalMax * tier.mmr - tier.cum, tier.notionalMax * next.mmr - next.cum);
		assert.ok(next.mmr > tier.mmr && next.notionalMax > tier.notionalMax);
	});
	assert.is(tierOf(CAUTIOUS_TIERS, 5_000).mmr, 0.02);
	assert.is(tierOf(CAUTIOUS_TIERS, 5_001).mmr, 0.025);
	assert.is(tierOf(CAUTIOUS_TIERS, 1e12).mmr, 0.25);
	assert.throws(() => tierOf([], 1), /at least one row/);
});

test("leverage is the largest whole one whose liquidation is three stops away, two by default, never above three", () => {
	const leverageAt = (side: 1 | -1, stopPercent: number, userMax?: number) =>
		chooseLeverage({ side, entry: 100, stop: 100 - side * stopPercent, notional: 1_000 }, userMax)?.leverage ?? null;
	assert.equal([leverageAt(1, 5), leverageAt(1, 5, 3), leverageAt(1, 5, 50), leverageAt(1, 5, 1)], [2, 3, 3, 1]);
	assert.equal([leverageAt(1, 16), leverageAt(1, 20), leverageAt(1, 33), leverageAt(1, 34)], [2, 1, 1, null]);
	assert.equal([leverageAt(-1, 10, 3), leverageAt(-1, 15), leverageAt(-1, 30), leverageAt(-1, 34)], [3, 2, 1, null]);
	for (const stop of [2, 7, 12, 18, 25, 31]) {
		for (const side of [1, -1] as const) {
			const choice = chooseLeverage({ side, entry: 100, stop: 100 - side * stop, notional: 1_000 }, 3);
			assert.ok(choice && Math.abs((choice.liquidation ?? 0) - 100) >= 3 * stop, `${side} ${stop}`);
		}
	}
});

test("the unit of prices does not matter", () => {
	const [a, b] = [1, 1024].map((unit) =>
		chooseLeverage({ side: -1, entry: 100 * unit, stop: 110 * unit, notional: 1_000 }),
	);
	assert.is(b?.leverage, a?.leverage);
	assert.is(b?.liquidation, (a?.liquidation ?? 0) * 1024);
});

if (!sharedRoot) skipAloud("published leverage tiers");
else {
	interface Row {
		maxNotional: number;
		maintenanceMarginRate: number;
		info: { cum: string };
	}
	const file = join(sharedRoot, "market/raw_rest/binance_fapi/leverage_tiers_ccxt_format_2024-10.json.gz");
	const tables = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8")) as Record<string, Row[]>;

	test("published maintenance amounts follow from bounds and rates", () => {
		let rows = 0;
		let alike = 0;
		for (const table of Object.values(tables)) {
			const made = marginTiers(table.map((row) => [row.maxNotional, row.maintenanceMarginRate] as const));
			table.forEach((row, i) => {
				rows++;
				const cum = Number(row.info.cum);
				if (Math.abs((made[i]?.cum ?? Number.NaN) - cum) <= 0.01 + 1e-6 * cum) alike++;
			});
		}
		assert.ok(rows > 1_000, `only ${rows} rows`);
		assert.ok(alike / rows > 0.99, `${alike} of ${rows} rows`);
	});

	test("our own rates are no kinder than those of nine in ten published contracts", () => {
		const notionals = [1_000, 20_000, 90_000, 240_000];
		for (const notional of notionals) {
			const own = tierOf(CAUTIOUS_TIERS, notional).mmr;
			const rates = Object.values(tables).map(
				(table) => table.find((row) => notional <= row.maxNotional)?.maintenanceMarginRate ?? 1,
			);
			const kinder = rates.filter((rate) => rate <= own).length / rates.length;
			assert.ok(kinder >= 0.9, `${notional}: ${kinder}`);
		}
	});
}

test.run();
