import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { withCache } from "../../src/market/cached.ts";
import type { FundingSeries, Market, OrderBook, Series } from "../../src/market/contract.ts";
import { discoverUniverse } from "../../src/market/index.ts";
import type { Evaluation, Opportunity } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { differenceSamples, differenceWindow } from "../../src/strategies/funding-difference.ts";
import { simpleApr } from "../../src/strategies/funding-rates.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { carryLegs, venueFunding } from "../support/carry-legs.ts";
import { checked } from "../support/checked-evaluation.ts";
import { requestOn } from "../support/evaluate-on.ts";
import { candidateOf, gaussian, marketOf, portfolioOf, requestOf } from "../support/synthetic-market.ts";
import { INTERVAL_HOURS, type RateOf, twoVenues } from "../support/two-venues.ts";

const test = suite("funding at two venues");
const ID = "ai_funding_arbitrage";
const AS_OF_MS = Date.UTC(2025, 5, 2);
const BASES = Array.from({ length: 10 }, (_, i) => `V${i}`);
const near = (actual: number, expected: number, tolerance: number) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);

const reasonsOf = ({ rejected }: Evaluation): string[] => [...new Set(rejected.map(({ reason }) => reason))];

/** A scan's own way to the strategy: discovery, candidates, reads through the cache, evaluation. */
async function scanned(rateOf: RateOf, extra: Partial<Market> = {}) {
	const source = twoVenues(BASES, AS_OF_MS, rateOf, extra);
	const market = withCache(source);
	const signal = AbortSignal.timeout(30_000);
	const universe = await discoverUniverse(market, { signal, asOfMs: AS_OF_MS, clock: systemClock });
	const request = await requestOn(ID, { market, universe, asOfMs: AS_OF_MS }, portfolioOf(50_000));
	return { source, request, evaluation: checked(evaluate(request)) };
}

const CALM_DAYS = 20;
/** Alpha pays 3 bp per 8 hours in hot spells, beta -0.5 bp per 4 hours always; the newest days are hot and constant. */
function planted(): RateOf {
	const hot = new Map(
		BASES.map((base, k) => {
			const random = createRandom(k + 1);
			let on = k % 2 === 0;
			const spells = Array.from({ length: 2000 }, () => {
				if (random() < 1 / 60) on = !on;
				return on;
			});
			return [base, spells];
		}),
	);
	const normal = gaussian(77);
	return (base, venue, i, count) => {
		if (venue === "beta") return -0.00005;
		if (i >= count - 3 * CALM_DAYS) return 0.0003;
		return (hot.get(base)?.[i] ? 0.0003 : -0.00005) + 0.00002 * normal();
	};
}

test("planted rates of different intervals are found with their annual difference, each venue asked by name", async () => {
	const { source, request, evaluation } = await scanned(planted());
	assert.equal(source.unnamed, [], "no read may guess its venue");
	assert.is(request.view.evidence.venue_funding?.length, 2 * BASES.length);
	assert.ok(evaluation.published.length > 0, JSON.stringify([evaluation.rejected.slice(0, 2), evaluation.report]));
	for (const row of evaluation.published) {
		// 3 bp and -0.5 bp twice per 8 hours make 4 bp.
		near(row.metadata.apr_gross_percent as number, 100 * simpleApr(0.0004, 8), 1e-9);
		near(row.metadata.apr_gross_percent as number, 43.8, 1e-9);
		assert.equal([row.exchange, row.side, row.exit_price], ["multiple", "neutral", null]);
		const legs = row.metadata.legs as { symbol: string; exchange: string; side: string; price: number }[];
		assert.equal(
			legs.map(({ exchange, side }) => `${side} ${exchange}`),
			["long beta", "short alpha"],
		);
		assert.ok(legs.every(({ price }) => price > 0) && (row.entry_price ?? 0) > 0);
		assert.ok(["high", "very_high"].includes(row.risk_level));
		near(row.required_capital_usd, row.metadata.notional_usd as number, 1e-6);
		near(row.costs.fee_bps, 2 * (3 + 3), 1e-9);
		assert.ok((row.confidence_score ?? 0) > 50 && row.profit_potential_usd > 0);
		const { interval_hours_short, interval_hours_long } = row.metadata.indicators as Record<string, number>;
		assert.equal([interval_hours_short, interval_hours_long], [INTERVAL_HOURS.alpha, INTERVAL_HOURS.beta]);
	}
});

