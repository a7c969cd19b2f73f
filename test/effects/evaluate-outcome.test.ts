import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { EffectDeps } from "../../src/effects/ports.ts";
import { universeHash } from "../../src/effects/universes.ts";
import { type Market, MarketError } from "../../src/market/contract.ts";
import type { DataNeeds } from "../../src/strategies/contract.ts";
import { fetchFailed, finding, finish, start, THREE } from "./attempt.ts";
import { bounded } from "./fake-clock.ts";
import { AS_OF_MS, fakeMarket, fakeUniverseStore, market, series } from "./fake-market.ts";
import { evaluationOf, fakePool, MOMENTUM, row, spotNeeds } from "./fakes.ts";

const test = suite("effects/evaluate-outcome");

const perp = (symbol: string, extra: Partial<Market> = {}) => market(symbol, "perp", 1e6, extra);
test(
	"rows, counts, report and ages of a plain run",
	bounded(async () => {
		const pool = finding("ETH");
		const { tally, rows, degraded, document } = await finish({ deps: { pool } });
		assert.is(degraded, null);
		assert.equal(tally.row_ids, [`${MOMENTUM}:ETH/USDT`]);
		assert.equal(tally.rejected, { no_trigger: 2 });
		assert.equal([tally.candidates_total, tally.evaluated, tally.data_age_seconds], [3, 3, 60]);
		assert.is(rows[0]?.discovered_at, "2026-03-19T19:00:00.000Z");
		assert.equal(document.thresholds, { z: 0.5 });
		assert.is(document.rejected_total, 2);
		assert.is(pool.requests.length, 1);
		assert.is(pool.requests[0]?.view.as_of_ms, AS_OF_MS);
		assert.equal(pool.requests[0]?.limits, { rows_max: 1000, risk_per_trade: 0.01, max_position_share: 0.25 });
	}),
);

test(
	"filters move rows to rejected with their reason, published and unproven alike",
	bounded(async () => {
		const pool = fakePool(async (request) => {
			const evaluation = evaluationOf(request, ["BTC"]);
			const unproven = row("ETH/USDT", { risk_level: "high", unproven_reason: "insufficient_evidence" });
			const rejected = evaluation.rejected.filter(({ symbol }) => symbol !== "ETH/USDT");
			return { ...evaluation, unproven: [unproven], rejected };
		});
		const all = await finish({ deps: { pool } });
		assert.equal([all.tally.row_ids.length, all.tally.unproven_ids.length], [1, 1]);
		const strict = await finish({
			filters: { filter_by_risk_level: ["medium"], min_profit_potential: 11 },
			deps: { pool },
		});
		assert.equal(strict.tally.rejected, { filter_min_profit: 1, filter_risk_level: 1, no_trigger: 1 });
		assert.equal(strict.rows, []);
		const portfolioRow = fakePool(async (request) => ({
			...evaluationOf({ ...request, candidates: [] }, []),
			candidate_unit: "proposal",
			evaluated: 1,
			published: [row("PORTFOLIO")],
		}));
		const level = await finish({ filters: { symbols: ["BTC"] }, deps: { pool: portfolioRow } });
		assert.equal(level.tally.rejected, { filter_symbol: 1 });
	}),
);

test(
	"rows are bounded, the best are kept, and row_ids stand best first",
	bounded(async () => {
		const pool = fakePool(async (request) => {
			const evaluation = evaluationOf(request, ["BTC", "ETH", "SOL"]);
			const published = evaluation.published.map((one, place) => ({
				...one,
				evidence: { ...one.evidence, mean_net_bps: 100 * (place + 1) },
			}));
			return { ...evaluation, published };
		});
		const { tally, rows } = await finish({ rowsMax: 2, deps: { pool } });
		assert.equal(tally.row_ids, [`${MOMENTUM}:SOL/USDT`, `${MOMENTUM}:ETH/USDT`]);
		assert.equal(tally.rejected, { rank_limit: 1 });
		assert.is(rows.length, 2);
	}),
);

