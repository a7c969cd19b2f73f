/** A crowd of scans that begin together costs an exchange exactly what one of them costs, however long they take. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Clock, systemClock } from "../../src/clock.ts";
import { createLiveExchange, type LiveExchange } from "../support/live-source.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { type SharedProcess, sharedProcess } from "../support/shared-process.ts";

const test = suite("market: a crowd of scans");
const HOUR_MS = 3_600_000;
const SLICE_MS = 15_000;
let redis: TestRedis;
test.before(async () => {
	redis = await startRedis();
});
test.after(() => redis.stop());
test.before.each(async () => {
	await redis.client().flushall();
});

/** An exchange and processes beside a store, for all of which time can pass without anybody waiting. */
function createScene() {
	let passedMs = 0;
	const clock: Clock = { ...systemClock, now: () => systemClock.now() + passedMs };
	// The newest bar of each series is not published yet.
	const exchange = createLiveExchange({ lateBars: 1, latencyMs: 1 });
	const pass = async (ms: number): Promise<void> => {
		passedMs += ms;
		exchange.nowMs += ms;
		const client = redis.client();
		for (const key of await client.keys("market_answer:*")) {
			for (const moment of ["a", "r", "u"])
				if (await client.hexists(key, moment)) await client.hincrby(key, moment, -ms);
		}
		for (const key of [...(await client.keys("market_answer:*")), ...(await client.keys("market_lease:*"))])
			await client.pexpire(key, Math.max(1, (await client.pttl(key)) - ms));
	};
	return { clock, exchange, pass, open: () => sharedProcess(redis, exchange, { clock }) };
}

interface Begin {
	as_of_ms: number;
	begun_ms?: number;
}

async function scan({ market }: SharedProcess, { symbols }: LiveExchange, begin: Begin): Promise<void> {
	const options = { signal: AbortSignal.timeout(60_000), ...begin };
	await market.markets("live", options);
	await Promise.all(
		symbols.flatMap((symbol): Promise<unknown>[] => [
			market.candles(symbol, "1h", options),
			market.candles(symbol, "1d", { ...options, limit: 20 }),
			market.funding(symbol, options),
			market.orderBook(symbol, options),
			market.openInterest(symbol, options),
			market.openInterest(symbol, { ...options, as_of_ms: begin.as_of_ms - 72 * HOUR_MS }),
			market.tickers(symbols, options),
		]),
	);
	assert.is(await market.candles("X/USDT", "1h", options).catch(({ code }) => code), "bad_symbol");
}

/** As many scans in five waves a minute apart, begun within eight seconds of each other on both sides of a slice's end. */
async function callsOfCrowd(scans: number, told = true): Promise<string[]> {
	await redis.client().flushall();
	const { clock, exchange, pass, open } = createScene();
	const begunMs = clock.now();
	const asOfMs = exchange.nowMs;
	const processes = [open(), open()];
	const waves = Math.min(5, scans);
	for (let wave = 0; wave < waves; wave++) {
		if (wave > 0) await pass(60_000);
		// A process that starts late has nothing in its memory.
		if (wave === 2) processes.push(open());
		await Promise.all(
			Array.from({ length: scans / waves }, (_, i) => {
				const late = i % 2;
				const begin = { as_of_ms: asOfMs + late * SLICE_MS, ...(told ? { begun_ms: begunMs + late * 8_000 } : {}) };
				return scan(processes[i % processes.length] as SharedProcess, exchange, begin);
			}),
		);
	}
	return [...exchange.calls].sort();
}

test("1,000 scans that begin at once make exactly the requests of one, those for late bars and moving prices too", async () => {
	const alone = await callsOfCrowd(1);
	assert.is(new Set(alone).size, alone.length);
	assert.equal(await callsOfCrowd(1_000), alone);
	// Where nobody says when a scan began, each is taken to begin as it reads: what was late is asked for again and again.
	const untold = await callsOfCrowd(100, false);
	assert.ok(untold.length >= alone.length + 4, `${untold.length} of ${alone.length}`);
});

test("a symbol that is listed now is found by who begins a minute after it was refused", async () => {
	const { clock, exchange, pass, open } = createScene();
	const { market } = open();
	const codeOf = (begun_ms: number) => {
		const read = { signal: AbortSignal.timeout(20_000), as_of_ms: exchange.nowMs, begun_ms };
		return market.candles("X/USDT", "1h", read).then(
			({ length }) => length,
			({ code }) => code,
		);
	};
	const begunMs = clock.now();
	assert.is(await codeOf(begunMs), "bad_symbol");
	exchange.symbols = [...exchange.symbols, "X/USDT"];
	await pass(59_000);
	assert.is(await codeOf(clock.now()), "bad_symbol");
	await pass(2_000);
	assert.is(await codeOf(begunMs), "bad_symbol");
	assert.is(exchange.calls.length, 1);
	assert.is(await codeOf(clock.now()), 300);
	assert.is(await codeOf(begunMs), 300);
});

