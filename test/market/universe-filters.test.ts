import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ASSET_TIERS, tierOfVolume } from "../../src/catalogue.ts";
import type { Universe } from "../../src/market/contract.ts";
import { parseSymbolFilter, selectAssets } from "../../src/market/universe-filters.ts";
import { fakeMarketEntry } from "../support/fake-market.ts";

const test = suite("market/universe-filters");

function universeOf(
	volumes: Record<string, number>,
	symbolsOf = (base: string) => [`${base}/USDT`, `${base}/USDC`, `${base}/USDT:USDT`],
): Universe {
	const assets = Object.entries(volumes).map(([base, volume]) => ({
		base,
		tier: tierOfVolume(volume),
		volume_usd_24h: volume,
		markets: symbolsOf(base).map((symbol) => fakeMarketEntry({ symbol })),
	}));
	return { as_of_ms: 0, assets, excluded: {}, sources: [] };
}
const universe = universeOf({ BTC: 2e8, ETH: 6e7, SOL: 2e7, XRP: 3e6, LYN: 2e5, DUST: 2e4, GONE: 5, 币安: 2e6 });
const select = (symbols: string[], tiers?: string[]) =>
	selectAssets(universe, { floorTier: "tier_micro", symbols, ...(tiers ? { tiers } : {}) });
const symbolsOf = (symbols: string[]) =>
	select(symbols).assets.flatMap((asset) => asset.markets.map((market) => market.symbol));

test("a base means every market of it", () => {
	assert.equal(symbolsOf(["BTC"]), ["BTC/USDT", "BTC/USDC", "BTC/USDT:USDT"]);
	assert.equal(symbolsOf(["币安"]), ["币安/USDT", "币安/USDC", "币安/USDT:USDT"]);
});

test("a pair means base and quote, in each way it may be written", () => {
	for (const word of ["ETH/USDT", "ETH-USDT", "ETH_USDT", "ETHUSDT", "ethusdt"])
		assert.equal(symbolsOf([word]), ["ETH/USDT", "ETH/USDT:USDT"]);
	assert.equal(symbolsOf(["ETHUSDC"]), ["ETH/USDC"]);
	assert.equal(symbolsOf(["1000PEPE/USDT"]), []);
	assert.equal(parseSymbolFilter("BTCUSD"), { kind: "pair", base: "BTC", quote: "USD" });
	assert.equal(parseSymbolFilter("USDT"), { kind: "base", base: "USDT" });
});

test("a contract means that contract, and words add up", () => {
	assert.equal(symbolsOf(["SOL/USDT:USDT"]), ["SOL/USDT:USDT"]);
	assert.equal(symbolsOf(["SOL/USDT:USDT", "SOL/USDC", "XRP-USDC"]), ["SOL/USDC", "SOL/USDT:USDT", "XRP/USDC"]);
});

test("what selects nothing is reported as it was written", () => {
	assert.equal(select(["BTC", "nope", "ETH/EUR", "SOL/USDC:USDC", "GONE"]).unmatched, [
		"nope",
		"ETH/EUR",
		"SOL/USDC:USDC",
		"GONE",
	]);
	assert.equal(select(["nope"]).assets, []);
});

test("a coin named like a pair is that coin", () => {
	const odd = universeOf({ FOOUSD: 2e6 });
	assert.is(selectAssets(odd, { floorTier: "tier_retail", symbols: ["FOOUSD"] }).assets.length, 1);
});

test("a tier filter keeps an asset's own tier; tiers below the floor are reported", () => {
	const { assets, unmatched } = selectAssets(universe, {
		floorTier: "tier_retail",
		tiers: ["tier_retail", "TIER_ENTERPRISE", "tier_micro"],
	});
	assert.equal(
		assets.map((asset) => asset.base),
		["ETH", "XRP", "币安"],
	);
	assert.equal(unmatched, ["tier_micro"]);
	assert.throws(() => select([], ["tier_gold"]), /no asset tier/);
});

test("a higher tier of user sees a superset", () => {
	fc.assert(
		fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 30 }), (volumes) => {
			const drawn = universeOf(Object.fromEntries(volumes.map((volume, i) => [`C${i}X`, volume])));
			let before = new Set<string>();
			for (const { name } of ASSET_TIERS) {
				const now = new Set(selectAssets(drawn, { floorTier: name }).assets.map((asset) => asset.base));
				for (const base of before) assert.ok(now.has(base));
				before = now;
			}
			assert.is(before.size, volumes.length);
		}),
	);
});

test.run();
