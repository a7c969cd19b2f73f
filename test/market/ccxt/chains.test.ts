/** Option chains through ccxt's own parsing over HTTP: prices, sizes, volatilities and forwards in the port's units. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MarketError, type OptionChain } from "../../../src/market/contract.ts";
import { readBoard } from "../../../src/strategies/options/chain.ts";
import { BINANCE_OPTIONS } from "../../support/exchange-stubs/binance-options.ts";
import { STUB_NOW_MS } from "../../support/exchange-stubs/candles.ts";
import { bySymbol, chainOf, QUOTED } from "../../support/exchange-stubs/chain-reads.ts";
import {
	BYBIT_OPTIONS,
	DERIBIT_OPTIONS,
	deribitOption,
	deribitOptions,
	FAR_MS,
	GATE_OPTIONS,
	NEAR_MS,
	OKX_OPTIONS,
} from "../../support/exchange-stubs/options.ts";

const test = suite("market/ccxt/chains");
/** What a strategy of options makes of the chain: sides with a price and a size, in quote currency. */
function sidesOf(chain: OptionChain | null): (number | null | undefined)[] {
	assert.ok(chain);
	const [expiry] = readBoard(chain as OptionChain, STUB_NOW_MS).expiries;
	const row = expiry?.strikes[0];
	return [row?.call?.bid, row?.call?.ask, row?.put?.bid, row?.put?.ask];
}

test("deribit: coin options, with the sizes and volatilities of the contracts near the money", async () => {
	const { chain, requests, missing } = await chainOf("deribit", DERIBIT_OPTIONS, "BTC");
	assert.equal(missing, []);
	assert.equal(
		{ ...chain, quotes: null },
		{
			base: "BTC",
			venue: "deribit",
			inverse: true,
			contract_size: 1,
			quotes: null,
			at_ms: STUB_NOW_MS - 500,
		},
	);
	const [call, put, far] = ["260403-130-C", "260403-130-P", "261225-140-C"].map((name) => `BTC/USD:BTC-${name}`) as [
		string,
		string,
		string,
	];
	assert.equal(bySymbol(chain), {
		[call]: { ...QUOTED, symbol: call, kind: "call" },
		[put]: { ...QUOTED, symbol: put, kind: "put" },
		// As the list has it: too far ahead to be asked for.
		[far]: {
			symbol: far,
			kind: "call",
			strike: 140,
			expiry_ms: FAR_MS,
			bid: 0.04,
			ask: 0.042,
			bid_quantity: null,
			ask_quantity: null,
			mark_price: 0.0405,
			bid_iv: null,
			ask_iv: null,
			mark_iv: 0.61,
			open_interest: 270,
			forward: 131,
			at_ms: STUB_NOW_MS - 2000,
		},
	});
	assert.is(requests.filter((path) => path.startsWith("/api/v2/public/ticker?")).length, 2);
	const premiums = [0.0395, 0.0425].map((premium) => premium * 131.5);
	assert.equal(sidesOf(chain), [...premiums, ...premiums]);
});

test("deribit: options on a coin that settles in dollars, counted in contracts of ten coins", async () => {
	const { chain, missing } = await chainOf("deribit", DERIBIT_OPTIONS, "SOL");
	assert.equal(missing, []);
	assert.equal([chain?.inverse, chain?.contract_size], [false, 10]);
	const symbol = "SOL/USDC:USDC-260403-90-P";
	const counted = { bid_quantity: 2, ask_quantity: 9, open_interest: 27 };
	assert.equal(chain?.quotes, [{ ...QUOTED, ...counted, symbol, kind: "put", strike: 90, forward: 91.5 }]);
});

test("deribit: a ticker that cannot be had leaves the quote as it was listed", async () => {
	const ticker = (query: URLSearchParams) =>
		query.get("instrument_name")?.endsWith("-P")
			? { jsonrpc: "2.0", error: { message: "internal_server_error", code: 11094 } }
			: DERIBIT_OPTIONS["/api/v2/public/ticker"]?.(query);
	const { chain } = await chainOf("deribit", { ...DERIBIT_OPTIONS, "/api/v2/public/ticker": ticker }, "BTC");
	const near = chain?.quotes.filter(({ expiry_ms }) => expiry_ms === NEAR_MS) ?? [];
	assert.equal(
		near.map(({ kind, bid, bid_quantity, forward }) => [kind, bid, bid_quantity, forward]),
		[
			["call", 0.0395, 20, 131.5],
			["put", 0.04, null, 131],
		],
	);
});

