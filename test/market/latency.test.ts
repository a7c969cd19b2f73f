import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SimulatedClock } from "xstate";
import { withLatency } from "../../src/market/latency.ts";
import { createFakeMarket, fakeSeries } from "../support/fake-market.ts";

const test = suite("market/latency");
const AS_OF = Date.UTC(2026, 0, 1);
const build = () => {
	const clock = new SimulatedClock();
	const fake = createFakeMarket({
		nowMs: AS_OF,
		series: [fakeSeries({ symbol: "A/USDT", bars: [{ close: 1 }], asOfMs: AS_OF })],
	});
	return { clock, fake, market: withLatency(fake, 250, clock as never) };
};

test("each call is answered after the latency, on the injected clock", async () => {
	const { clock, fake, market } = build();
	let length: number | null = null;
	const call = market
		.candles("A/USDT", "1d", { signal: new AbortController().signal, as_of_ms: AS_OF })
		.then((series) => {
			length = series.length;
		});
	clock.increment(249);
	await Promise.resolve();
	assert.is(fake.calls.length, 0);
	clock.increment(1);
	await call;
	assert.is(length, 1);
});

test("an abort ends the wait at once and the source is never asked", async () => {
	const { clock, fake, market } = build();
	const controller = new AbortController();
	const reason = new Error("cancelled");
	const calls = Array.from({ length: 40 }, () =>
		market.orderBook("A/USDT", { signal: controller.signal, as_of_ms: AS_OF }).then(
			() => null,
			(error: unknown) => error,
		),
	);
	controller.abort(reason);
	assert.equal(new Set(await Promise.all(calls)), new Set([reason]));
	clock.increment(10_000);
	assert.is(fake.calls.length, 0);
});

test("a latency that is no duration is refused", () => {
	assert.throws(() => withLatency(build().fake, -1, new SimulatedClock() as never), /0 or more/);
	assert.throws(() => withLatency(build().fake, Number.NaN, new SimulatedClock() as never), RangeError);
});

test.run();
