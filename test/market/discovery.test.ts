import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SimulatedClock } from "xstate";
import type { Clock } from "../../src/clock.ts";
import type { Market, MarketData } from "../../src/market/contract.ts";
import { MarketError } from "../../src/market/contract.ts";
import { DATA_AGE_MAX_MS, discoverUniverse } from "../../src/market/discovery.ts";
import { tagsOf } from "../../src/market/tags.ts";
import { createFakeMarket, fakeMarketEntry } from "../support/fake-market.ts";

const test = suite("market/discovery");
const AS_OF = Date.UTC(2026, 2, 19, 19);
const options = (clock = new SimulatedClock()) => ({
	signal: new AbortController().signal,
	asOfMs: AS_OF,
	clock: clock as unknown as Clock,
});
const fakeOf = (markets: Record<string, Market[]>) => createFakeMarket({ nowMs: AS_OF, markets });
const liveOf = (markets: Record<string, Market[]>): MarketData => ({
	...fakeOf(markets),
	source: { kind: "live", name: "ccxt:x" },
});
const entry = (symbol: string, venue: string, volume: number | null, extra: Partial<Market> = {}) =>
	fakeMarketEntry({ symbol, venue, volume_usd_24h: volume, ...extra });

test("volume is summed per base over dollar quotes and venues; other quotes never count", async () => {
	const fake = fakeOf({
		spot: [
			entry("BTC/USDT", "spot", 4e7),
			entry("BTC/USDC", "spot", 3e7),
			entry("BTC/EUR", "spot", 9e9),
			entry("ETH/BTC", "spot", 5e9),
		],
		perp: [entry("BTC/USDT:USDT", "perp", 5e7), entry("ETH/USDT:USDT", "perp", 2e6)],
	});
	const universe = await discoverUniverse(fake, options());
	assert.equal(
		universe.assets.map(({ base, tier, volume_usd_24h }) => [base, tier, volume_usd_24h]),
		[
			["BTC", "tier_institutional", 1.2e8],
			["ETH", "tier_retail", 2e6],
		],
	);
	assert.equal(
		universe.assets[0]?.markets.map((market) => market.symbol),
		["BTC/USDT:USDT", "BTC/USDT", "BTC/USDC"],
	);
	assert.equal(universe.sources, [
		{ name: "spot", ok: true, error: null, assets: 1 },
		{ name: "perp", ok: true, error: null, assets: 2 },
	]);
	assert.is(universe.as_of_ms, AS_OF);
});

test("every base left out is counted under one reason", async () => {
	const fake = fakeOf({
		v: [
			entry("OK/USDT", "v", 1e6),
			entry("USDC/USDT", "v", 1e9, { tags: ["stablecoin"] }),
			entry("BTC3L/USDT", "v", 1e6, { tags: ["leveraged"] }),
			entry("PAXG/USDT", "v", 1e6, { tags: ["pegged"] }),
			entry("WBTC/USDT", "v", 1e6, { tags: ["wrapped"] }),
			entry("EURO/EUR", "v", 1e6),
			entry("OLD/USDT", "v", 1e6, { data_age_ms: DATA_AGE_MAX_MS + 1 }),
			entry("NEW/USDT", "v", null, { data_age_ms: null }),
			entry("QUIET/USDT", "v", 0),
			entry("HALF/USDT", "v", null, { data_age_ms: DATA_AGE_MAX_MS + 1 }),
			entry("HALF/USDT:USDT", "v", 5),
		],
	});
	const { assets, excluded } = await discoverUniverse(fake, options());
	assert.equal(
		assets.map((asset) => asset.base),
		["OK", "HALF"],
	);
	assert.equal(
		assets[1]?.markets.map((market) => market.symbol),
		["HALF/USDT:USDT"],
	);
	assert.equal(excluded, {
		stablecoin: 1,
		leveraged: 1,
		pegged_or_wrapped: 2,
		no_usd_quote: 1,
		stale_data: 1,
		no_volume: 2,
	});
});

test("equal volumes are ordered by code point", async () => {
	const bases = ["b", "a", "\u{1F600}", "\uFF5E"];
	const { assets } = await discoverUniverse(
		fakeOf({ v: bases.map((base) => entry(`${base}/USDT`, "v", 10)) }),
		options(),
	);
	assert.equal(
		assets.map((asset) => asset.base),
		["a", "b", "\uFF5E", "\u{1F600}"],
	);
});

