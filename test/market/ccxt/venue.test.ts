/** One venue through real ccxt over real HTTP: every request passes the gate, and each fault ends as what it is. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../../src/clock.ts";
import { openVenue, type VenueReads } from "../../../src/market/ccxt/venue.ts";
import { MarketError } from "../../../src/market/contract.ts";
import type { SourceCall, SourceOutcome } from "../../../src/market/gate.ts";
import { type RecordedFixture, writeRecordedFixture } from "../../support/recorded-fixture.ts";
import { createReplayExchange, type ReplayExchange } from "../../support/replay-exchange/exchange.ts";
import type { FaultInput } from "../../support/replay-exchange/faults.ts";
import { replaySet, SET_END_MS } from "../../support/replay-set.ts";

const test = suite("market/ccxt/venue");
const HOUR = 3_600_000;
const at = { as_of_ms: SET_END_MS };
const signal = new AbortController().signal;

/** Lets everything through and remembers it; `refuse` stands for an open breaker. */
const gate = {
	calls: [] as Omit<SourceCall, "signal">[],
	outcomes: [] as (SourceOutcome & { endpoint: string })[],
	refuse: null as Error | null,
	async take({ signal: own, ...call }: SourceCall) {
		own.throwIfAborted();
		if (gate.refuse) throw gate.refuse;
		gate.calls.push(call);
	},
	report({ endpoint }: Pick<SourceCall, "source" | "endpoint">, outcome: SourceOutcome) {
		gate.outcomes.push({ endpoint, ...outcome });
	},
};

let fixture: RecordedFixture;
let exchange: ReplayExchange;

test.before(async () => {
	fixture = await writeRecordedFixture(replaySet({ hours: 60, days: 30 }));
	exchange = await createReplayExchange({ dir: fixture.dir, banAfter: 1000 });
});
test.before.each(() => {
	exchange.clearFaults();
	exchange.resetStats();
	Object.assign(gate, { calls: [], outcomes: [], refuse: null });
});
test.after(async () => {
	await exchange.close();
	await fixture.remove();
});

const open = (id: string, requestLimitMs = 5000): Promise<VenueReads> =>
	openVenue({ id, baseUrl: exchange.baseUrl, gate, clock: systemClock, requestLimitMs });
const candlesOf = (venue: VenueReads, symbol: string, own: AbortSignal = signal) =>
	venue.candles({ symbol, timeframe: "1h", limit: null, ...at }, own);
const failureOf = async (work: Promise<unknown>): Promise<MarketError> => {
	const error = await work.then(
		() => null,
		(reason: unknown) => reason,
	);
	assert.instance(error, MarketError);
	return error as MarketError;
};

test("every request has passed the gate, with its published weight, and was reported", async () => {
	for (const id of ["binance", "binanceusdm"]) {
		const venue = await open(id);
		await venue.markets(at, signal);
		const symbol = id === "binance" ? "AAA/USDT" : "AAA/USDT:USDT";
		await candlesOf(venue, symbol);
		await venue.funding({ symbol, ...at }, signal);
		await venue.orderBook({ symbol, ...at }, signal);
		await venue.optionChain({ base: "AAA", ...at }, signal);
	}
	const { requests, weight, log } = exchange.stats();
	assert.is(gate.calls.length, requests);
	assert.is(gate.outcomes.length, requests);
	assert.is(
		gate.calls.reduce((sum, call) => sum + call.weight, 0),
		weight,
	);
	assert.ok(log.length > 8);
	for (const { source, endpoint } of gate.calls) {
		assert.ok(
			["binance", "binance:options", "binanceusdm", "binanceusdm:funding", "binanceusdm:data"].includes(source),
		);
		// Counted by the exchange apart from all others, in requests.
		assert.is(source.endsWith(":funding"), /funding/.test(endpoint) && source.startsWith("binanceusdm"), endpoint);
		assert.is(source.endsWith(":data"), endpoint.startsWith("/futures/data"), endpoint);
		assert.is(source.endsWith(":options"), endpoint.startsWith("/eapi"), endpoint);
		assert.match(endpoint, /^\/(api\/v3|fapi\/v1|eapi\/v1|futures\/data)\/\w+/);
		assert.not.match(endpoint, /\?/);
	}
	// The exchange counts as well, and says so.
	const told = gate.outcomes.filter((outcome) => outcome.kind === "ok" && (outcome.used_weight ?? 0) > 0);
	const untold = gate.calls.filter(({ source }) => /:(funding|data)$/.test(source));
	assert.ok(untold.length > 0);
	assert.is(told.length, requests - untold.length);
	// A host of its own says what was used of its own budget.
	const options = gate.outcomes.filter(({ endpoint }) => endpoint === "/eapi/v1/exchangeInfo");
	assert.equal(options, [{ kind: "ok", used_weight: 1, endpoint: "/eapi/v1/exchangeInfo" }]);
});