test("equal pay in parts of different size is no difference: 3 bp in 8 hours is 1.5 bp in 4", async () => {
	const { evaluation } = await scanned((_, venue) => (venue === "alpha" ? 0.0003 : 0.00015));
	assert.is(evaluation.published.length + evaluation.unproven.length, 0);
	// Alpha's own rate is above the threshold, but there is no spot to hold against it.
	assert.equal(reasonsOf(evaluation), ["no_spot_market"]);
	assert.ok(evaluation.rejected[0]?.detail?.includes("below_threshold, 0.000 bp"), evaluation.rejected[0]?.detail);
	assert.is(evaluation.near_misses.length, 3);
});

test("a difference too small for four fees, one that turns, thin venues and closed ones have their reasons", async () => {
	const reasonOf = async (rateOf: RateOf, extra: Partial<Market> = {}) =>
		reasonsOf((await scanned(rateOf, extra)).evaluation);
	const small: RateOf = (_, venue) => (venue === "alpha" ? 0.00008 : -0.00003);
	assert.equal(await reasonOf(small, { taker_fee: 0.001 }), ["cost_exceeds_edge"]);
	const turning: RateOf = (_, venue, i) => (venue === "beta" ? 0 : i % 2 === 0 ? 0.0008 : -0.0003);
	assert.equal(await reasonOf(turning), ["below_threshold"]);
	assert.equal(await reasonOf(planted(), { open_interest_usd: 1_000_000 }), ["illiquid"]);
	assert.equal(await reasonOf(() => 0.00001), ["below_threshold"]);
});

interface Scene {
	own?: (i: number) => number;
	rival?: (i: number) => number;
	error?: string;
	spot?: boolean;
	book?: OrderBook;
}

/** One coin at two venues, seen by the strategy alone. */
function single({ own = () => 0.0004, rival = () => -0.0001, error, spot = false, book }: Scene) {
	const symbol = "X/USDT:USDT";
	const [spotSeries, perpSeries] = carryLegs("X", AS_OF_MS, 5) as [Series, Series];
	const [other] = carryLegs("X", AS_OF_MS, 5).slice(1) as [Series];
	const noise = gaussian(61);
	const rivalSeries = { ...other, venue: "beta", close: other.close.map((value) => value * (1 + 0.0004 * noise())) };
	const funding = venueFunding({ symbol, venue: "alpha" }, 8, AS_OF_MS, 300, own);
	const away = venueFunding({ symbol, venue: "beta" }, 1, AS_OF_MS, 300, (i) => rival(i) / 8);
	const cheap = { taker_fee: 0.0002, volume_usd_24h: 500_000_000 };
	const market = marketOf(symbol, { ...cheap, venue: "alpha" });
	const request = requestOf({
		strategyId: ID,
		series: [spotSeries, perpSeries],
		funding: [funding],
		evidenceFunding: [funding],
		candidates: [candidateOf(market, spot ? [marketOf("X/USDT", cheap)] : [])],
		asOfMs: AS_OF_MS,
	});
	const rivals = [
		{
			market: marketOf(symbol, { ...cheap, venue: "beta" }),
			funding: error === undefined ? away : null,
			series: error === undefined ? rivalSeries : null,
			book: book ?? null,
			error: error ?? null,
		},
	];
	request.view.rivals = { [symbol]: rivals };
	request.view.evidence.venue_funding = [funding, away].map((one) => ({ base: "X", funding: one }));
	const evaluation = checked(evaluate(request));
	const [row] = [...evaluation.published, ...evaluation.unproven];
	return { evaluation, row: row as Opportunity | undefined, reason: evaluation.rejected[0]?.reason, funding, away };
}

const exchangesOf = ({ row }: ReturnType<typeof single>): string[] =>
	((row?.metadata.legs ?? []) as { exchange: string }[]).map(({ exchange }) => exchange);

test("whichever venue pays more is sold; a negative rate needs no borrow where another venue is bought", () => {
	assert.equal(exchangesOf(single({})), ["beta", "alpha"]);
	const turned = single({ own: () => -0.0004, rival: () => 0.0001 });
	assert.equal(exchangesOf(turned), ["alpha", "beta"], JSON.stringify(turned.evaluation.rejected));
	near(turned.row?.metadata.apr_gross_percent as number, 100 * simpleApr(0.0005, 8), 1e-9);
	assert.is.not(turned.row?.opportunity_id, single({ spot: true, rival: () => 0.0004 }).row?.opportunity_id);
});

test("of spot and another venue the better trade is listed; a venue that cannot be read leaves the other", () => {
	assert.is(single({ spot: true, rival: () => 0.0004 }).row?.metadata.trade, "cash_and_carry");
	assert.is(single({ spot: true, error: "timeout" }).row?.metadata.trade, "cash_and_carry");
	const alone = single({ error: "timeout" });
	assert.is(alone.reason, "no_spot_market");
	assert.ok(alone.evaluation.rejected[0]?.detail?.includes("fetch_failed, beta: timeout"));
	assert.is(alone.evaluation.near_misses.length, 1, "one candidate is missed once");
});

