import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Clock, systemClock } from "../../../src/clock.ts";
import { underSignal } from "../../../src/market/ccxt/requests.ts";
import { shared } from "../../../src/market/ccxt/shared.ts";
import { openVenue } from "../../../src/market/ccxt/venue.ts";
import { openGate } from "../../../src/market/gate.ts";
import { writeRecordedFixture } from "../../support/recorded-fixture.ts";
import { createReplayExchange } from "../../support/replay-exchange/exchange.ts";
import { replaySet, SET_END_MS } from "../../support/replay-set.ts";

const test = suite("market/ccxt/shared");
const FRESH_MS = 5_000;
const { signal } = new AbortController();

function createScene() {
	let nowMs = 1_000_000;
	let reads = 0;
	const clock: Clock = { ...systemClock, now: () => nowMs };
	const read = shared(clock, FRESH_MS, async () => ++reads);
	return {
		pass: (ms: number) => {
			nowMs += ms;
		},
		begin: () => nowMs,
		/** What somebody gets who began at that time; null: now. */
		asked: (begunMs: number | null) => underSignal(signal, () => read(signal), 0, begunMs),
	};
}

test("who began while a value was fresh gets it for as long as it takes, who begins later a new one", async () => {
	const { pass, begin, asked } = createScene();
	const first = begin();
	assert.is(await asked(first), 1);
	pass(4_000);
	const second = begin();
	pass(120_000);
	assert.is(await asked(second), 1);
	assert.is(await asked(first), 1);
	assert.is(await asked(null), 2);
	assert.is(await asked(first), 2, "what was read since is fresh for who began before");
});

test("nobody who began long ago keeps an old value for ever", async () => {
	const { pass, begin, asked } = createScene();
	const first = begin();
	assert.is(await asked(first), 1);
	pass(3_600_000);
	assert.is(await asked(first), 2);
});

test("readers at once share one read", async () => {
	const { begin, asked } = createScene();
	const all = await Promise.all(Array.from({ length: 20 }, (_, i) => asked(begin() - i)));
	assert.equal(new Set(all), new Set([1]));
});

test("a venue's tickers and open interest serve who began while they were fresh, whatever it asks for", async () => {
	const fixture = await writeRecordedFixture(replaySet({ hours: 60, days: 30 }));
	const exchange = await createReplayExchange({ dir: fixture.dir });
	try {
		let passedMs = 0;
		const clock: Clock = { ...systemClock, now: () => systemClock.now() + passedMs };
		const venue = await openVenue({ id: "binanceusdm", baseUrl: exchange.baseUrl, gate: openGate, clock });
		const markets = await venue.markets({ as_of_ms: SET_END_MS }, signal);
		const symbols = markets.flatMap(({ symbol, open_interest_usd }) => (open_interest_usd === null ? [] : [symbol]));
		assert.ok(symbols.length >= 2, `${symbols.length} with open interest`);
		const begun = { later: false, begun_ms: clock.now() };
		passedMs = 8 * 60_000;
		const read = async (asker?: typeof begun) => {
			exchange.resetStats();
			for (const symbol of symbols) {
				await venue.tickers({ symbols: [symbol], as_of_ms: SET_END_MS }, signal, asker);
				await venue.openInterest({ symbol, as_of_ms: SET_END_MS, present: true }, signal, asker);
			}
			return exchange.stats().requests;
		};
		assert.is(await read(begun), 0);
		passedMs += 8 * 60_000;
		// For whoever begins now the tickers are read once, and each open interest.
		assert.is(await read(), 1 + symbols.length);
	} finally {
		await exchange.close();
		await fixture.remove();
	}
});

test.run();
