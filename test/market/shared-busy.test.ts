/** Processes that share a live source and whose event loop is busy: nothing is fetched twice for it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { withinLoopTime } from "../../src/market/loop-time.ts";
import { createLiveExchange, type LiveExchange } from "../support/live-source.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { type SharedProcessOptions, sharedProcess } from "../support/shared-process.ts";

const test = suite("market/shared: a busy process");
let redis: TestRedis;
test.before(async () => {
	redis = await startRedis();
});
test.after(() => redis.stop());
test.before.each(async () => {
	await redis.client().flushall();
});

const processOf = (exchange: LiveExchange, options: SharedProcessOptions = {}) =>
	sharedProcess(redis, exchange, options);
const read = ({ nowMs }: LiveExchange) => ({ signal: AbortSignal.timeout(20_000), as_of_ms: nowMs });

/** Holds the event loop, as much work of one process does. */
function holdLoop(ms: number): void {
	for (const begun = performance.now(); performance.now() - begun < ms; );
}

test("a process whose loop stands still past its lease fetches nothing that another fetches", async () => {
	const exchange = createLiveExchange({ latencyMs: 60 });
	let looks = 0;
	let under = -1;
	// The moment at which all have asked and hardly anyone has heard: each lease ends before it is known or renewed.
	const looked = () => {
		if (++looks !== 6) return;
		under = exchange.calls.length;
		holdLoop(450);
	};
	const processes = Array.from({ length: 3 }, () => processOf(exchange, { leaseMs: 200, looked }));
	// Their connections are open, so that a look is sent when it is made.
	await Promise.all(processes.map(({ answers }) => answers.size("ccxt:live")));
	const books = processes.flatMap(({ market }) =>
		exchange.symbols.map((symbol) => market.orderBook(symbol, read(exchange))),
	);
	assert.is((await Promise.all(books)).length, 6);
	assert.ok(under >= 0, "the loop was never held");
	// What was sent before may be sent once more, by whoever took the lease over that ended meanwhile.
	assert.ok(exchange.calls.length <= 2 + under, `${exchange.calls.length} calls, ${under} of them before`);
	assert.is(
		processes.reduce((sum, { shared }) => sum + shared.sharedStats().unshared, 0),
		0,
	);
});

test("a process does not take its own delay for an outage of the store", async () => {
	const client = redis.client();
	assert.is(await client.ping(), "PONG");
	const late = withinLoopTime(systemClock, 200, client.ping());
	holdLoop(400);
	assert.is(await late, "PONG");
	const never = withinLoopTime(systemClock, 30, new Promise(() => undefined)).catch((error: unknown) => error);
	assert.match(String(await never), /no answer within 30 ms/);
});

test("reads that begin together leave the loop to timers and answers between them", async () => {
	const exchange = createLiveExchange();
	const { market } = processOf(exchange);
	await market.orderBook("A/USDT", read(exchange));
	const options = read(exchange);
	let loops = 0;
	let counting = true;
	const count = () => {
		loops++;
		if (counting) setImmediate(count);
	};
	setImmediate(count);
	await Promise.all(Array.from({ length: 2_000 }, () => market.orderBook("A/USDT", options)));
	counting = false;
	assert.ok(loops >= 2_000, `${loops} loops`);
	assert.is(exchange.calls.length, 1);
});

test.run();
