import { suite } from "uvu";
import * as assert from "uvu/assert";
import { kindOf, marketErrorOf, UnreadableAnswer } from "../../../src/market/ccxt/errors.ts";
import { MarketError } from "../../../src/market/contract.ts";
import { ccxtError } from "../../support/ccxt-errors.ts";

const test = suite("market/ccxt/errors");

const errorOf = (name: string): Error =>
	ccxtError(name, `binance GET https://api.binance.com/api/v3/klines ${"x".repeat(400)}\nsecond line`);

test("each class of ccxt becomes a code of the port", () => {
	for (const [name, code, retryable] of [
		["BadSymbol", "bad_symbol", false],
		["NotSupported", "not_supported", false],
		["RequestTimeout", "timeout", true],
		["RateLimitExceeded", "fetch_failed", true],
		["DDoSProtection", "fetch_failed", true],
		["ExchangeNotAvailable", "fetch_failed", true],
		["OnMaintenance", "fetch_failed", true],
		["NetworkError", "fetch_failed", true],
		["BadResponse", "fetch_failed", true],
		["BadRequest", "fetch_failed", false],
		["AuthenticationError", "fetch_failed", false],
		["ExchangeError", "fetch_failed", false],
	] as const) {
		const error = marketErrorOf(errorOf(name), "binance");
		assert.instance(error, MarketError);
		assert.is((error as MarketError).code, code, name);
		assert.is((error as MarketError).retryable, retryable, name);
		assert.ok((error as MarketError).message.length < 250, name);
		assert.not.match((error as MarketError).message, /second line/);
	}
});

test("what goes wrong while an answer is read is the source's fault, and may pass", () => {
	for (const error of [new TypeError("x is undefined"), new UnreadableAnswer(10), "text"]) {
		assert.is(kindOf(error), "unreadable");
		assert.is((marketErrorOf(error, "okx") as MarketError).retryable, true);
	}
	assert.is(kindOf(new DOMException("late", "TimeoutError")), "timeout");
});

test("errors of the port pass, and who aborted gets the reason back", () => {
	const own = new MarketError("timeout", "mine", true);
	assert.is(marketErrorOf(own, "okx"), own);
	const aborted = new AbortController();
	aborted.abort(own);
	assert.is(marketErrorOf(errorOf("NetworkError"), "okx", aborted.signal), own);
});

test.run();
