/** Binance's option chains, which ccxt does not put together: from tickers, marks, books and open interest over HTTP. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../../src/clock.ts";
import { createCcxtMarketData } from "../../../src/market/ccxt/ccxt.ts";
import { openVenue } from "../../../src/market/ccxt/venue.ts";
import { MarketError, type OptionChain } from "../../../src/market/contract.ts";
import { openGate, type SourceCall } from "../../../src/market/gate.ts";
import { BINANCE_OPTIONS, binanceOptions, NEXT_MS } from "../../support/exchange-stubs/binance-options.ts";
import { STUB_NOW_MS } from "../../support/exchange-stubs/candles.ts";
import { bySymbol, chainOf, QUOTED } from "../../support/exchange-stubs/chain-reads.ts";
import { FAR_MS, GATE_OPTIONS, NEAR_MS } from "../../support/exchange-stubs/options.ts";
import { type StubAnswers, startExchangeStub } from "../../support/exchange-stubs/server.ts";

const test = suite("market/ccxt/chains of Binance");

/** As Binance's tickers and marks have a call; prices of the book where it was read. */
const LISTED = {
	...QUOTED,
	bid: 5.1,
	ask: 5.7,
	bid_quantity: null,
	ask_quantity: null,
	mark_price: 5.4,
	forward: null,
	at_ms: STUB_NOW_MS,
};
const BOOKED = {
	...LISTED,
	bid: 5.2,
	ask: 5.6,
	bid_quantity: 20,
	ask_quantity: 90,
	at_ms: STUB_NOW_MS - 500,
};
const askedOf = (requests: readonly string[], endpoint: string): string[] =>
	requests.filter((path) => path.startsWith(`/eapi/v1/${endpoint}`)).sort();

test("contracts settled in dollars, from tickers, marks, books and the open interest of each expiry", async () => {
	const { chain, requests, missing } = await chainOf("binance", BINANCE_OPTIONS, "BTC");
	assert.equal(missing, []);
	assert.equal(
		{ ...chain, quotes: null },
		{ base: "BTC", venue: "binance", inverse: false, contract_size: 1, quotes: null, at_ms: STUB_NOW_MS },
	);
	const symbols = ["260403-130-C", "260403-130-P", "260424-140-C", "261225-140-C"].map((of) => `BTC/USDT:USDT-${of}`);
	const [call = "", put = "", next = "", far = ""] = symbols;
	assert.equal(bySymbol(chain), {
		[call]: { ...BOOKED, symbol: call, kind: "call" },
		[put]: { ...BOOKED, symbol: put, kind: "put", bid: null, bid_quantity: null, bid_iv: null },
		[next]: { ...BOOKED, symbol: next, kind: "call", strike: 140, expiry_ms: NEXT_MS },
		// As the lists have it: too far ahead to be asked for.
		[far]: {
			...LISTED,
			symbol: far,
			kind: "call",
			strike: 140,
			expiry_ms: FAR_MS,
			open_interest: null,
		},
	});
	assert.equal(askedOf(requests, "openInterest"), [
		"/eapi/v1/openInterest?underlyingAsset=BTC&expiration=260403",
		"/eapi/v1/openInterest?underlyingAsset=BTC&expiration=260424",
	]);
	assert.equal(
		askedOf(requests, "depth"),
		["260403-130-C", "260403-130-P", "260424-140-C"].map((of) => `/eapi/v1/depth?symbol=BTC-${of}&limit=10`),
	);
	assert.is(requests.length, 1 + 1 + 1 + 2 + 3);
});

test("a coin without options costs no request beyond the list of all", async () => {
	const { chain, requests } = await chainOf("binance", BINANCE_OPTIONS, "DOGE");
	assert.is(chain, null);
	assert.equal(requests, ["/eapi/v1/exchangeInfo"]);
});

test("where the host of options has no list of them none is offered, and it is not asked for each coin", async () => {
	const stub = await startExchangeStub({});
	try {
		const venue = await openVenue({ id: "binance", baseUrl: stub.baseUrl, gate: openGate, clock: systemClock });
		const chainOn = (base: string) => venue.optionChain({ base, as_of_ms: STUB_NOW_MS }, AbortSignal.timeout(60_000));
		assert.equal([await chainOn("BTC"), await chainOn("ETH")], [null, null]);
		assert.equal(stub.requests, ["/eapi/v1/exchangeInfo"]);
	} finally {
		await stub.close();
	}
});

test("a list of options that cannot be read is no market without options", async () => {
	const read = chainOf("binance", { "/eapi/v1/exchangeInfo": () => ({ code: -1000, msg: "unknown error" }) }, "BTC");
	const error = await read.then(String, (reason: unknown) => reason);
	assert.instance(error, MarketError);
	assert.is((error as MarketError).code, "fetch_failed");
});

