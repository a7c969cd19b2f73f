import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SourceReport } from "../../machines/types.ts";
import { fetchFailed, finding, finish, start } from "./attempt.ts";
import { bounded } from "./fake-clock.ts";
import { fakeMarket, series, universe } from "./fake-market.ts";

const test = suite("effects/stale-reads");
const note = (age_ms: number) => ({ age_ms, error: "fetch_failed: GET https://api.example.com answered 503" });
const DOWN: SourceReport = { name: "perps", ok: false, error: "timeout: perps did not answer", assets: 0 };
const UP: SourceReport = { name: "spot", ok: true, error: null, assets: 3 };

test(
	"last good data make the verdict degraded, with their age and why; the rows stay",
	bounded(async () => {
		const market = fakeMarket({
			candles: async (symbol, _timeframe, { onStale }) => {
				if (symbol === "ETH/USDT") for (const age of [3_000, 95_400, 4_000]) onStale?.(note(age));
				return series(symbol);
			},
		});
		const { tally, degraded } = await finish({ deps: { market, pool: finding("BTC", "ETH") } });
		assert.is(tally.row_ids.length, 2);
		assert.equal([degraded?.code, degraded?.retryable], ["stale_data", true]);
		assert.is(
			degraded?.message,
			"1 reads are the last good ones, up to 95 s old (fetch_failed: GET [address] answered 503)",
		);
	}),
);

test(
	"what could not be read at all is the graver reason",
	bounded(async () => {
		const market = fakeMarket({
			candles: async (symbol, _timeframe, { onStale }) => {
				if (symbol === "BTC/USDT") throw fetchFailed(true);
				onStale?.(note(1_000));
				return series(symbol);
			},
		});
		const { degraded } = await finish({ deps: { market, pool: finding() } });
		assert.is(degraded?.code, "fetch_failed");
		assert.match(degraded?.message ?? "", /1 of 3 candidates could not be read; 2 reads are the last good ones/);
	}),
);

test(
	"a source that failed in discovery makes every verdict on that universe degraded",
	bounded(async () => {
		const { tally, degraded } = await finish({ sources: [UP, DOWN], deps: { pool: finding("BTC") } });
		assert.is(tally.row_ids.length, 1);
		assert.is(degraded?.code, "fetch_failed");
		assert.match(degraded?.message ?? "", "perps failed in discovery (timeout: perps did not answer)");
		const standIn = { ...DOWN, error: "fetch_failed: 503; the last good markets, of 40 s ago, stand in", assets: 3 };
		assert.is((await finish({ sources: [UP, standIn] })).degraded?.code, "stale_data");
		assert.is((await finish({ sources: [UP] })).degraded, null);
	}),
);

test(
	"without candidates and with a source down nobody says that there is nothing to scan",
	bounded(async () => {
		const empty = universe([]);
		const { tally, degraded } = await finish({ universe: empty, sources: [DOWN] });
		assert.is(tally.candidates_total, 0);
		assert.is(degraded?.code, "fetch_failed");
		assert.match(degraded?.message ?? "", "No candidate is known: perps failed in discovery");
		// With every source up it is so, and skipped.
		const { report } = await start({ universe: empty, sources: [UP] }).result;
		assert.is(report.kind, "skipped");
	}),
);

test.run();