test("a leg is priced by its book, at the side its order would meet", () => {
	const book: OrderBook = { symbol: "X/USDT:USDT", bids: [[99, 5]], asks: [[99.02, 5]], at_ms: AS_OF_MS };
	const legs = single({ book }).row?.metadata.legs as { price: number; price_from: string }[];
	assert.equal([legs[0]?.price, legs[0]?.price_from, legs[1]?.price_from], [99.02, "order book", "newest close"]);
});

test("a carry whose legs have no price, or no past to learn from, is refused with its reason", () => {
	const funding = [venueFunding({ symbol: "F00/USDT:USDT", venue: "binanceusdm" }, 8, AS_OF_MS, 100, () => 0.0003)];
	const cheap = { taker_fee: 0.0002, volume_usd_24h: 500_000_000 };
	const candidates = [candidateOf(marketOf("F00/USDT:USDT", cheap), [marketOf("F00/USDT", cheap)])];
	const legs = carryLegs("F00", AS_OF_MS, 3);
	const reasonOf = (series: Series[], evidenceFunding: FundingSeries[] = funding, books: OrderBook[] = []) => {
		const request = requestOf({ strategyId: ID, series, funding, evidenceFunding, candidates, asOfMs: AS_OF_MS });
		for (const book of books) request.view.books[book.symbol] = book;
		return checked(evaluate(request)).rejected[0]?.reason ?? "";
	};
	assert.is(reasonOf(legs), "", "both legs are priced");
	assert.is(reasonOf([]), "missing_orderbook");
	assert.is(reasonOf(legs.slice(0, 1)), "missing_orderbook", "the perp");
	assert.is(reasonOf(legs, []), "insufficient_evidence");
	const books = ["F00/USDT", "F00/USDT:USDT"].map((symbol): OrderBook => {
		return { symbol, bids: [[99.99, 1]], asks: [[100.01, 1]], at_ms: AS_OF_MS };
	});
	assert.is(reasonOf([], funding, books), "insufficient_history", "a price alone has no volatility");
	const cut = (column: Float64Array) => column.subarray(0, 150);
	const stale = legs.map((one) => ({ ...one, length: 150, open_time: cut(one.open_time), close: cut(one.close) }));
	assert.is(reasonOf(stale), "missing_orderbook", "a close of fifty days ago is no price");
});

test("the difference window: three days both have, whatever their intervals, added as integers", () => {
	const { funding, away } = single({ own: () => 0.0003, rival: () => -0.00008 });
	const window = differenceWindow(funding, away, AS_OF_MS);
	assert.equal(
		window && [window.sumE8, window.agreeing, window.settlements, window.largestE8],
		[342_000, 9, 9, 38_000],
	);
	assert.is(differenceWindow(away, funding, AS_OF_MS)?.sumE8, -342_000);
	// One hour later the hourly contract has settled again, the other has not: the window stays where both end.
	assert.is(differenceWindow(funding, away, AS_OF_MS + 3_600_000)?.sumE8, 342_000);
	assert.is(
		differenceWindow(funding, { ...away, ...cutTo(away, 40) }, AS_OF_MS),
		null,
		"forty hours are no three days",
	);
});

const cutTo = (series: FundingSeries, count: number) => ({
	length: count,
	funding_time: series.funding_time.subarray(series.length - count),
	rate_e8: series.rate_e8.subarray(series.length - count),
});

test("samples know no future, lean to the side that earned, and do not care which venue comes first", () => {
	const normal = gaussian(12);
	const { funding, away } = single({ own: () => 0.0001 + 0.0003 * normal(), rival: () => 0.0001 * normal() });
	const both = [funding, away].map((one) => ({ base: "X", funding: one }));
	const samples = differenceSamples(both);
	assert.ok(samples.length > 250);
	assert.equal(differenceSamples([...both].reverse()), samples);
	assert.ok(samples.every(({ past }) => past >= 0));
	const early = AS_OF_MS - 100 * 86_400_000;
	const before = both.map(({ base, funding: one }) => {
		const count = one.funding_time.filter((time) => time <= early).length;
		const head = {
			length: count,
			funding_time: one.funding_time.subarray(0, count),
			rate_e8: one.rate_e8.subarray(0, count),
		};
		return { base, funding: { ...one, ...head } };
	});
	const known = differenceSamples(before);
	assert.ok(known.length > 100);
	assert.equal(known, samples.slice(0, known.length));
	assert.equal(differenceSamples(both, early), known, "later settlements that a source delivers are not counted");
});

test.run();