test("a venue that fails is reported and the rest goes on", async () => {
	const fake = fakeOf({ good: [entry("A/USDT", "good", 1e6)], bad: [entry("B/USDT", "bad", 1e6)], odd: [] });
	fake.fail("markets", new MarketError("fetch_failed", "503", true), "bad");
	fake.fail("markets", new TypeError("secret detail"), "odd");
	const { assets, sources } = await discoverUniverse(fake, options());
	assert.equal(
		assets.map((asset) => asset.base),
		["A"],
	);
	assert.equal(
		sources.map(({ name, ok, error }) => [name, ok, error]),
		[
			["good", true, null],
			["bad", false, "fetch_failed: 503"],
			["odd", false, "fetch_failed: odd failed unexpectedly"],
		],
	);
});

for (const deaf of [false, true]) {
	test(`a venue that hangs${deaf ? " and ignores its signal" : ""} costs its own deadline only`, async () => {
		const clock = new SimulatedClock();
		const fake = fakeOf({ good: [entry("A/USDT", "good", 1e6)], stuck: [] });
		if (deaf) fake.hangDeaf("markets", "stuck");
		else fake.hang("markets", "stuck");
		const discovery = discoverUniverse(fake, { ...options(clock), perSourceTimeoutMs: 5000 });
		await new Promise((resolve) => setImmediate(resolve));
		clock.increment(5000);
		const { assets, sources } = await discovery;
		assert.is(assets.length, 1);
		assert.is(sources[1]?.error, "timeout: stuck did not answer within 5000 ms");
		assert.is(fake.pending, deaf ? 1 : 0);
	});
}

test("a live venue whose data are newer than its clock by hours does not tell the present", async () => {
	const aged = (hours: number[]) =>
		liveOf({
			wrong: hours.map((hour, i) => entry(`A${i}/USDT`, "wrong", 1e6, { data_age_ms: hour * 3_600_000 })),
			right: [entry("BTC/USDT", "right", 1e6, { data_age_ms: -60_000 })],
		});
	const sourcesOf = async (hours: number[]) =>
		(await discoverUniverse(aged(hours), options())).sources.map(({ ok, error }) => ok || error);
	// Of markets that are not traded any more the last data are old at any time.
	assert.equal(await sourcesOf([-72, -72, -71, 9_000, 9_000, 9_000, 9_000]), [
		"fetch_failed: the data of wrong are newer than its clock, most by 72 hours",
		true,
	]);
	assert.equal(await sourcesOf([-2, -2, -2]), [true, true], "what a scan waits and takes");
	assert.equal(await sourcesOf([-72, 0, 0]), [true, true], "one datum of another time");
	assert.match(String((await sourcesOf([49, 50]))[0]), /all data of wrong are old, the newest of 49 hours ago/);
});

test("when no venue answers, discovery is an error", async () => {
	const clock = new SimulatedClock();
	const fake = fakeOf({ a: [], b: [] });
	fake.hang("markets");
	const discovery = discoverUniverse(fake, options(clock)).then(
		() => null,
		(error: unknown) => error,
	);
	await new Promise((resolve) => setImmediate(resolve));
	clock.increment(15_000);
	const error = await discovery;
	assert.instance(error, MarketError);
	assert.is((error as MarketError).code, "timeout");
	assert.is((error as MarketError).retryable, true);
});

test("an abort ends discovery with its reason", async () => {
	const controller = new AbortController();
	const fake = fakeOf({ a: [] });
	fake.hangDeaf("markets");
	const discovery = discoverUniverse(fake, { ...options(), signal: controller.signal }).then(
		() => null,
		(error: unknown) => error,
	);
	const reason = new Error("cancelled");
	controller.abort(reason);
	assert.is(await discovery, reason);
});

test("tags: tables for pegged, wrapped and stable, the underlying for leveraged", () => {
	const bases = new Set(["BTC", "ETH", "S", "JUP", "SYRUP", "SUP"]);
	assert.equal(tagsOf("USDC", bases), ["stablecoin"]);
	assert.equal(tagsOf("PAXG", bases), ["pegged"]);
	for (const base of ["WBTC", "WBETH", "BNSOL"]) assert.equal(tagsOf(base, bases), ["wrapped"]);
	for (const base of ["BTCUP", "ETHBEAR", "BTC3L"]) assert.equal(tagsOf(base, bases), ["leveraged"]);
	for (const base of ["JUP", "SYRUP", "SUP", "BTC", "1000PEPE", "币安人生"]) assert.equal(tagsOf(base, bases), []);
});

test.run();
