import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withCache } from "../../src/market/cached.ts";
import { MarketError, type ReadOptions } from "../../src/market/contract.ts";
import { createFakeMarket, fakeFunding, fakeMarketEntry, fakeSeries } from "../support/fake-market.ts";

const test = suite("market/cached");
const AS_OF = Date.UTC(2026, 2, 19, 19);
const bars = Array.from({ length: 30 }, (_, i) => ({ close: 100 + i }));
const build = () =>
	createFakeMarket({
		nowMs: AS_OF,
		series: ["A/USDT", "B/USDT"].flatMap((symbol) => [
			fakeSeries({ symbol, bars, asOfMs: AS_OF }),
			fakeSeries({ symbol, bars, asOfMs: AS_OF, timeframe: "1h" }),
		]),
		funding: [fakeFunding({ symbol: "A/USDT", rates: [1e-4, 2e-4, 3e-4], intervalHours: 8, asOfMs: AS_OF })],
	});
const read = (as_of_ms = AS_OF) => ({ signal: new AbortController().signal, as_of_ms });
const outcome = (work: Promise<unknown>) =>
	work.then(
		() => "ok",
		(error: unknown) => error,
	);

test("market data is fetched once per (source, symbol, timeframe), under concurrency and later", async () => {
	const fake = build();
	const market = withCache(fake);
	const ask = () =>
		Promise.all(
			["A/USDT", "B/USDT"].flatMap((symbol) => [
				market.candles(symbol, "1d", read()),
				market.candles(symbol, "1h", read()),
				market.candles(symbol, "1d", { ...read(), limit: 5 }),
				market.funding(symbol, read()),
				market.orderBook(symbol, read()),
				market.openInterest(symbol, read()),
			]),
		);
	const [first] = await Promise.all(Array.from({ length: 20 }, ask));
	await ask();
	for (const symbol of ["A/USDT", "B/USDT"]) {
		assert.is(fake.count("candles", `${symbol} 1d`), 1);
		assert.is(fake.count("candles", `${symbol} 1h`), 1);
		assert.is(fake.count("funding", symbol), 1);
		assert.is(fake.count("orderBook", symbol), 1);
		assert.is(fake.count("openInterest", symbol), 1);
	}
	const limited = first?.[2] as Awaited<ReturnType<typeof market.candles>>;
	assert.is(limited.length, 5);
	const stats = market.stats();
	assert.is(stats.fetches, 10);
	assert.is(stats.calls, 21 * 12);
	assert.is(stats.hits + stats.joined + stats.fetches, stats.calls);
	assert.is(stats.failures, 0);
});

test("scans pinned within one bar share it, each with its own as_of; the next bar is fetched anew", async () => {
	const fake = build();
	const market = withCache(fake);
	const first = await market.candles("A/USDT", "1h", read(AS_OF + 1000));
	const second = await market.candles("A/USDT", "1h", read(AS_OF + 2000));
	assert.is(first.as_of_ms, AS_OF + 1000);
	assert.is(second.as_of_ms, AS_OF + 2000);
	assert.is(second.close.buffer, first.close.buffer);
	await market.candles("A/USDT", "1h", read(AS_OF - 1));
	assert.is(fake.count("candles"), 2);
});

test("one waiter's abort is answered at once and leaves the fetch to the others", async () => {
	const fake = build();
	const gate = fake.hold("candles");
	const market = withCache(fake);
	const leaving = new AbortController();
	const left = outcome(market.candles("A/USDT", "1d", { as_of_ms: AS_OF, signal: leaving.signal }));
	const stays = market.candles("A/USDT", "1d", read());
	const reason = new Error("scan cancelled");
	leaving.abort(reason);
	assert.is(await left, reason);
	assert.is(fake.pending, 1);
	gate.release();
	assert.is((await stays).length, 30);
	assert.is(fake.count("candles"), 1);
});

test("the fetch ends when nobody waits any more, and the next asker starts a new one", async () => {
	const fake = build();
	fake.hang("candles");
	const market = withCache(fake);
	const controllers = [new AbortController(), new AbortController()];
	const waiting = controllers.map(({ signal }) => outcome(market.candles("A/USDT", "1d", { as_of_ms: AS_OF, signal })));
	for (const controller of controllers) controller.abort(new Error("gone"));
	await Promise.all(waiting);
	await new Promise((resolve) => setImmediate(resolve));
	assert.is(fake.pending, 0);
	assert.is(market.stats().failures, 1);
	fake.heal();
	assert.is((await market.candles("A/USDT", "1d", read())).length, 30);
	assert.is(fake.count("candles"), 2);
});

test("a call aborted before it starts reads nothing", async () => {
	const fake = build();
	const market = withCache(fake);
	const reason = new Error("late");
	assert.is(
		await outcome(market.candles("A/USDT", "1d", { as_of_ms: AS_OF, signal: AbortSignal.abort(reason) })),
		reason,
	);
	assert.is(fake.count("candles"), 0);
});

test("a failed fetch fails its waiters and is not remembered", async () => {
	const fake = build();
	const failure = new MarketError("fetch_failed", "broken", true);
	fake.fail("candles", failure);
	const market = withCache(fake);
	const both = await Promise.all([
		outcome(market.candles("A/USDT", "1d", read())),
		outcome(market.candles("A/USDT", "1d", read())),
	]);
	assert.equal(both, [failure, failure]);
	assert.is(fake.count("candles"), 1);
	fake.heal();
	assert.is((await market.candles("A/USDT", "1d", read())).length, 30);
	assert.is(market.stats().entries, 1);
});

