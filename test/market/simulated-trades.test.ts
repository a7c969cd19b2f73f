import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import type { MarketData, TradeTape } from "../../src/market/contract.ts";
import { createSimulatedMarketData } from "../../src/market/simulated.ts";
import { TAPE_DAYS_MAX, TRADES_PER_MINUTE } from "../../src/market/simulated-trades.ts";
import { SIMULATION_START_MS } from "../../src/market/simulated-world.ts";

const test = suite("market/simulated trades");
const MINUTE = 60_000;
const DAY = 86_400_000;
const AS_OF = Date.UTC(2026, 2, 19, 19, 7, 31, 5);
const SYMBOLS = ["BTC/USDT:USDT", "MANA/USDT:USDT", "PHA/USDT"];
const open = (seed = 1, asOfMs = AS_OF): MarketData =>
	createSimulatedMarketData({ seed, asOfMs, latencyMs: 0, clock: systemClock });
const read = (as_of_ms = AS_OF) => ({ signal: new AbortController().signal, as_of_ms });
async function tapeOf(market: MarketData, symbol: string, sinceMs: number, asOfMs = AS_OF): Promise<TradeTape> {
	const tape = await market.trades(symbol, { ...read(asOfMs), since_ms: sinceMs });
	if (!tape) throw new Error(`no tape of ${symbol}`);
	return tape;
}
const columns = (tape: TradeTape) => [[...tape.time], [...tape.price], [...tape.quantity], [...tape.taker_side]];
const value = (column: ArrayLike<number>, i: number): number => column[i] ?? Number.NaN;

test("the trades of a minute make its bar: open, high, low, close and volume", async () => {
	const market = open();
	for (const symbol of SYMBOLS) {
		const bars = await market.candles(symbol, "1m", { ...read(), limit: 600 });
		const since = value(bars.open_time, 0);
		const tape = await tapeOf(market, symbol, since);
		for (let bar = 0; bar < bars.length; bar++) {
			const from = bar * TRADES_PER_MINUTE;
			const prices = [...tape.price.subarray(from, from + TRADES_PER_MINUTE)];
			const times = [...tape.time.subarray(from, from + TRADES_PER_MINUTE)];
			const opened = value(bars.open_time, bar);
			assert.ok(times.every((time) => time >= opened && time < opened + MINUTE));
			assert.equal(
				[prices[0], Math.max(...prices), Math.min(...prices), prices.at(-1)],
				[value(bars.open, bar), value(bars.high, bar), value(bars.low, bar), value(bars.close, bar)],
			);
			const volume = tape.quantity.subarray(from, from + TRADES_PER_MINUTE).reduce((sum, one) => sum + one, 0);
			assert.ok(Math.abs(volume / value(bars.volume, bar) - 1) < 1e-9);
		}
	}
});

test("a tape grows in time, is complete from since on and ends at as_of", async () => {
	const since = AS_OF - DAY + 17_000;
	const tape = await tapeOf(open(), "MANA/USDT:USDT", since);
	assert.is(tape.since_ms, since);
	assert.is(tape.as_of_ms, AS_OF);
	assert.ok(value(tape.time, 0) >= since && value(tape.time, tape.length - 1) <= AS_OF);
	for (let i = 1; i < tape.length; i++) assert.ok(value(tape.time, i) > value(tape.time, i - 1));
	assert.ok([...tape.taker_side].every((side) => side === 1 || side === -1));
	assert.ok([...tape.quantity].every((quantity) => quantity > 0));
	assert.ok(Math.abs(tape.length - 1440 * TRADES_PER_MINUTE) <= TRADES_PER_MINUTE);
	assert.ok(tape.price.buffer instanceof SharedArrayBuffer, "a worker reads it without a copy");
});

test("a trade is a function of seed and time, whoever asks, from when and as of when", async () => {
	const late = open(1, AS_OF + 3 * DAY);
	await tapeOf(late, "BTC/USDT:USDT", AS_OF, AS_OF + 3 * DAY);
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom("SOL/USDT:USDT", "MANA/USDT:USDT"),
			fc.integer({ min: 0, max: DAY }),
			fc.integer({ min: 1, max: 3 * 3_600_000 }),
			async (symbol, ago, span) => {
				const until = AS_OF - ago;
				const short = await tapeOf(open(), symbol, until - span, until);
				const long = await tapeOf(late, symbol, until - span - 7_000_000, until + 5_000_000);
				const start = long.time.findIndex((time) => time >= until - span);
				assert.equal(columns(short), columns({ ...long, ...cut(long, start, start + short.length) }));
				assert.ok(!(value(long.time, start + short.length) <= until), "the short tape misses a trade");
			},
		),
		{ numRuns: 25, seed: 1 },
	);
	const other = await tapeOf(open(2), "MANA/USDT:USDT", AS_OF - 600_000);
	assert.not.equal(columns(other), columns(await tapeOf(open(), "MANA/USDT:USDT", AS_OF - 600_000)));
});

