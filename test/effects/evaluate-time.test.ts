import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Evaluation, Opportunity } from "../../src/strategies/contract.ts";
import { balanced, fetchFailed, finding, start } from "./attempt.ts";
import { bounded, deferred, never, settled } from "./fake-clock.ts";
import { fakeMarket, market, series } from "./fake-market.ts";
import { evaluationOf, fakePool, MOMENTUM, spotNeeds } from "./fakes.ts";

const test = suite("effects/evaluate-time");

/** The words of its failure, or "settled". */
const endOf = (result: Promise<unknown>): Promise<string> =>
	result.then(
		() => "settled",
		(error: Error) => error.message,
	);

test(
	"a quick attempt shows no interim and leaves no timer and no read behind",
	bounded(async () => {
		const source = fakeMarket();
		const { result, context, clock } = start({ deps: { market: source } });
		await result;
		await settled();
		// One report opens the books; no interim result follows.
		assert.equal([context.shown.length, clock.armed(), source.running()], [1, 0, 0]);
	}),
);

test(
	"a slow candidate is given up in time for the others to be evaluated",
	bounded(async () => {
		const source = fakeMarket({
			candles: (symbol) => (symbol === "ETH/USDT" ? never() : Promise.resolve(series(symbol))),
		});
		const pool = finding("BTC", "ETH");
		const { result, clock } = start({ timeMs: 60_000, deps: { market: source, pool } });
		await clock.advance(55_000, 500);
		const { report, attachments } = await result;
		if (report.kind !== "finished") throw new Error(JSON.stringify(report));
		balanced(report.tally);
		assert.equal(report.tally.rejected, { no_trigger: 1, timeout: 1 });
		assert.is(report.degraded?.code, "timeout");
		assert.is(attachments.rows?.size, 1);
		assert.equal([source.running(), clock.armed()], [0, 0]);
	}),
);

test(
	"results trickle out while data trickle in, one evaluation at a time",
	bounded(async () => {
		const eth = deferred<void>();
		const source = fakeMarket({
			candles: async (symbol) => {
				if (symbol === "SOL/USDT") return never();
				if (symbol === "ETH/USDT") await eth.promise;
				return series(symbol);
			},
		});
		const pool = finding("BTC", "ETH");
		const { result, context, clock } = start({ deps: { market: source, pool } });
		await clock.advance(1_000);
		eth.resolve(undefined);
		await clock.advance(5_000);
		const [open, first, second] = context.shown.map(({ tally }) => tally);
		assert.is(context.shown.length, 3, "an unchanged state is not evaluated again");
		assert.equal([open?.evaluated, open?.row_ids], [3, []]);
		assert.equal([first?.evaluated, first?.row_ids], [3, [`${MOMENTUM}:BTC/USDT`]]);
		assert.is(second?.row_ids.length, 2);
		assert.is(context.shown[2]?.attachments.rows?.size, 2);
		assert.is(pool.inFlightMax, 1);

		context.abort(new Error("deadline"));
		assert.is(await endOf(result), "deadline");
		await settled();
		assert.equal([source.running(), clock.armed()], [0, 0]);
	}),
);

test(
	"a strategy of pairs is counted in pairs from the first sign of life to the end",
	bounded(async () => {
		const source = fakeMarket({
			candles: (symbol) => (symbol === "SOL/USDT" ? never() : Promise.resolve(series(symbol))),
		});
		const pool = fakePool(async (request) => {
			const { candidates, view } = request;
			const bases = candidates.map(({ symbol }) => symbol);
			const rejected = bases.flatMap((a, i) =>
				bases.slice(i + 1).map((b) => {
					const cause = [a, b].find((leg) => leg in view.errors);
					return cause
						? { symbol: `${a}-${b}`, reason: "fetch_failed", cause }
						: { symbol: `${a}-${b}`, reason: "not_cointegrated" };
				}),
			);
			return { ...evaluationOf(request, []), candidate_unit: "pair", evaluated: rejected.length, rejected };
		});
		const { result, context, clock } = start({
			timeMs: 60_000,
			deps: { market: source, pool, strategyOf: (id) => ({ id, needs: spotNeeds({ unit: "pair" }) }) },
		});
		await clock.advance(55_000, 500);
		const { report } = await result;
		if (report.kind !== "finished") throw new Error(JSON.stringify(report));
		balanced(report.tally);
		assert.equal([report.tally.candidate_unit, report.tally.evaluated, report.tally.candidates_total], ["pair", 3, 3]);
		assert.equal(report.tally.rejected, { not_cointegrated: 1, timeout: 2 });
		assert.ok(context.shown.length >= 2);
		for (const { tally } of context.shown) {
			assert.equal([tally.candidate_unit, tally.evaluated, tally.candidates_total], ["pair", 3, 3]);
		}
	}),
);