test("a venue whose chain cannot be had does not keep the next one's from being read", async () => {
	const refused = { "/eapi/v1/exchangeInfo": () => ({ code: -1000, msg: "unknown error" }) };
	const chainOn = async (answers: StubAnswers, base: string): Promise<OptionChain | string | null> => {
		const stub = await startExchangeStub(answers);
		const clock = { ...systemClock, now: () => STUB_NOW_MS };
		const market = await createCcxtMarketData({ exchanges: ["binance", "gate"], baseUrl: stub.baseUrl, clock });
		try {
			const read = { as_of_ms: STUB_NOW_MS, signal: AbortSignal.timeout(60_000) };
			return await market.optionChain(base, read).catch((error: MarketError) => error.code);
		} finally {
			await market.close();
			await stub.close();
		}
	};
	const chain = await chainOn({ ...refused, ...GATE_OPTIONS }, "BTC");
	assert.is((chain as OptionChain).venue, "gate");
	// Nobody knows whether the first one lists some.
	assert.is(await chainOn({ ...refused, ...GATE_OPTIONS }, "DOGE"), "fetch_failed");
});

test("a book or an expiry's open interest that cannot be had leaves the quote as it was listed", async () => {
	const refused = { code: -1121, msg: "Invalid symbol." };
	const answers = {
		...BINANCE_OPTIONS,
		"/eapi/v1/depth": (query: URLSearchParams) =>
			query.get("symbol")?.endsWith("-P") ? refused : BINANCE_OPTIONS["/eapi/v1/depth"]?.(query),
		"/eapi/v1/openInterest": (query: URLSearchParams) =>
			query.get("expiration") === "260424" ? refused : BINANCE_OPTIONS["/eapi/v1/openInterest"]?.(query),
	};
	const { chain } = await chainOf("binance", answers, "BTC");
	const near = chain?.quotes.filter(({ expiry_ms }) => expiry_ms !== FAR_MS) ?? [];
	assert.equal(
		near.map(({ bid, ask, ask_quantity, open_interest }) => [bid, ask, ask_quantity, open_interest]),
		[
			[5.2, 5.6, 90, 270],
			[null, 5.7, null, 270],
			[5.2, 5.6, 90, null],
		],
	);
});

test("when most books cannot be had there is no chain that looks whole", async () => {
	const answers = { ...BINANCE_OPTIONS, "/eapi/v1/depth": () => ({ code: -1000, msg: "An unknown error occurred." }) };
	const error = await chainOf("binance", answers, "BTC").then(
		() => null,
		(reason: unknown) => reason,
	);
	assert.instance(error, MarketError);
	assert.is((error as MarketError).code, "fetch_failed");
});

test("the books of eighty contracts nearest to the index are asked for, from a budget of their own", async () => {
	const strikes = Array.from({ length: 100 }, (_, i) => 82 + i);
	const listed = strikes.map((strike) => ({ base: "BTC", expiry_ms: NEAR_MS, strike, right: "C" as const }));
	const calls: { source: string; endpoint: string; weight: number }[] = [];
	const gate = {
		...openGate,
		take: async ({ source, endpoint, weight }: SourceCall) => void calls.push({ source, endpoint, weight }),
	};
	const { chain } = await chainOf("binance", binanceOptions(listed), "BTC", gate);
	const distances = (sized: boolean) =>
		(chain?.quotes ?? [])
			.filter(({ bid_quantity }) => (bid_quantity !== null) === sized)
			.map(({ strike }) => Math.abs(Math.log(strike / 130.25)));
	assert.is(distances(true).length, 80);
	assert.is(distances(false).length, 20);
	assert.ok(Math.max(...distances(true)) <= Math.min(...distances(false)));
	assert.ok(calls.every(({ source }) => source === "binance:options"));
	const weights = new Map(calls.map(({ endpoint, weight }) => [endpoint, weight]));
	assert.equal(Object.fromEntries(weights), {
		"/eapi/v1/exchangeInfo": 1,
		"/eapi/v1/ticker": 5,
		"/eapi/v1/mark": 5,
		"/eapi/v1/openInterest": 3,
		"/eapi/v1/depth": 1,
	});
	assert.is(calls.length, 4 + 80);
});

test("chains are read one after the other, so that the first are whole while the budget lasts", async () => {
	const stub = await startExchangeStub(BINANCE_OPTIONS);
	try {
		const venue = await openVenue({ id: "binance", baseUrl: stub.baseUrl, gate: openGate, clock: systemClock });
		const signal = AbortSignal.timeout(60_000);
		const gone = new AbortController();
		const chains = ["BTC", "ETH", "DOGE"].map((base) => venue.optionChain({ base, as_of_ms: STUB_NOW_MS }, signal));
		const impatient = venue.optionChain({ base: "ETH", as_of_ms: STUB_NOW_MS }, gone.signal).catch(() => "gone");
		gone.abort(new Error("gone"));
		assert.is(await impatient, "gone");
		assert.equal(
			(await Promise.all(chains)).map((chain) => chain?.quotes.length ?? null),
			[4, 1, null],
		);
		const sized = stub.requests
			.filter((path) => /depth|ticker/.test(path))
			.map((path) => /BTC|ETH|ticker/.exec(path)?.[0]);
		assert.equal(sized, ["ticker", "BTC", "BTC", "BTC", "ticker", "ETH"]);
	} finally {
		await stub.close();
	}
});

test.run();