const cut = (tape: TradeTape, from: number, to: number) => ({
	time: tape.time.subarray(from, to),
	price: tape.price.subarray(from, to),
	quantity: tape.quantity.subarray(from, to),
	taker_side: tape.taker_side.subarray(from, to),
});

test("the size is bounded: no tape reaches back further than its cap", async () => {
	const tape = await tapeOf(open(), "MANA/USDT:USDT", 0);
	assert.is(tape.since_ms, AS_OF - TAPE_DAYS_MAX * DAY);
	assert.ok(tape.length <= TAPE_DAYS_MAX * 1440 * TRADES_PER_MINUTE);
	assert.is(tape.length > 0.999 * TAPE_DAYS_MAX * 1440 * TRADES_PER_MINUTE, true);
});

test("takers press for a while: signed volume of minutes is autocorrelated, trades bounce", async () => {
	for (const symbol of SYMBOLS) {
		const tape = await tapeOf(open(), symbol, AS_OF - 5 * DAY);
		const signed: number[] = [];
		for (let i = 0; i + TRADES_PER_MINUTE <= tape.length; i += TRADES_PER_MINUTE) {
			let [net, all] = [0, 0];
			for (let j = i; j < i + TRADES_PER_MINUTE; j++) {
				net += value(tape.taker_side, j) * value(tape.quantity, j);
				all += value(tape.quantity, j);
			}
			signed.push(net / all);
		}
		assert.ok(autocorrelation(signed, 1) > 0.4, `${symbol}: ${autocorrelation(signed, 1)}`);
		assert.ok(autocorrelation(signed, 30) < autocorrelation(signed, 5), "the pressure fades");
		const buys = [...tape.taker_side].filter((side) => side === 1).length / tape.length;
		assert.ok(buys > 0.4 && buys < 0.6, `${symbol}: ${buys} buys`);
		const logs = [...tape.price].map(Math.log);
		assert.ok(
			autocorrelation(
				logs.slice(1).map((log, i) => log - (logs[i] ?? 0)),
				1,
			) < 0,
			"prices bounce between the sides",
		);
	}
});

function autocorrelation(values: readonly number[], lag: number): number {
	const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
	let [product, square] = [0, 0];
	values.forEach((one, i) => {
		square += (one - mean) ** 2;
		if (i >= lag) product += (one - mean) * ((values[i - lag] ?? 0) - mean);
	});
	return product / square;
}

test("the book fits the tape: it stands around the newest trade and leans the way takers press", async () => {
	const market = open();
	const leans: number[] = [];
	const flows: number[] = [];
	for (let i = 0; i < 120; i++) {
		const at = Math.floor(AS_OF / MINUTE) * MINUTE - i * 11 * MINUTE;
		const book = await market.orderBook("SOL/USDT:USDT", read(at));
		const tape = await tapeOf(market, "SOL/USDT:USDT", at - 5 * MINUTE, at - 1);
		if (!book) throw new Error("no book");
		const last = value(tape.price, tape.length - 1);
		assert.ok((book.bids[0]?.[0] ?? 0) < last && last < (book.asks[0]?.[0] ?? 0));
		const depth = (levels: [number, number][]) => levels.slice(0, 10).reduce((sum, [, quantity]) => sum + quantity, 0);
		leans.push((depth(book.bids) - depth(book.asks)) / (depth(book.bids) + depth(book.asks)));
		let [net, all] = [0, 0];
		for (let j = 0; j < tape.length; j++) {
			net += value(tape.taker_side, j) * value(tape.quantity, j);
			all += value(tape.quantity, j);
		}
		flows.push(net / all);
	}
	const same = leans.filter((lean, i) => Math.sign(lean) === Math.sign(flows[i] ?? 0)).length;
	assert.ok(same > 0.8 * leans.length, `${same} of ${leans.length} books lean with the flow`);
	assert.ok(Math.max(...leans) > 0.4 && Math.min(...leans) < -0.4);
});

test("no trades before the listing or after the end, and errors as of the other reads", async () => {
	const market = open();
	assert.is(await market.trades("BTC/USDT", { ...read(SIMULATION_START_MS - 1), since_ms: 0 }), null);
	assert.is(await market.trades("SUI/USDT", { ...read(Date.UTC(2023, 4, 2)), since_ms: 0 }), null);
	const ended = await tapeOf(market, "LUNA/USDT", AS_OF - DAY);
	assert.is(ended.length, 0);
	const around = await tapeOf(market, "LUNA/USDT", Date.UTC(2022, 4, 12, 23), Date.UTC(2022, 4, 13, 1));
	assert.is(around.length, 60 * TRADES_PER_MINUTE);
	await market.trades("NOPE/USDT", { ...read(), since_ms: 0 }).then(
		() => assert.unreachable(),
		(error: { code: string }) => assert.is(error.code, "bad_symbol"),
	);
	const stopped = new AbortController();
	const work = market.trades("MANA/USDT", { signal: stopped.signal, as_of_ms: AS_OF, since_ms: AS_OF - 30 * DAY });
	const reason = new Error("cancelled");
	stopped.abort(reason);
	assert.is(await work.catch((error: unknown) => error), reason, "a long tape stops between its parts");
});

test.run();