test("deribit: when most tickers cannot be had there is no chain that looks whole", async () => {
	const ticker = () => ({ jsonrpc: "2.0", error: { message: "internal_server_error", code: 11094 } });
	const read = chainOf("deribit", { ...DERIBIT_OPTIONS, "/api/v2/public/ticker": ticker }, "BTC");
	const error = await read.then(
		() => null,
		(reason: unknown) => reason,
	);
	assert.instance(error, MarketError);
	assert.is((error as MarketError).code, "fetch_failed");
});

test("deribit: of a long chain the sizes of the eighty contracts nearest to the money are asked for", async () => {
	const strikes = Array.from({ length: 100 }, (_, i) => 82 + i);
	const listed = strikes.map((strike) => deribitOption("BTC", "BTC", NEAR_MS, strike, "call"));
	const { chain, requests } = await chainOf("deribit", deribitOptions(listed), "BTC");
	assert.is(chain?.quotes.length, 100);
	assert.is(requests.filter((path) => path.startsWith("/api/v2/public/ticker?")).length, 80);
	const distances = (sized: boolean) =>
		(chain?.quotes ?? [])
			.filter(({ bid_quantity }) => (bid_quantity !== null) === sized)
			.map(({ strike }) => Math.abs(Math.log(strike / 131)));
	assert.is(distances(true).length, 80);
	assert.ok(Math.max(...distances(true)) <= Math.min(...distances(false)));
});

test("okx: contracts of a hundredth of a coin, with volatilities, forwards and open interest of other answers", async () => {
	const { chain, missing } = await chainOf("okx", OKX_OPTIONS, "BTC");
	assert.equal(missing, []);
	assert.equal([chain?.inverse, chain?.contract_size], [true, 0.01]);
	const [call, put] = ["BTC/USD:BTC-260403-130-C", "BTC/USD:BTC-260403-130-P"] as [string, string];
	const quoted = { ...QUOTED, mark_price: null };
	assert.equal(bySymbol(chain), {
		[call]: { ...quoted, symbol: call, kind: "call" },
		[put]: { ...quoted, symbol: put, kind: "put", bid: null, bid_quantity: null, bid_iv: null },
	});
	assert.equal(sidesOf(chain), [0.0395 * 131.5, 0.0425 * 131.5, null, 0.0425 * 131.5]);
});

test("bybit: options that settle in dollars, over every page of their list", async () => {
	const { chain, requests, missing } = await chainOf("bybit", BYBIT_OPTIONS, "BTC");
	assert.equal(missing, []);
	assert.equal([chain?.inverse, chain?.contract_size], [false, 1]);
	const [call, put] = ["BTC/USDT:USDT-260403-130-C", "BTC/USDT:USDT-260403-130-P"] as [string, string];
	// Its tickers of options carry no time of their own.
	const quoted = { ...QUOTED, bid: 5.2, ask: 5.6, mark_price: 5.4, at_ms: STUB_NOW_MS };
	assert.equal(bySymbol(chain), {
		[call]: { ...quoted, symbol: call, kind: "call" },
		[put]: { ...quoted, symbol: put, kind: "put", bid: null, bid_quantity: null, bid_iv: null },
	});
	assert.ok(requests.some((path) => path.includes("cursor=1")));
	assert.equal(sidesOf(chain), [5.2, 5.6, null, 5.6]);
});

test("gate: contracts of a hundredth of a coin whose quotes are as new as the answer, without volatilities", async () => {
	const { chain, missing } = await chainOf("gate", GATE_OPTIONS, "BTC");
	assert.equal(missing, []);
	assert.equal([chain?.inverse, chain?.contract_size], [false, 0.01]);
	const [call, put] = ["BTC/USDT:USDT-260403-130-C", "BTC/USDT:USDT-260403-130-P"] as [string, string];
	const sent = { bid: 5.2, ask: 5.6, mark_price: 5.4, bid_quantity: 434, ask_quantity: 454, at_ms: STUB_NOW_MS };
	const quoted = { ...QUOTED, ...sent, bid_iv: null, ask_iv: null, mark_iv: null, open_interest: null };
	assert.equal(bySymbol(chain), {
		[call]: { ...quoted, symbol: call, kind: "call" },
		[put]: { ...quoted, symbol: put, kind: "put", bid: null, bid_quantity: null },
	});
	assert.equal(sidesOf(chain), [5.2, 5.6, null, 5.6]);
});

test("a coin on which no options are listed has no chain", async () => {
	const rows = [
		["deribit", DERIBIT_OPTIONS],
		["okx", OKX_OPTIONS],
		["bybit", BYBIT_OPTIONS],
		["gate", GATE_OPTIONS],
		["binance", BINANCE_OPTIONS],
		// Its options are those of `binance`.
		["binanceusdm", {}],
	] as const;
	for (const [id, answers] of rows) {
		const { chain, missing } = await chainOf(id, answers, "DOGE");
		assert.is(chain, null, id);
		assert.equal(missing, [], id);
	}
});

test.run();