const FAULTS: readonly [fault: FaultInput, code: MarketError["code"], outcome: Partial<SourceOutcome>][] = [
	[{ kind: "rate_limited", retry_after_s: 7 }, "fetch_failed", { kind: "limited", status: 429, retry_after_ms: 7000 }],
	[{ kind: "banned", retry_after_s: 120 }, "fetch_failed", { kind: "limited", status: 418, retry_after_ms: 120_000 }],
	[{ kind: "server_error", status: 500 }, "fetch_failed", { kind: "failed" }],
	[{ kind: "server_error", status: 503 }, "fetch_failed", { kind: "failed" }],
	[{ kind: "hang" }, "timeout", { kind: "failed" }],
	[{ kind: "slow", delay_ms: 60_000 }, "timeout", { kind: "failed" }],
	[{ kind: "truncated" }, "fetch_failed", { kind: "failed" }],
	[{ kind: "reset" }, "fetch_failed", { kind: "failed" }],
];

for (const [fault, code, outcome] of FAULTS) {
	test(`${JSON.stringify(fault)} ends as a ${code} that may pass, and the gate is told`, async () => {
		const venue = await open("binance", 300);
		await venue.place({ symbol: "AAA/USDT" }, signal);
		gate.outcomes = [];
		exchange.addFaults({ ...fault, endpoint: "klines" });
		const error = await failureOf(candlesOf(venue, "AAA/USDT"));
		assert.is(error.code, code);
		assert.is(error.retryable, true);
		const [told] = gate.outcomes;
		// A short pause is waited for at the gate, once.
		assert.is(gate.outcomes.length, fault.kind === "rate_limited" ? 2 : 1);
		for (const [name, value] of Object.entries(outcome)) assert.is(told?.[name as keyof typeof told], value, name);
		// Nothing of the fault is kept.
		exchange.clearFaults();
		assert.is((await candlesOf(venue, "AAA/USDT")).length, 60);
	});
}

test("a symbol that the exchange refuses, and one that it does not list, are bad symbols: it has answered", async () => {
	const venue = await open("binance");
	exchange.addFaults({ kind: "bad_symbol", endpoint: "klines", symbol: "BBBUSDT" });
	assert.is((await failureOf(candlesOf(venue, "BBB/USDT"))).code, "bad_symbol");
	assert.equal(gate.outcomes.at(-1), { endpoint: "/api/v3/klines", kind: "ok", used_weight: null });
	assert.is((await failureOf(candlesOf(venue, "ZZZ/USDT"))).code, "bad_symbol");
	assert.is((await candlesOf(venue, "AAA/USDT")).length, 60);
});

test("the bar that still runs is never among the closed ones; one that is late is read when it is there", async () => {
	const venue = await open("binance");
	exchange.addFaults({ kind: "open_candle", endpoint: "klines" });
	const bars = await candlesOf(venue, "AAA/USDT");
	assert.is(bars.open_time[bars.length - 1], SET_END_MS - HOUR);
	exchange.clearFaults();
	exchange.addFaults({ kind: "stale_candle", candles: 2, endpoint: "klines" });
	const late = await open("binance");
	assert.is((await candlesOf(late, "AAA/USDT")).length, 58);
	exchange.clearFaults();
	assert.is((await candlesOf(late, "AAA/USDT")).length, 60);
});

test("a bar that the exchange itself says still runs is not taken for closed, whatever time we believe it is", async () => {
	const venue = await open("binance");
	const read = async (as_of_ms: number) =>
		venue.candles({ symbol: "AAA/USDT", timeframe: "1h", limit: null, as_of_ms }, signal);
	try {
		exchange.setNow(SET_END_MS - 20_000);
		await venue.time({}, signal);
		exchange.addFaults({ kind: "open_candle", endpoint: "klines" });
		exchange.resetStats();
		// Our clock is ahead by forty seconds.
		const bars = await read(SET_END_MS + 20_000);
		assert.is(bars.open_time.at(-1), SET_END_MS - 2 * HOUR);
		assert.is(exchange.stats().by_endpoint["spot/time"]?.requests, 1);
		exchange.clearFaults();
		exchange.setNow(SET_END_MS + 20_000);
		const after = await read(SET_END_MS + 20_000);
		assert.is(after.open_time.at(-1), SET_END_MS - HOUR);
		const fresh = await candlesOf(await open("binance"), "AAA/USDT");
		assert.is(after.close.at(-1), fresh.close.at(-1));
	} finally {
		exchange.setNow(SET_END_MS);
	}
});

