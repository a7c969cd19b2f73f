import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startHarvest } from "../../src/effects/harvest.ts";
import { inTurns } from "../../src/effects/in-turns.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { PERP_DAILY } from "../../src/strategies/directional-market.ts";
import { createFakeMarket, fakeMarketEntry, fakeSeries } from "../support/fake-market.ts";

const test = suite("reads begun in turns");
const NOW = Date.UTC(2026, 0, 20);
/** What is queued now runs after one look at timers and the network. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("the first tasks begin at once, the others in order, so many a turn", async () => {
	const order: number[] = [];
	const begin = inTurns(3);
	const all = Array.from({ length: 8 }, (_, i) =>
		begin(async () => {
			order.push(i);
			return i;
		}),
	);
	const counts = [order.length];
	while (order.length < 8) {
		await nextTurn();
		counts.push(order.length);
	}
	assert.equal(counts, [3, 6, 8]);
	assert.equal([order, await Promise.all(all)], [order.toSorted(), order]);
});

test("a task that fails rejects its own promise and holds up no other", async () => {
	const begin = inTurns(1);
	const outcomes = await Promise.allSettled([
		begin(async () => 1),
		begin(async () => Promise.reject(new Error("lost"))),
		begin(async () => 3),
	]);
	assert.equal(
		outcomes.map(({ status }) => status),
		["fulfilled", "rejected", "fulfilled"],
	);
});

/** A universe of 90 markets that all answer; the symbols whose candles were asked for, in order. */
function universe(): { market: MarketData; symbols: string[]; asked: string[] } {
	const symbols = Array.from({ length: 90 }, (_, i) => `C${i}/USDT:USDT`);
	const asked: string[] = [];
	const bars = [{ close: 1 }, { close: 2 }];
	const fake = createFakeMarket({
		nowMs: NOW,
		series: symbols.map((symbol) => fakeSeries({ symbol, bars, asOfMs: NOW })),
	});
	const candles: MarketData["candles"] = (symbol, timeframe, read) => {
		asked.push(symbol);
		return fake.candles(symbol, timeframe, read);
	};
	return { market: { ...fake, candles }, symbols, asked };
}

function harvestOf({ market, symbols }: Pick<ReturnType<typeof universe>, "market" | "symbols">) {
	const candidates = symbols.map((symbol) => ({ symbol, asset: null, market: fakeMarketEntry({ symbol }) }));
	const needs = { ...PERP_DAILY.needs, evidence: null, benchmarks: [] };
	const signal = new AbortController().signal;
	return startHarvest(market, needs, candidates, { signal, as_of_ms: NOW, concurrencyMax: null });
}

test("the reads of a whole universe leave turns to others and all arrive", async () => {
	const world = universe();
	const harvest = harvestOf(world);
	const first = world.asked.length;
	assert.ok(first > 0 && first <= 20, `${first} candidates were begun in one turn`);
	let turns = 0;
	for (let before = first; world.asked.length < 90; turns++) {
		await nextTurn();
		assert.ok(world.asked.length - before <= 20, "more in a turn than in the first");
		before = world.asked.length;
	}
	assert.ok(turns >= 4, `${turns} turns`);
	await harvest.settled;
	assert.equal([harvest.arrived(), harvest.pending(), harvest.failures().size], [90, 0, 0]);
	assert.equal(world.asked, world.symbols);
	harvest.stop();
});

test("reads that had not begun when time was up are never begun", async () => {
	const world = universe();
	const harvest = harvestOf(world);
	const begun = world.asked.length;
	harvest.cut();
	await harvest.settled;
	assert.is(world.asked.length, begun);
	assert.is(harvest.failures().get("C89/USDT:USDT")?.reason, "timeout");
});

test.run();
