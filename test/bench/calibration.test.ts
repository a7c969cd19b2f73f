import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Calibrated, collect } from "../../bench/calibration/collect.ts";
import { compareScores, compareTable, readRecorded } from "../../bench/calibration/compare.ts";
import { reliabilitySvg } from "../../bench/calibration/svg.ts";
import { reliabilityText } from "../../bench/calibration/text.ts";
import { openScene, REFERENCE_AS_OF_MS } from "../../bench/scene.ts";
import { reliabilityByYear, reliabilityOf } from "../../src/strategies/evidence/reliability.ts";
import { weeklySharpe } from "../../src/strategies/evidence/selection.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";

const test = suite("calibration of stated probabilities");
const near = (actual: number, expected: number, tolerance: number, what = "") =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not within ${tolerance} of ${expected}`);

const DAY_MS = 86_400_000;
/** Trades of one day each; every third gains. */
const trades = Array.from({ length: 900 }, (_, i) => ({
	symbol: `S${i % 5}/USDT`,
	signalTime: Date.UTC(2020, 0, 1) + i * DAY_MS,
	exitTime: Date.UTC(2020, 0, 2) + i * DAY_MS,
	net: i % 3 === 0 ? 0.02 : -0.01,
	r: 1,
	holdBars: 1,
}));
const record: Calibrated = {
	strategy: "a & b",
	part: "<side>",
	reliability: reliabilityOf(trades),
	sharpe: weeklySharpe(trades),
};

test("years add up to the whole, each with its own figures", () => {
	const { years, scored, brier } = record.reliability;
	assert.equal(
		years.map(({ year }) => year),
		[2020, 2021, 2022],
	);
	assert.is(
		years.reduce((sum, { n }) => sum + n, 0),
		scored,
	);
	near(years.reduce((sum, year) => sum + year.n * year.brier, 0) / scored, brier ?? 0, 1e-12, "Brier");
	const [one] = reliabilityByYear([{ p: 0.8, pool: 0.8, won: 0, atMs: Date.UTC(2021, 5, 1) }]);
	assert.equal([one?.year, one?.n, one?.predicted, one?.observed, one?.ece], [2021, 1, 0.8, 0, 0.8]);
	near(one?.brier ?? 0, 0.64, 1e-12);
});

test("the table shows every record, its bins and its years", () => {
	const text = reliabilityText("Title", [record]);
	for (const part of ["a & b: <side>", "30 to  40 %", "  2021", "Brier"]) assert.ok(text.includes(part), part);
	assert.ok(reliabilityText("Nothing", []).includes("scored"));
});

test("the Brier score taken apart adds up, and recalibration never loses", () => {
	const { recalibration, brier, scored } = record.reliability;
	assert.ok(recalibration);
	const { miscalibration, discrimination, uncertainty, curve } = recalibration;
	near(miscalibration - discrimination + uncertainty, brier ?? 0, 1e-12, "Brier");
	assert.ok(miscalibration >= -1e-12 && discrimination >= -1e-12);
	assert.is(
		curve.reduce((sum, { n }) => sum + n, 0),
		scored,
	);
	curve.forEach((block, i) => {
		const before = curve[i - 1];
		assert.ok(!before || (before.to < block.from && before.observed < block.observed), `block ${i}`);
	});
	assert.ok(reliabilitySvg("x", [record]).includes('fill="none" stroke-width="1.5"'));
});

test("the text deflates every ratio by the number of records", () => {
	const other: Calibrated = {
		...record,
		part: "worse",
		sharpe: weeklySharpe(trades.map((trade) => ({ ...trade, net: trade.net - 0.01 }))),
	};
	const text = reliabilityText("Title", [record, other]);
	assert.ok(text.includes("among 2 trials") && text.includes("P(>0) deflated"), text);
	assert.not(reliabilityText("Title", [record]).includes("deflated"), "nothing was chosen");
});

test("the plot is well formed and escapes what it shows", () => {
	const svg = reliabilitySvg("Plot <of> it", [record, record, record, record]);
	assert.ok(svg.startsWith("<svg xmlns=") && svg.endsWith("</svg>\n"));
	assert.ok(svg.includes("a &amp; b") && svg.includes("Plot &lt;of&gt; it") && !svg.includes("<side>"));
	for (const name of ["g", "text", "circle", "title", "svg"]) {
		const opened = svg.match(new RegExp(`<${name}[ >]`, "g"))?.length;
		const closed = svg.match(new RegExp(`</${name}>`, "g"))?.length;
		assert.is(opened, closed, name);
	}
	assert.not(/NaN|undefined|Infinity/.test(svg));
});

if (!sharedRoot) skipAloud("calibration figures");
else {
	const root = sharedRoot;
	const set = readRecorded(`${root}/market`);

	test("every row of the published table is met, but the hit rate of the pair of orders", () => {
		const rows = compareTable(set);
		assert.is(rows.length, 20);
		const missed = rows.filter(({ outside }) => outside.length > 0);
		// Five of its 810 trades gained in the source: how it goes on after an exit is not stated there.
		assert.equal(
			missed.map(({ rule, outside }) => [rule, outside]),
			[["1d squeeze, pair of orders", ["hit rate"]]],
		);
		const exact = rows.filter(({ measured, published }) => measured.n === published.n);
		assert.ok(exact.length >= 12, `${exact.length} rows agree in every trade`);
	});

	test("the published scores of stated probabilities are met, but the Brier score of daily mean reversion", () => {
		const rows = compareScores(set);
		// The source knows a trade from the day after its exit on, this program from the close of that day.
		assert.equal(
			rows.map(({ outside }) => outside),
			[[], [], ["Brier", "pooled Brier"], []],
		);
		for (const { rule, stated } of rows) near(stated.measured.brier, stated.published.brier, 0.002, rule);
	});

	test("records of strategies through the adapter", async () => {
		const scene = await openScene(`recorded:${root}/market`, REFERENCE_AS_OF_MS);
		try {
			const wanted = ["ai_spot_momentum_strategy", "ai_spot_mean_reversion", "ai_funding_arbitrage"];
			const records = await collect(scene, wanted);
			const strategies = new Set(records.map(({ strategy }) => strategy));
			for (const id of wanted) assert.ok(strategies.has(id), id);
			assert.ok(records.every(({ reliability }) => reliability.years.length > 0 || reliability.scored === 0));
			const trials = records.filter(({ sharpe }) => sharpe !== undefined);
			assert.ok(trials.length > 0 && trials.every(({ strategy }) => strategy !== "ai_funding_arbitrage"));
		} finally {
			await scene.market.close();
		}
	});
}

test.run();
