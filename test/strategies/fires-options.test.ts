/** Where the option strategies publish on the simulated exchange and where they do not, as a table that is checked. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";
import { holding, optionRequest, simulatedAt } from "../support/option-market.ts";

const test = suite("option strategies on the simulated exchange");

interface Case {
	strategy: "ai_options_trade" | "ai_complex_strategy";
	seed: number;
	at: string;
	/** Coins held beside 100,000 USD. */
	coins: Record<string, number>;
	/** `symbol structure` of published rows, and of unproven ones; empty: nothing. */
	published: readonly string[];
	unproven: readonly string[];
}

const TABLE: readonly Case[] = [
	{
		strategy: "ai_options_trade",
		seed: 42,
		at: "2025-02-11T15:00:00Z",
		coins: {},
		published: ["ETH/USDT long_call"],
		unproven: ["ETH/USDT straddle"],
	},
	{
		strategy: "ai_options_trade",
		seed: 24,
		at: "2025-07-21T09:00:00Z",
		coins: {},
		published: ["BTC/USDT long_put", "BTC/USDT straddle"],
		unproven: [],
	},
	{
		strategy: "ai_options_trade",
		seed: 24,
		at: "2025-07-21T09:00:00Z",
		coins: { BTC: 1 },
		published: ["BTC/USDT long_put", "BTC/USDT protective_put", "BTC/USDT straddle"],
		unproven: [],
	},
	{
		strategy: "ai_options_trade",
		seed: 6,
		at: "2025-03-03T15:00:00Z",
		coins: { BTC: 1 },
		published: ["BTC/USDT covered_call"],
		unproven: [],
	},
	{
		strategy: "ai_options_trade",
		seed: 7,
		at: "2025-02-11T15:00:00Z",
		coins: { ETH: 10 },
		published: ["ETH/USDT covered_call"],
		unproven: [],
	},
	{ strategy: "ai_options_trade", seed: 1, at: "2025-11-10T10:03:00Z", coins: {}, published: [], unproven: [] },
	{
		strategy: "ai_complex_strategy",
		seed: 1,
		at: "2026-03-19T19:00:00Z",
		coins: {},
		published: ["BTC/USDT iron_condor", "ETH/USDT iron_condor"],
		unproven: [],
	},
	{
		strategy: "ai_complex_strategy",
		seed: 7,
		at: "2025-02-11T15:00:00Z",
		coins: {},
		published: ["ETH/USDT iron_butterfly"],
		unproven: [],
	},
	{
		strategy: "ai_complex_strategy",
		seed: 9,
		at: "2025-03-03T15:00:00Z",
		coins: {},
		published: ["BTC/USDT box"],
		unproven: [],
	},
	{
		strategy: "ai_complex_strategy",
		seed: 1,
		at: "2025-07-21T09:00:00Z",
		coins: {},
		published: ["BTC/USDT butterfly"],
		unproven: [],
	},
	{
		strategy: "ai_complex_strategy",
		seed: 15,
		at: "2025-07-21T09:00:00Z",
		coins: {},
		published: [],
		unproven: ["BTC/USDT iron_butterfly", "ETH/USDT calendar", "ETH/USDT iron_butterfly"],
	},
	{
		strategy: "ai_complex_strategy",
		seed: 22,
		at: "2025-07-21T09:00:00Z",
		coins: {},
		published: [],
		unproven: ["AVAX/USDT parity"],
	},
	{ strategy: "ai_complex_strategy", seed: 42, at: "2025-11-10T10:03:00Z", coins: {}, published: [], unproven: [] },
];

for (const { strategy, seed, at, coins, published, unproven } of TABLE) {
	const held = Object.keys(coins).join(" and ") || "nothing";
	test(`${strategy}, seed ${seed}, ${at}, ${held} held: ${[...published, ...unproven].join(", ") || "no row"}`, async () => {
		const evaluation = evaluate(
			await optionRequest(strategy, simulatedAt(seed, Date.parse(at)), holding(coins, 100_000)),
		);
		assert.ok(evaluationSchema.safeParse(evaluation).success);
		const names = (rows: typeof evaluation.published) =>
			rows.map((row) => `${row.symbol} ${row.metadata.structure}`).sort();
		assert.equal(
			[names(evaluation.published), names(evaluation.unproven)],
			[[...published].sort(), [...unproven].sort()],
		);
		assert.ok(evaluation.rejected.length > 0);
		for (const row of [...evaluation.published, ...evaluation.unproven]) {
			assert.is(row.data_source.kind, "simulated");
			for (const leg of row.metadata.legs as { price: number; quoted_contracts: number; units: number }[]) {
				assert.ok(leg.price > 0 && leg.quoted_contracts >= leg.units * Number(row.metadata.contracts));
			}
		}
	});
}

test("the table shows every structure, and each strategy with and without a published row", () => {
	const shown = new Set(
		TABLE.flatMap(({ published, unproven }) => [...published, ...unproven]).map((name) => name.split(" ")[1]),
	);
	for (const structure of [
		"straddle",
		"long_call",
		"long_put",
		"covered_call",
		"protective_put",
		"iron_condor",
		"iron_butterfly",
		"calendar",
		"box",
		"butterfly",
		"parity",
	]) {
		assert.ok(shown.has(structure), structure);
	}
	for (const strategy of ["ai_options_trade", "ai_complex_strategy"]) {
		const cases = TABLE.filter((one) => one.strategy === strategy);
		assert.ok(
			cases.some(({ published }) => published.length > 0) && cases.some(({ published }) => published.length === 0),
		);
	}
});

test.run();