test("who begins later gets what is new by then: late bars after 15 s, books after 10 s", async () => {
	const { clock, exchange, pass, open } = createScene();
	const processes = [open(), open()] as [SharedProcess, SharedProcess];
	const begin = () => ({ signal: AbortSignal.timeout(20_000), as_of_ms: exchange.nowMs, begun_ms: clock.now() });
	const crowd = begin();
	await processes[0].market.candles("A/USDT", "1h", crowd);
	await processes[0].market.orderBook("A/USDT", crowd);
	await pass(16_000);
	exchange.lateBars = 0;
	// One of the crowd reads again just before, in the memory of both.
	for (const { market } of processes) {
		await market.candles("A/USDT", "1h", { ...crowd, begun_ms: crowd.begun_ms + 1_000 });
		await market.orderBook("A/USDT", crowd);
	}
	assert.is(exchange.calls.length, 2);
	for (const { market } of processes) {
		const series = await market.candles("A/USDT", "1h", begin());
		assert.is(series.open_time.at(-1), Math.floor(exchange.nowMs / HOUR_MS) * HOUR_MS - HOUR_MS);
		assert.is((await market.orderBook("A/USDT", begin()))?.at_ms, exchange.nowMs);
	}
	assert.equal(exchange.calls.slice(2), ["candles A/USDT 1h", "orderBook A/USDT"]);
});

/** A process that stands still in mid-fetch: it renews nothing and hears nothing until it goes on. */
function createFrozen(clock: Clock) {
	const held: (() => void)[] = [];
	let frozen = true;
	const own: Clock = {
		...clock,
		setTimeout: (callback, ms) => clock.setTimeout(() => (frozen ? void held.push(callback) : callback()), ms),
	};
	const goOn = () => {
		frozen = false;
		for (const callback of held) callback();
	};
	return { own, goOn };
}

test("a holder that stands still for a while loses nothing to others, and one that is dead holds nobody up for long", async () => {
	const tells = redis.kind === "redis-server";
	if (!tells) process.stdout.write("  skipped: a dead holder, the embedded server does not tell who is connected\n");
	for (const dead of tells ? [false, true] : [false]) {
		await redis.client().flushall();
		const { clock, exchange, pass, open } = createScene();
		const { own, goOn } = createFrozen(clock);
		const gone = new AbortController();
		const holder = sharedProcess(redis, exchange, { clock: own });
		const begun_ms = clock.now();
		const read = { signal: AbortSignal.timeout(20_000), as_of_ms: exchange.nowMs, begun_ms };
		exchange.latencyMs = 150;
		const first = holder.market.candles("A/USDT", "1h", { ...read, signal: gone.signal }).catch(() => null);
		while (exchange.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
		if (dead) holder.die();
		await pass(9_000);
		exchange.latencyMs = 1;
		const others = [open(), open()];
		const begun = performance.now();
		const waiting = Promise.all(
			Array.from({ length: 1_000 }, (_, i) => (others[i % 2] as SharedProcess).market.candles("A/USDT", "1h", read)),
		);
		goOn();
		assert.ok((await waiting).every(({ length }) => length === 300));
		// Of its lease eleven seconds were left.
		assert.ok(performance.now() - begun < 8_000, "the others waited for the end of the lease");
		// What a dead one was sent nobody will ever hear.
		assert.is(exchange.calls.length, dead ? 2 : 1);
		gone.abort(new Error("over"));
		await first;
	}
});

test("a holder that wakes after its lease was lost overwrites nothing with what it was sent before", async () => {
	const { clock, exchange, pass, open } = createScene();
	const { own } = createFrozen(clock);
	const holder = sharedProcess(redis, exchange, { clock: own });
	const read = { signal: AbortSignal.timeout(20_000), as_of_ms: exchange.nowMs, begun_ms: clock.now() };
	exchange.latencyMs = 200;
	const first = holder.market.orderBook("A/USDT", read);
	while (exchange.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
	await pass(30_000);
	exchange.latencyMs = 1;
	await open().market.orderBook("A/USDT", read);
	const fetchedAt = () => redis.client().hget("market_answer:{ccxt:live}:book:A/USDT", "a");
	const before = await fetchedAt();
	assert.ok(before);
	await first;
	assert.is(await fetchedAt(), before);
	assert.is(exchange.calls.length, 2);
});

test.run();
