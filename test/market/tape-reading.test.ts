import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { withCache } from "../../src/market/cached.ts";
import type { MarketData, TradeTape } from "../../src/market/contract.ts";
import { createSimulatedMarketData } from "../../src/market/simulated.ts";

const test = suite("reading tapes");
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const AS_OF = Date.UTC(2026, 2, 19, 19, 2, 7);
const SYMBOL = "SOL/USDT:USDT";
const open = new AbortController().signal;

/** The simulated exchange, with what was asked of its tapes. */
function source() {
	const market = createSimulatedMarketData({ seed: 5, asOfMs: AS_OF + HOUR_MS, latencyMs: 0, clock: systemClock });
	const asked: number[] = [];
	const watched: MarketData = {
		...market,
		trades(symbol, options) {
			asked.push(options.as_of_ms - options.since_ms);
			return market.trades(symbol, options);
		},
	};
	return { market, watched, asked };
}

const plain = (tape: TradeTape | null) =>
	tape && {
		...tape,
		...{ time: [...tape.time], price: [...tape.price], quantity: [...tape.quantity] },
		taker_side: [...tape.taker_side],
	};

test("a tape goes on from the kept one, and is the one that a whole reading gives", async () => {
	const { market, watched, asked } = source();
	const cache = withCache(watched);
	const window = 5 * HOUR_MS;
	const read = async (as_of_ms: number) => {
		const options = { signal: open, as_of_ms, since_ms: as_of_ms - window };
		const [kept, whole] = [await cache.trades(SYMBOL, options), await market.trades(SYMBOL, options)];
		assert.equal(plain(kept), plain(whole));
		assert.ok((kept?.length ?? 0) > 2000);
		return cache.stats();
	};
	const { bytes } = await read(AS_OF);
	// Within a minute, over several, to the same instant again, back in time, and after a pause longer than the window.
	await read(AS_OF + 20_000);
	await read(AS_OF + 7 * MINUTE_MS);
	await read(AS_OF + 7 * MINUTE_MS);
	assert.equal(asked, [window, 20_000, 7 * MINUTE_MS - 20_000]);
	const stats = await read(AS_OF + 30 * MINUTE_MS);
	assert.is(stats.entries, 1, "one tape a market is kept");
	assert.ok(stats.bytes < 1.05 * bytes);
	await read(AS_OF);
	assert.is(asked.at(-1), window, "what lies before the kept tape is read anew");
	await cache.close();
});

test("an older instant of the same window is a view of the kept tape", async () => {
	const { market, watched, asked } = source();
	const cache = withCache(watched);
	const since_ms = AS_OF - 3 * HOUR_MS;
	await cache.trades(SYMBOL, { signal: open, as_of_ms: AS_OF, since_ms });
	const options = { signal: open, as_of_ms: AS_OF - HOUR_MS, since_ms: since_ms + MINUTE_MS };
	assert.equal(plain(await cache.trades(SYMBOL, options)), plain(await market.trades(SYMBOL, options)));
	assert.is(asked.length, 1);
	await cache.close();
});

test("a source that no longer reaches back to the kept end is read whole", async () => {
	const { market } = source();
	let deaf = false;
	const asked: number[] = [];
	const cache = withCache({
		...market,
		async trades(symbol, options) {
			asked.push(options.since_ms);
			const since_ms = deaf ? Math.max(options.since_ms, options.as_of_ms - MINUTE_MS) : options.since_ms;
			return market.trades(symbol, { ...options, since_ms });
		},
	});
	const window = { signal: open, since_ms: AS_OF - 2 * HOUR_MS };
	await cache.trades(SYMBOL, { ...window, as_of_ms: AS_OF });
	deaf = true;
	const late = await cache.trades(SYMBOL, { ...window, as_of_ms: AS_OF + HOUR_MS });
	assert.is(late?.since_ms, AS_OF + HOUR_MS - MINUTE_MS, "complete only from where the source says");
	assert.equal(asked, [window.since_ms, AS_OF, window.since_ms]);
	await cache.close();
});

test.run();
