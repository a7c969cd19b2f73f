import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CATALOGUE } from "../src/catalogue.ts";
import { canonicalSymbol, parseTimeframe, symbolMatches } from "../src/filter-words.ts";
import { filterKey, parseFilters, rowPasses } from "../src/filters.ts";
import { row } from "./effects/fakes.ts";

const test = suite("filters");

const parsed = (body: Record<string, unknown>) => {
	const result = parseFilters(body);
	if (!result.ok) throw new Error(JSON.stringify(result.errors));
	return result;
};
const problems = (body: Record<string, unknown>) => {
	const result = parseFilters(body);
	return result.ok ? [] : result.errors;
};

test("no filter is the empty object, whatever stands for nothing", () => {
	const key = parsed({}).filter_key;
	assert.equal(parsed({}).filters, {});
	/** SHA-256 of the two bytes `{}`. */
	assert.is(key, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
	for (const nothing of [null, "", " , ", [], [null, " "]]) {
		const { filters, filter_key } = parsed({
			symbols: nothing,
			strategy_types: nothing,
			force_refresh: true,
			limit: 5,
		});
		assert.equal(filters, {});
		assert.is(filter_key, key);
	}
});

test("symbol spellings of one market are one symbol", () => {
	for (const spelling of ["BTC/USDT", "btc-usdt", "BTC_USDT", "btcusdt", " BtcUsdt "]) {
		assert.is(canonicalSymbol(spelling), "BTC/USDT", spelling);
	}
	assert.is(canonicalSymbol("ethusdc"), "ETH/USDC");
	assert.is(canonicalSymbol("ETHUSD"), "ETH/USD");
	assert.is(canonicalSymbol("btcusdt:usdt"), "BTC/USDT:USDT");
	assert.is(canonicalSymbol("1000pepeusdt"), "1000PEPE/USDT");
	for (const coin of ["BTC", "USDT", "USDC", "TUSD", "FDUSD"]) assert.is(canonicalSymbol(coin), coin);
});

test("a base means all its markets, a pair any market type, a contract only itself", () => {
	assert.ok(symbolMatches("BTC/USDT", "BTC"));
	assert.ok(symbolMatches("BTC/USDT:USDT", "BTC"));
	assert.ok(symbolMatches("BTC/USDT:USDT", "BTC/USDT"));
	assert.not(symbolMatches("BTC/USDT", "BTC/USDT:USDT"));
	assert.not(symbolMatches("BTC/USDC", "BTC/USDT"));
	assert.not(symbolMatches("BTCDOM/USDT", "BTC"));
});

test("strategies are resolved by id, short id and name; unknown ones are kept and reported", () => {
	const { filters, unmatched } = parsed({
		strategy_ids: ["AI Momentum Trading", "spot_momentum_strategy", "ai_spot_momentum_strategy", "Astrology"],
	});
	assert.equal(filters.strategy_ids, ["ai_spot_momentum_strategy", "astrology"]);
	assert.equal(unmatched, ["astrology"]);
});

test("medium_high is high; unknown words of closed lists are errors with their place", () => {
	assert.equal(parsed({ filter_by_risk_level: "Medium_High,HIGH,very_high" }).filters.filter_by_risk_level, [
		"high",
		"very_high",
	]);
	assert.equal(problems({ filter_by_risk_level: ["low", null, "extreme"] })[0]?.path, "body.filter_by_risk_level.2");
	assert.equal(problems({ asset_tiers: "tier_retail,tier_x" })[0]?.path, "body.asset_tiers");
	assert.equal(problems({ preferred_timeframes: ["4h", "soon"] })[0]?.path, "body.preferred_timeframes.1");
	assert.equal(problems({ filter_by_risk_level: "constructor" }).length, 1);
});

test("values of a wrong type are errors, all of them reported at once", () => {
	const found = problems({
		symbols: 7,
		asset_tiers: { a: 1 },
		strategy_ids: [["x"]],
		min_profit_potential: "5",
		max_required_capital: 0,
	}).map(({ path }) => path);
	assert.equal(found, [
		"body.symbols",
		"body.asset_tiers",
		"body.strategy_ids.0",
		"body.min_profit_potential",
		"body.max_required_capital",
	]);
	assert.is(problems({ min_profit_potential: -1 }).length, 1);
	assert.is(problems({ min_profit_potential: Number.NaN }).length, 1);
	assert.is(problems({ symbols: Array.from({ length: 1001 }, (_, i) => `A${i}`) }).length, 1);
	assert.is(problems({ symbols: "A".repeat(101) }).length, 1);
});

test("strategy_types is an alias, merged with opportunity_type", () => {
	const { filters, unmatched } = parsed({
		opportunity_type: "Breakout",
		strategy_types: ["breakout", "HEDGE", "lottery"],
	});
	assert.equal(filters.opportunity_type, ["breakout", "hedge", "lottery"]);
	assert.equal(unmatched, ["lottery"]);
});

test("timeframes: grammar, lengths and one spelling", () => {
	const hours = 3_600_000;
	assert.equal(parseTimeframe("4-24h"), { word: "4-24h", from_ms: 4 * hours, to_ms: 24 * hours });
	assert.equal(parseTimeframe(" 1-3 Months ")?.word, "1-3mo");
	assert.equal(parseTimeframe("1mo")?.from_ms, 30 * 24 * hours);
	assert.equal(parseTimeframe("immediate"), { word: "immediate", from_ms: 0, to_ms: 0 });
	for (const wrong of ["", "h", "0h", "24-4h", "4", "4x", "-4h", "4.5h", "4h1d"])
		assert.is(parseTimeframe(wrong), null, wrong);
});

test("the first failing filter names the reason of a row", () => {
	const passes = (body: Record<string, unknown>, overrides: Parameters<typeof row>[1] = {}, symbol = "BTC/USDT") =>
		rowPasses(row(symbol, overrides), parsed(body).filters);
	assert.is(passes({}), null);
	assert.is(passes({ symbols: "BTC,ETH" }), null);
	assert.is(passes({ symbols: "ETH", filter_by_risk_level: "low" }), "filter_symbol");
	assert.is(passes({ symbols: "ETH,LINK" }, {}, "ETH-LINK"), null);
	assert.is(passes({ symbols: "ETH/USDT,LINK" }, {}, "ETH-LINK"), null);
	assert.is(passes({ symbols: "ETH" }, {}, "ETH-LINK"), "filter_symbol");
	assert.is(passes({ symbols: "PORTFOLIO" }, {}, "PORTFOLIO"), "filter_symbol");
	assert.is(passes({ asset_tiers: "tier_retail" }, {}, "PORTFOLIO"), null);
	assert.is(passes({ filter_by_risk_level: "low" }), "filter_risk_level");
	assert.is(passes({ filter_by_risk_level: "medium_high" }, { risk_level: "high" }), null);
	assert.is(passes({ min_profit_potential: 10 }), null);
	assert.is(passes({ min_profit_potential: 10.01 }), "filter_min_profit");
	assert.is(passes({ min_profit_potential: 0 }, { profit_potential_usd: -1 }), "filter_min_profit");
	assert.is(passes({ max_required_capital: 1000 }), null);
	assert.is(passes({ max_required_capital: 999 }), "filter_max_capital");
	assert.is(passes({ preferred_timeframes: "4h" }), "filter_timeframe");
	assert.is(passes({ preferred_timeframes: "4h,7d" }), null);
	assert.is(passes({ preferred_timeframes: "28-60d" }), null);
	assert.is(passes({ preferred_timeframes: "4h" }, { estimated_timeframe: "4-24h" }), null);
	assert.is(passes({ preferred_timeframes: "1mo" }, { estimated_timeframe: "1-3 months" }), null);
	assert.is(passes({ preferred_timeframes: "immediate" }, { estimated_timeframe: "immediate" }), null);
	assert.is(passes({ preferred_timeframes: "5m" }, { estimated_timeframe: "immediate" }), "filter_timeframe");
	assert.is(passes({ preferred_timeframes: "5m" }, { estimated_timeframe: "whenever" }), "filter_timeframe");
	assert.is(passes({ opportunity_type: "HEDGE" }), "filter_opportunity_type");
	assert.is(passes({ strategy_types: "spot_momentum" }), null);
});

const LISTS: Record<string, fc.Arbitrary<string>> = {
	symbols: fc.oneof(
		fc.constantFrom("BTC", "ETH/USDT", "SOL-USDC", "ADA_USD", "XRPUSDT", "BTC/USDT:USDT", "TUSD"),
		fc.stringMatching(/^[A-Za-z0-9/:_-]{1,12}$/),
	),
	asset_tiers: fc.constantFrom("tier_retail", "tier_any", "tier_institutional"),
	strategy_ids: fc.oneof(
		...CATALOGUE.map((entry) => fc.constantFrom(entry.id, entry.name)),
		fc.stringMatching(/^[a-z ]{1,9}$/),
	),
	filter_by_risk_level: fc.constantFrom("low", "medium", "medium_high", "high", "very_high"),
	preferred_timeframes: fc.constantFrom("5m", "4h", "4-24h", "immediate", "1-3 months", "1w"),
	opportunity_type: fc.constantFrom("breakout", "hedge", "futures", "unheard_of"),
};
const bodies = fc.record(
	{
		...Object.fromEntries(Object.entries(LISTS).map(([field, word]) => [field, fc.array(word, { maxLength: 6 })])),
		min_profit_potential: fc.double({ min: 0, max: 1e6, noNaN: true }),
		max_required_capital: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
	},
	{ requiredKeys: [] },
) as fc.Arbitrary<Record<string, unknown>>;

test("order, case, duplicates, blanks and comma strings never change the key", () => {
	const variant = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean());
	fc.assert(
		fc.property(bodies, variant, (body, [reversed, upper, doubled, joined]) => {
			const same = Object.fromEntries(
				Object.entries(body)
					.reverse()
					.map(([field, value]) => {
						if (!Array.isArray(value)) return [field, value];
						let list = value.map((word: string) => (upper ? word.toUpperCase() : word.toLowerCase()));
						if (reversed) list = list.reverse();
						if (doubled) list = [...list, " ", ...list.map((word) => ` ${word} `)];
						return [field, joined ? list.join(" , ") : list];
					}),
			);
			assert.is(parsed(same).filter_key, parsed(body).filter_key);
		}),
		{ numRuns: 300 },
	);
});

test("canonicalisation is idempotent and the key is the hash of what is shown", () => {
	fc.assert(
		fc.property(bodies, (body) => {
			const once = parsed(body);
			const twice = parsed({ ...once.filters });
			assert.equal(twice.filters, once.filters);
			assert.is(twice.filter_key, once.filter_key);
			assert.is(filterKey(once.filters), once.filter_key);
			assert.equal(JSON.parse(JSON.stringify(once.filters)), once.filters);
		}),
		{ numRuns: 300 },
	);
});

test("different filters have different keys", () => {
	const keys = [
		{},
		{ symbols: "BTC" },
		{ symbols: "ETH" },
		{ symbols: "BTC,ETH" },
		{ strategy_ids: "hedge_position" },
		{ min_profit_potential: 0 },
		{ max_required_capital: 1 },
		{ preferred_timeframes: "1d" },
	].map((body) => parsed(body).filter_key);
	assert.is(new Set(keys).size, keys.length);
});

test.run();