test(
	"the evidence universe is every market of the type with history, whoever asks",
	bounded(async () => {
		const source = fakeMarket({
			markets: async () => [
				market("BTC/USDT", "spot", 1e9),
				market("ENDED/USDT", "spot", null),
				market("SHORT/USDT", "spot", 5),
				market("NONE/USDT", "spot", 5),
				market("WBTC/USDT", "spot", 1e9, { tags: ["wrapped"] }),
				market("ETH/BTC", "spot", 1e9),
				perp("BTC/USDT:USDT"),
			],
			candles: async (symbol) => {
				if (symbol === "NONE/USDT") throw new MarketError("bad_symbol", "no such series", false);
				return series(symbol, symbol === "SHORT/USDT" ? 299 : 300);
			},
		});
		const pool = finding();
		const needs = spotNeeds({
			evidence: { market: "spot", timeframe: "1d", bars_min: 300, funding: false },
			benchmarks: ["BTC/USDT"],
		});
		const { degraded, document } = await finish({
			filters: { symbols: ["SOL"] },
			deps: { market: source, pool, strategyOf: (id) => ({ id, needs }) },
		});
		assert.is(degraded, null);
		assert.equal(
			pool.requests[0]?.view.evidence.series.map(({ symbol }) => symbol),
			["BTC/USDT", "ENDED/USDT"],
		);
		assert.ok(pool.requests[0]?.view.series["BTC/USDT"], "benchmarks are read for every strategy");
		assert.is(document.evidence_series, 2);
		assert.ok(source.calls.every(({ as_of_ms }) => as_of_ms === AS_OF_MS));
	}),
);

test(
	"funding of benchmarks is read where funding is wanted; a market without any is no gap",
	bounded(async () => {
		const asked: string[] = [];
		const source = fakeMarket({
			funding: async (symbol) => {
				asked.push(symbol);
				if (symbol === "BTC/USDT") throw new MarketError("not_supported", "spot has no funding", false);
				return null;
			},
		});
		const benchmarks = ["BTC/USDT:USDT", "BTC/USDT"];
		const { degraded } = await finish({
			deps: { market: source, strategyOf: (id) => ({ id, needs: spotNeeds({ funding: true, benchmarks }) }) },
		});
		assert.is(degraded, null);
		for (const symbol of benchmarks) assert.ok(asked.includes(symbol), symbol);
		const before = asked.length;
		await finish({ deps: { market: source, strategyOf: (id) => ({ id, needs: spotNeeds({ benchmarks }) }) } });
		assert.is(asked.length, before, "no funding is read unasked");
	}),
);

test(
	"benchmarks are described where a strategy asks for their fees; of several venues the busiest one counts",
	bounded(async () => {
		const source = fakeMarket({
			venues: () => ["calm", "busy"],
			markets: async (venue) => [{ ...market("BENCH/USDT", "spot", venue === "busy" ? 2e9 : 1e9), venue }],
		});
		const described = async (needs: Partial<DataNeeds>) => {
			const pool = finding();
			await finish({
				deps: { market: source, pool, strategyOf: (id) => ({ id, needs: spotNeeds(needs) }) },
			});
			return pool.requests.at(-1)?.view.markets["BENCH/USDT"]?.venue;
		};
		assert.is(await described({ benchmarks: ["BENCH/USDT"], benchmark_markets: true }), "busy");
		assert.is(await described({ benchmarks: ["BENCH/USDT"] }), undefined, "nothing is read unasked");
	}),
);

test(
	"missing evidence or a missing benchmark is a gap that is named",
	bounded(async () => {
		const needs = spotNeeds({
			evidence: { market: "spot", timeframe: "1d", bars_min: 1, funding: false },
			benchmarks: ["BENCH/USDT"],
		});
		const source = fakeMarket({
			markets: async () => [market("BTC/USDT", "spot", 1e9), market("BAD/USDT", "spot", 1e9)],
			candles: async (symbol) =>
				symbol.startsWith("B") && symbol !== "BTC/USDT" ? Promise.reject(fetchFailed(true)) : series(symbol),
		});
		const { degraded, document, tally } = await finish({
			deps: { market: source, strategyOf: (id) => ({ id, needs }) },
		});
		assert.is(degraded?.code, "fetch_failed");
		assert.equal(document.unread, { "BENCH/USDT": "fetch_failed", "BAD/USDT": "fetch_failed" });
		assert.equal(tally.rejected, { no_trigger: 3 });
	}),
);

test(
	"a restart repeats the same result at the pinned instant, even when the stored universe is gone",
	bounded(async () => {
		const asked: number[] = [];
		const run = async (held: boolean) => {
			const store = fakeUniverseStore();
			if (held) store.held.set(universeHash(THREE), THREE);
			const source = fakeMarket();
			const discover: EffectDeps["discover"] = async (_, { asOfMs }) => {
				asked.push(asOfMs);
				return THREE;
			};
			/** The source's clock has moved on since the scan was pinned. */
			const moved = { ...source, now: () => AS_OF_MS + 3_600_000 };
			const { result } = start({ deps: { market: moved, pool: finding("ETH"), universes: store, discover } });
			const outcome = await result;
			assert.ok(source.calls.every(({ as_of_ms }) => as_of_ms === AS_OF_MS));
			return outcome;
		};
		assert.equal(await run(true), await run(false));
		assert.equal(asked, [AS_OF_MS]);
	}),
);

test.run();
