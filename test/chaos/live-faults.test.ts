/** Every fault of a live exchange, from the program's start on: which verdict a scan ends in. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startLiveProgram, verdictsOf, writeLiveSet } from "../support/live-program.ts";
import { stopPrograms } from "../support/program.ts";
import type { RecordedFixture } from "../support/recorded-fixture.ts";
import type { FaultInput } from "../support/replay-exchange/faults.ts";

const test = suite("program: every fault of a live exchange");
const MOMENTUM = "ai_spot_momentum_strategy";
const FUTURES = "ai_futures_trade";
const DAY_MS = 86_400_000;

interface Row {
	name: string;
	faults: FaultInput[];
	/** Null: the scan failed. */
	outcome: "empty" | "incomplete" | null;
	/** `verdict reason` of the strategy on spot markets and of the one on contracts. */
	spot: string;
	perps: string;
	/** In the error of the scan, or of the first strategy that is not well. */
	says?: RegExp;
}
const fine = { outcome: "empty", spot: "ok_empty", perps: "ok_empty" } as const;
const noUniverse = { outcome: null, spot: "", perps: "" } as const;
const klines = { endpoint: "klines" };

const ROWS: readonly Row[] = [
	{ name: "no fault", faults: [], ...fine },
	{
		name: "429 that is over in two seconds is waited for",
		faults: [{ kind: "rate_limited", retry_after_s: 2, family: "spot", times: 1, ...klines }],
		...fine,
	},
	{
		name: "429 for half a minute at one venue leaves the other one",
		faults: [{ kind: "rate_limited", retry_after_s: 30, family: "spot", ...klines }],
		outcome: "incomplete",
		spot: "failed fetch_failed",
		perps: "ok_empty",
		says: /binance asks for fewer requests/,
	},
	{
		name: "429 to everything",
		faults: [{ kind: "rate_limited", retry_after_s: 60 }],
		...noUniverse,
		says: /wants no request for \d+ s/,
	},
	{
		name: "418 at one venue",
		faults: [{ kind: "banned", family: "usdm", ...klines }],
		outcome: "incomplete",
		spot: "ok_empty",
		perps: "failed fetch_failed",
		says: /binanceusdm asks for fewer requests/,
	},
	{ name: "418 to everything", faults: [{ kind: "banned" }], ...noUniverse, says: /wants no request for \d+ s/ },
	{
		name: "5xx of one candidate",
		faults: [{ kind: "server_error", symbol: "BTCUSDT", ...klines }],
		outcome: "incomplete",
		spot: "degraded fetch_failed",
		perps: "degraded fetch_failed",
		says: /1 of 6 candidates could not be read/,
	},
	{
		name: "5xx of every candle",
		faults: [{ kind: "server_error", ...klines }],
		outcome: null,
		spot: "failed fetch_failed",
		perps: "failed fetch_failed",
		says: /No strategy gave an answer/,
	},
	{
		name: "5xx of one venue's list of markets: the other's universe, and it says so",
		faults: [{ kind: "server_error", family: "spot", endpoint: "exchangeInfo" }],
		outcome: "incomplete",
		spot: "degraded fetch_failed",
		perps: "degraded fetch_failed",
		says: /binance failed in discovery/,
	},
	{ name: "half a second to each answer", faults: [{ kind: "slow", delay_ms: 500 }], ...fine },
	{
		name: "no answer about one candidate",
		faults: [{ kind: "hang", symbol: "ETHUSDT", ...klines }],
		outcome: "incomplete",
		spot: "degraded timeout",
		perps: "degraded timeout",
		says: /1 of 6 candidates did not answer in time/,
	},
	{
		name: "a connection that is cut",
		faults: [{ kind: "reset", symbol: "ETHUSDT", ...klines }],
		outcome: "incomplete",
		spot: "degraded fetch_failed",
		perps: "degraded fetch_failed",
	},
	{
		name: "half an answer",
		faults: [{ kind: "truncated", family: "spot", ...klines }],
		outcome: "incomplete",
		spot: "failed fetch_failed",
		perps: "ok_empty",
		says: /an answer that cannot be read/,
	},
	{
		name: "a bar that is published late is within the rules",
		faults: [{ kind: "stale_candle", candles: 1, ...klines }],
		...fine,
	},
	{
		name: "bars of last week alone are no market without opportunities",
		faults: [{ kind: "stale_candle", candles: 5, ...klines }],
		outcome: "incomplete",
		spot: "degraded stale_data",
		perps: "degraded stale_data",
		says: /6 of 6 candidates have no recent data/,
	},
	{ name: "the bar that still runs is not looked at", faults: [{ kind: "open_candle", ...klines }], ...fine },
	{
		name: "a symbol that the exchange does not know is a candidate without a history",
		faults: [{ kind: "bad_symbol", symbol: "BTCUSDT", ...klines }],
		...fine,
	},
	{
		name: "an exchange whose clock is an hour ahead",
		faults: [{ kind: "clock_skew", skew_ms: DAY_MS / 24 }],
		...fine,
	},
	{
		name: "an exchange whose clock is an hour behind",
		faults: [{ kind: "clock_skew", skew_ms: -DAY_MS / 24 }],
		...fine,
	},
	{
		name: "an exchange whose clock and data are days apart does not tell the present",
		faults: [{ kind: "clock_skew", skew_ms: 5 * DAY_MS }],
		...noUniverse,
		says: /all data of binance are old/,
	},
	{
		name: "an exchange whose clock is days behind its data does not tell the present either",
		faults: [{ kind: "clock_skew", skew_ms: -3 * DAY_MS }],
		...noUniverse,
		says: /the data of binance are newer than its clock, most by 72 hours/,
	},
	{
		name: "one venue whose clock is behind takes the other one nowhere",
		faults: [{ kind: "clock_skew", family: "usdm", skew_ms: -DAY_MS / 12 }],
		outcome: "incomplete",
		spot: "degraded fetch_failed",
		perps: "degraded fetch_failed",
		says: /the clock of binanceusdm contradicts/,
	},
];

let fixture: RecordedFixture;
test.before(async () => {
	fixture = await writeLiveSet();
});
test.after(async () => {
	await stopPrograms();
	await fixture.remove();
});

for (const { name, faults, outcome, spot, perps, says } of ROWS) {
	test(name, async () => {
		const live = await startLiveProgram(fixture.dir, faults);
		try {
			const results = await live.scan([MOMENTUM, FUTURES]);
			const told = JSON.stringify(results);
			assert.is(results.metadata?.outcome ?? null, outcome, told);
			assert.is(results.status, outcome === null ? "failed" : "complete");
			const verdicts = verdictsOf(results);
			assert.equal([verdicts[MOMENTUM] ?? "", verdicts[FUTURES] ?? ""], [spot, perps], told);
			if (says) assert.match(told, says);
			// A candidate under a fault is in the counts like any other.
			for (const { evaluated, published, unproven, rejected } of results.strategy_results ?? []) {
				const counted = Object.values(rejected as Record<string, number>).reduce((sum, count) => sum + count, 0);
				assert.is(published + unproven + counted, evaluated);
			}
		} finally {
			await live.close();
		}
	});
}

test.run();