test(
	"a failing interim is no verdict; rows keep the time they were first seen",
	bounded(async () => {
		const sol = deferred<void>();
		const source = fakeMarket({
			candles: async (symbol) => {
				if (symbol === "SOL/USDT") await sol.promise;
				return series(symbol);
			},
		});
		let calls = 0;
		const flaky = fakePool(async (request) => {
			calls += 1;
			if (calls === 1) throw new Error("out of memory");
			return evaluationOf(request, ["BTC"]);
		});
		const first = start({ deps: { market: source, pool: flaky } });
		await first.clock.advance(1_000);
		sol.resolve(undefined);
		assert.is((await first.result).report.kind, "finished");

		const later = deferred<void>();
		const slow = fakeMarket({
			candles: async (symbol) => (symbol === "SOL/USDT" ? later.promise.then(() => series(symbol)) : series(symbol)),
		});
		const second = start({ deps: { market: slow, pool: finding("BTC") } });
		await second.clock.advance(2_000);
		later.resolve(undefined);
		const { attachments } = await second.result;
		const [row] = attachments.rows?.values() ?? [];
		assert.is((row as Opportunity).discovered_at, "2026-03-19T19:00:01.000Z");
	}),
);

test(
	"a source that hangs altogether ends with the signal, at once, with nothing left running",
	bounded(async () => {
		const source = fakeMarket({ candles: () => never(), markets: () => never() });
		const { result, context, clock } = start({ timeMs: 20_000, deps: { market: source } });
		await clock.advance(20_000, 500);
		assert.is(context.shown.length, 1, "the candidates are known to whoever cuts it");
		assert.equal([context.shown[0]?.tally.candidates_total, context.shown[0]?.tally.evaluated], [3, 3]);
		assert.is(source.running(), 3);
		context.abort(new Error("deadline"));
		assert.is(await endOf(result), "deadline");
		await settled();
		assert.equal([source.running(), clock.armed()], [0, 0]);
	}),
);

test(
	"an evaluation that hangs ends with the signal too",
	bounded(async () => {
		let given: AbortSignal | undefined;
		const pool = fakePool((_, signal) => {
			given = signal;
			return never<Evaluation>();
		});
		const { result, context } = start({ deps: { pool } });
		await settled();
		context.abort(new Error("cancelled"));
		assert.is(await endOf(result), "cancelled");
		assert.is(given?.aborted, true);
	}),
);

test(
	"no interim is shown before the evidence is whole, and hanging evidence is cut in time",
	bounded(async () => {
		const needs = spotNeeds({ evidence: { market: "spot", timeframe: "1d", bars_min: 1, funding: false } });
		const source = fakeMarket({
			markets: () => never(),
			candles: (symbol) => (symbol === "SOL/USDT" ? never() : Promise.resolve(series(symbol))),
		});
		const pool = finding("BTC");
		const { result, clock, context } = start({
			timeMs: 8_000,
			deps: { market: source, pool, strategyOf: (id) => ({ id, needs }) },
		});
		await clock.advance(5_900);
		assert.is(pool.requests.length, 0);
		assert.equal(context.shown.length, 1);
		await clock.advance(100);
		const { report } = await result;
		assert.is(report.kind === "finished" && report.degraded?.code, "timeout");
	}),
);

test(
	"when every candidate has failed, hanging evidence is not waited for",
	bounded(async () => {
		const needs = spotNeeds({ evidence: { market: "spot", timeframe: "1d", bars_min: 1, funding: false } });
		const source = fakeMarket({
			markets: async () => [market("OTHER/USDT", "spot", 1e6)],
			candles: (symbol) => (symbol === "OTHER/USDT" ? never() : Promise.reject(fetchFailed(true))),
		});
		const { result, clock } = start({ deps: { market: source, strategyOf: (id) => ({ id, needs }) } });
		await clock.advance(1_000);
		assert.is((await result).report.kind, "failed");
		await settled();
		assert.equal([source.running(), clock.armed()], [0, 0]);
	}),
);

test.run();