test("that a source has no such data is an answer and remembered", async () => {
	const fake = build();
	const market = withCache(fake);
	for (let i = 0; i < 3; i++) {
		const answer = await outcome(market.candles("A/USDT", "5m", read()));
		assert.is((answer as MarketError).code, "not_supported");
	}
	assert.is(fake.count("candles"), 1);
	assert.is(market.stats().failures, 0);
	for (let i = 0; i < 2; i++)
		assert.is(((await outcome(market.candles("X/USDT", "1d", read()))) as MarketError).code, "bad_symbol");
	assert.is(fake.count("candles"), 3);
});

test("memory is bounded: the least recently used answer goes first", async () => {
	const fake = build();
	const market = withCache(fake, { bytesMax: 4500 });
	await market.candles("A/USDT", "1d", read());
	await market.candles("B/USDT", "1d", read());
	await market.candles("A/USDT", "1d", read());
	await market.candles("A/USDT", "1h", read());
	const { evictions, entries, bytes } = market.stats();
	assert.is(evictions, 1);
	assert.is(entries, 2);
	assert.ok(bytes <= 4500);
	await market.candles("A/USDT", "1d", read());
	assert.is(fake.count("candles", "A/USDT 1d"), 1);
	await market.candles("B/USDT", "1d", read());
	assert.is(fake.count("candles", "B/USDT 1d"), 2);
});

test("a venue gets no more calls at a time than its bound, and its queue is bounded too", async () => {
	const symbols = Array.from({ length: 12 }, (_, i) => `C${i}/USDT`);
	const markets = { one: symbols.slice(0, 6), two: symbols.slice(6) };
	const fake = createFakeMarket({
		nowMs: AS_OF,
		markets: Object.fromEntries(
			Object.entries(markets).map(([venue, own]) => [venue, own.map((symbol) => fakeMarketEntry({ symbol, venue }))]),
		),
	});
	const market = withCache(fake, { venueConcurrencyMax: 2, venueWaitingMax: 3 });
	await Promise.all(market.venues().map((venue) => market.markets(venue, read())));
	const gate = fake.hold("orderBook");
	const asked = symbols.map((symbol) => outcome(market.orderBook(symbol, read())));
	await new Promise((resolve) => setImmediate(resolve));
	assert.is(fake.pending, 4);
	gate.release();
	const answers = await Promise.all(asked);
	const refused = answers.filter((answer) => answer instanceof MarketError);
	assert.is(refused.length, 2);
	assert.match(refused[0]?.message ?? "", /too many calls wait for one/);
	assert.is(fake.count("orderBook"), 10);
});

test("reads for evidence let those of candidates go first at a venue", async () => {
	const symbols = ["C0/USDT", "C1/USDT", "C2/USDT", "C3/USDT"];
	const fake = createFakeMarket({
		nowMs: AS_OF,
		markets: { one: symbols.map((symbol) => fakeMarketEntry({ symbol, venue: "one" })) },
	});
	const market = withCache(fake, { venueConcurrencyMax: 1 });
	await market.markets("one", read());
	const gate = fake.hold("orderBook");
	const answered: string[] = [];
	const asked = symbols.map((symbol, i) =>
		market.orderBook(symbol, { ...read(), later: i < 3 }).then(() => answered.push(symbol)),
	);
	await new Promise((resolve) => setImmediate(resolve));
	gate.release();
	await Promise.all(asked);
	// The first one had begun already.
	assert.equal(answered, ["C0/USDT", "C3/USDT", "C1/USDT", "C2/USDT"]);
});

test("a candidate that needs what evidence waits for takes it to the front, and as what candidates need", async () => {
	const symbols = ["C0/USDT", "C1/USDT", "C2/USDT", "C3/USDT", "C4/USDT"];
	const fake = createFakeMarket({
		nowMs: AS_OF,
		markets: { one: symbols.map((symbol) => fakeMarketEntry({ symbol, venue: "one" })) },
	});
	const asked: [string, boolean | undefined][] = [];
	const source = {
		...fake,
		orderBook: (symbol: string, options: ReadOptions) => {
			asked.push([symbol, options.later]);
			return fake.orderBook(symbol, options);
		},
	};
	const market = withCache(source, { venueConcurrencyMax: 1 });
	await market.markets("one", read());
	const gate = fake.hold("orderBook");
	const ask = (i: number, later: boolean) => market.orderBook(symbols[i] as string, { ...read(), later });
	// Evidence asks for one to three, candidates then for two and four.
	const all = [ask(0, false), ask(1, true), ask(2, true), ask(3, true), ask(2, false), ask(4, false)];
	await new Promise((resolve) => setImmediate(resolve));
	gate.release();
	await Promise.all(all);
	assert.equal(asked, [
		["C0/USDT", false],
		["C2/USDT", false],
		["C4/USDT", false],
		["C1/USDT", true],
		["C3/USDT", true],
	]);
});

test("closing aborts what is under way and closes the source", async () => {
	const fake = build();
	fake.hang("candles");
	const market = withCache(fake);
	const waiting = outcome(market.candles("A/USDT", "1d", read()));
	await market.close();
	assert.instance(await waiting, MarketError);
	assert.ok(fake.closed);
});

test.run();
