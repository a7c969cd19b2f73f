import { suite } from "uvu";
import * as assert from "uvu/assert";
import { z } from "zod";
import { MarketError } from "../../src/market/contract.ts";
import type { Evaluation } from "../../src/strategies/contract.ts";
import { failing, fetchFailed, finding, finish } from "./attempt.ts";
import { bounded } from "./fake-clock.ts";
import { fakeMarket, series } from "./fake-market.ts";
import { evaluationOf, fakePool, row } from "./fakes.ts";

const test = suite("effects/evaluate-failures");

test(
	"one failing candidate costs only itself: degraded, counted, never an empty ok",
	bounded(async () => {
		const source = fakeMarket({
			candles: async (symbol) => {
				if (symbol === "ETH/USDT") throw fetchFailed(true);
				return series(symbol);
			},
		});
		const pool = finding("BTC");
		const { tally, degraded } = await finish({ deps: { market: source, pool } });
		assert.equal(tally.rejected, { fetch_failed: 1, no_trigger: 1 });
		assert.equal(tally.row_ids.length, 1);
		assert.equal([degraded?.code, degraded?.retryable], ["fetch_failed", true]);
		assert.match(degraded?.message ?? "", "1 of 3 candidates could not be read");
		assert.equal(pool.requests[0]?.view.errors, { "ETH/USDT": "fetch_failed" });
		assert.not("ETH/USDT" in (pool.requests[0]?.view.series ?? {}));
	}),
);

test(
	"a strategy that passes over unread candidates, or names them otherwise, is counted all the same",
	bounded(async () => {
		const source = fakeMarket({
			candles: async (symbol) => (symbol === "ETH/USDT" ? Promise.reject(fetchFailed(true)) : series(symbol)),
		});
		const silent = fakePool(async (request) =>
			evaluationOf(
				{ ...request, candidates: request.candidates.filter(({ symbol }) => !request.view.errors[symbol]) },
				[],
			),
		);
		const renaming = fakePool(async (request) => {
			const evaluation = evaluationOf(request, []);
			return {
				...evaluation,
				rejected: evaluation.rejected.map((one) => ({ ...one, reason: "insufficient_history" })),
			};
		});
		assert.equal((await finish({ deps: { market: source, pool: silent } })).tally.rejected, {
			fetch_failed: 1,
			no_trigger: 2,
		});
		assert.equal((await finish({ deps: { market: source, pool: renaming } })).tally.rejected, {
			fetch_failed: 1,
			insufficient_history: 2,
		});
	}),
);

test(
	"no data at all is a failure: retryable as the source says, no host in its words",
	bounded(async () => {
		for (const retryable of [true, false]) {
			const source = fakeMarket({ candles: () => Promise.reject(fetchFailed(retryable)) });
			const { error, reason } = await failing({ deps: { market: source } });
			assert.equal([error.code, error.retryable, reason], ["fetch_failed", retryable, "fetch_failed"]);
			assert.is(error.message, "None of 3 candidates could be read: GET [address] failed");
		}
	}),
);

test(
	"data a source does not have are an absence for the strategy to judge, not a gap",
	bounded(async () => {
		const source = fakeMarket({ candles: () => Promise.reject(new MarketError("bad_symbol", "unknown", false)) });
		const pool = finding();
		const { degraded, tally } = await finish({ deps: { market: source, pool } });
		assert.is(degraded, null);
		assert.equal(tally.rejected, { no_trigger: 3 });
		assert.equal(pool.requests[0]?.view.series, {});
	}),
);

test(
	"output that breaks its schema is a failure that names the place",
	bounded(async () => {
		const schema = z.object({ published: z.array(z.object({ confidence_score: z.number().max(100) })) });
		const pool = fakePool(async (request) => {
			const evaluation = evaluationOf(request, ["BTC"]);
			return { ...evaluation, published: evaluation.published.map((one) => ({ ...one, confidence_score: 8_000 })) };
		});
		const { error, reason } = await failing({ deps: { pool, schema } });
		assert.equal([error.code, error.retryable, reason], ["schema_violation", false, "schema_violation"]);
		assert.match(error.message, "published.0.confidence_score: ");
	}),
);

test(
	"counts that do not add up, foreign rows and repeated ids break the schema as well",
	bounded(async () => {
		const wrong: [(evaluation: Evaluation) => Evaluation, string][] = [
			[(evaluation) => ({ ...evaluation, evaluated: 4 }), "evaluated: "],
			[
				(evaluation) => ({ ...evaluation, rejected: evaluation.rejected.slice(1), evaluated: 2 }),
				"evaluated: counts 2 of 3",
			],
			[
				(evaluation) => ({ ...evaluation, published: [row("BTC/USDT", { strategy_id: "ai_hedge_position" })] }),
				"published.0.strategy_id: ",
			],
			[
				(evaluation) => ({ ...evaluation, unproven: evaluation.published, rejected: evaluation.rejected.slice(1) }),
				"unproven.0.opportunity_id: ",
			],
		];
		for (const [spoil, message] of wrong) {
			const pool = fakePool(async (request) => spoil(evaluationOf(request, ["BTC"])));
			const { error, reason } = await failing({ deps: { pool } });
			assert.is(reason, "schema_violation");
			assert.match(error.message, message);
		}
	}),
);

test(
	"a strategy that throws fails with a clean message; an unknown one says so",
	bounded(async () => {
		const pool = fakePool(() => Promise.reject(new TypeError("bad bar in /srv/lookout/src/x.ts\n    at evaluate")));
		const thrown = await failing({ deps: { pool } });
		assert.equal(
			[thrown.error.code, thrown.error.message, thrown.error.retryable],
			["evaluation_failed", "bad bar in [path]", false],
		);
		const unknown = await failing({ deps: { strategyOf: () => undefined } });
		assert.equal([unknown.error.code, unknown.reason], ["not_available", "not_available"]);
	}),
);

test.run();
