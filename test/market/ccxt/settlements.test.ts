/** What a contract settled is read whole, whichever end of a window the exchange begins its page at. */
import type { Exchange } from "ccxt";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ListedMarket } from "../../../src/market/ccxt/listing.ts";
import { profileOf } from "../../../src/market/ccxt/profiles.ts";
import { createSettlements } from "../../../src/market/ccxt/settlements.ts";
import { MarketError } from "../../../src/market/contract.ts";

const test = suite("market/ccxt/settlements");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW_MS = Date.UTC(2026, 2, 19, 12);
const market = { symbol: "X/USDT:USDT", swap: true, active: true } as unknown as ListedMarket;

/** An exchange that sends the newest rows of a window, or its first ones. */
function exchangeOf(times: readonly number[], newestFirst: boolean) {
	const calls: [number, number][] = [];
	const exchange = {
		id: "bybit",
		has: { fetchFundingRateHistory: true },
		async fetchFundingRateHistory(_symbol: string, since: number, limit: number, { until }: { until: number }) {
			calls.push([since, until]);
			const rows = times.filter((time) => time >= since && time <= until);
			return (newestFirst ? rows.slice(-limit) : rows.slice(0, limit)).map((timestamp) => ({
				timestamp,
				fundingRate: 1e-4,
			}));
		},
	} as unknown as Exchange;
	return { exchange, calls };
}

/** Settlements up to now, one contract whose interval changed from stretch to stretch, the newest stretch first. */
function settledTimes(stretches: readonly { hours: number; count: number }[]): number[] {
	const times: number[] = [];
	let time = NOW_MS;
	for (const { hours, count } of stretches)
		for (let i = 0; i < count; i++) {
			times.push(time + 7);
			time = Math.floor((time - 1) / (hours * HOUR)) * hours * HOUR;
		}
	return times.reverse();
}

test("property: whatever intervals a contract had, and whichever end a page begins at, every settlement is read", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.record({ hours: fc.constantFrom(1, 2, 4, 8), count: fc.integer({ min: 1, max: 60 }) }), {
				minLength: 1,
				maxLength: 5,
			}),
			fc.boolean(),
			fc.integer({ min: 20, max: 40 }),
			async (stretches, newestFirst, funding_max) => {
				const times = settledTimes(stretches);
				const { exchange } = exchangeOf(times, newestFirst);
				const settlements = createSettlements(exchange, { ...profileOf("bybit"), funding_max });
				const found = await settlements.read(market, stretches[0]?.hours ?? 8, NOW_MS + HOUR);
				assert.equal(
					[...(found?.funding_time ?? [])],
					times.map((time) => time - 7),
				);
			},
		),
		{ numRuns: 100 },
	);
});

test("a contract that once settled hourly keeps what it settled before", async () => {
	const times: number[] = [];
	for (let time = NOW_MS - 400 * DAY; time <= NOW_MS; time += HOUR) {
		const days = (NOW_MS - time) / DAY;
		if ((days > 20 && days < 50) || (time / HOUR) % 8 === 0) times.push(time);
	}
	for (const newestFirst of [true, false]) {
		const { exchange } = exchangeOf(times, newestFirst);
		const found = await createSettlements(exchange, profileOf("bybit")).read(market, 8, NOW_MS);
		assert.equal([...(found?.funding_time ?? [])], times);
	}
});

test("a contract whose interval did not change costs one request for each page", async () => {
	const times = Array.from({ length: 1_000 }, (_, i) => NOW_MS - (999 - i) * 8 * HOUR);
	const { exchange, calls } = exchangeOf(times, true);
	const found = await createSettlements(exchange, profileOf("bybit")).read(market, 8, NOW_MS);
	assert.is(found?.length, 1_000);
	assert.is(calls.length, 6);
});

test("a window that holds more than can be read fails, and does not pass for the whole", async () => {
	const exchange = {
		id: "strange",
		has: { fetchFundingRateHistory: true },
		async fetchFundingRateHistory(_symbol: string, since: number, limit: number) {
			return Array.from({ length: limit }, (_, i) => ({ timestamp: since + i * 1000, fundingRate: 1e-4 }));
		},
	} as unknown as Exchange;
	const end = await createSettlements(exchange, profileOf("bybit"))
		.read(market, 8, NOW_MS)
		.catch((error: unknown) => error);
	assert.instance(end, MarketError);
	assert.match((end as MarketError).message, /more settlements of X\/USDT:USDT than can be read/);
});

test.run();