test("a closed gate lets no request out, and says why", async () => {
	const venue = await open("binance");
	gate.refuse = new MarketError("fetch_failed", "the breaker is open", true);
	const error = await failureOf(candlesOf(venue, "AAA/USDT"));
	assert.is(error.message, "the breaker is open");
	assert.is(exchange.stats().requests, 0);
});

test("an abort ends the request at once and speaks against nobody", async () => {
	const venue = await open("binance", 60_000);
	await venue.place({ symbol: "AAA/USDT" }, signal);
	gate.outcomes = [];
	exchange.addFaults({ kind: "hang", endpoint: "klines" });
	const own = new AbortController();
	const reason = new Error("nobody waits");
	const reading = candlesOf(venue, "AAA/USDT", own.signal).catch((error: unknown) => error);
	while (exchange.stats().requests < 2) await new Promise((resolve) => setImmediate(resolve));
	own.abort(reason);
	assert.is(await reading, reason);
	while (gate.outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve));
	assert.is(gate.outcomes[0]?.kind, "ok");
});

test("one caller's abort does not take the list of markets from the others", async () => {
	const venue = await open("binance");
	exchange.addFaults({ kind: "slow", delay_ms: 200, endpoint: "exchangeInfo" });
	const own = new AbortController();
	const gone = venue.place({ symbol: "AAA/USDT" }, own.signal).catch((error: unknown) => error);
	const staying = venue.place({ symbol: "BBB/USDT" }, signal);
	own.abort(new Error("gone"));
	assert.is(((await gone) as Error).message, "gone");
	assert.equal(await staying, { symbol: "BBB/USDT", type: "spot" });
	assert.is(exchange.stats().by_endpoint["spot/exchangeInfo"]?.requests, 1);
});

test("a list of markets that cannot be read again still names them for a day, and is not shown as that of now", async () => {
	let aheadMs = 0;
	const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
	const venue = await openVenue({ id: "binance", baseUrl: exchange.baseUrl, gate, clock, requestLimitMs: 5000 });
	await venue.markets(at, signal);
	exchange.addFaults({ kind: "server_error", status: 503, endpoint: "exchangeInfo" });
	aheadMs = 2 * HOUR;
	assert.is((await failureOf(venue.markets(at, signal))).code, "fetch_failed");
	exchange.resetStats();
	for (let i = 0; i < 3; i++) assert.is((await candlesOf(venue, "AAA/USDT")).length, 60);
	assert.equal(await venue.place({ symbol: "BBB/USDT" }, signal), { symbol: "BBB/USDT", type: "spot" });
	// Asked again once, not with every read.
	assert.is(exchange.stats().by_endpoint["spot/exchangeInfo"]?.requests, 1);
	aheadMs = 25 * HOUR;
	assert.is((await failureOf(candlesOf(venue, "AAA/USDT"))).code, "fetch_failed");
	exchange.clearFaults();
	assert.is((await candlesOf(venue, "AAA/USDT")).length, 60);
});

test("open interest that cannot be had of most contracts fails the venue instead of saying there is none", async () => {
	const venue = await open("binanceusdm");
	exchange.addFaults({ kind: "server_error", status: 503, endpoint: "openInterestHist" });
	assert.is((await failureOf(venue.markets(at, signal))).code, "fetch_failed");
	exchange.clearFaults();
	const markets = await venue.markets(at, signal);
	assert.ok(markets.some(({ open_interest_usd }) => open_interest_usd !== null));
	assert.ok(markets.every((market) => !("open_interest_missing" in market)));
});

test("a contract whose open interest cannot be read is listed with that mark", async () => {
	const venue = await open("binanceusdm");
	exchange.addFaults({ kind: "server_error", status: 503, endpoint: "openInterestHist", symbol: "AAAUSDT" });
	const markets = await venue.markets(at, signal);
	const marked = markets.filter(({ open_interest_missing }) => open_interest_missing === "unread");
	assert.equal(
		marked.map(({ symbol, open_interest_usd }) => [symbol, open_interest_usd]),
		[["AAA/USDT:USDT", null]],
	);
});

test("what an exchange does not have is null, never made up", async () => {
	const spot = await open("binance");
	const symbol = "AAA/USDT";
	assert.is(await spot.orderBook({ symbol, ...at }, signal), null);
	assert.is(await spot.trades({ symbol, ...at, since_ms: SET_END_MS - HOUR }, signal), null);
	assert.is(await spot.funding({ symbol, ...at }, signal), null);
	assert.is(await spot.openInterest({ symbol, ...at, present: true }, signal), null);
	assert.is(await spot.optionChain({ base: "AAA", ...at }, signal), null);
	const none = await failureOf(spot.candles({ symbol, timeframe: "5m", limit: null, ...at }, signal));
	assert.is(none.code, "not_supported");
});

test.run();
