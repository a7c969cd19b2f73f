import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EffectError, failureOf, isAbsence, scrubMessage } from "../../src/effects/errors.ts";
import { MarketError } from "../../src/market/contract.ts";

const test = suite("effects/errors");

test("messages lose addresses, hosts, paths and stacks, and keep what they say", () => {
	const cases: [string, string][] = [
		["GET https://user:pw@api.example.com/v1?key=1 gave 500", "GET [address] gave 500"],
		["connect ECONNREFUSED 10.0.0.7:6379", "connect ECONNREFUSED [address]"],
		["connect ECONNREFUSED ::1:6379", "connect ECONNREFUSED [address]"],
		["getaddrinfo ENOTFOUND redis.internal.example", "getaddrinfo ENOTFOUND [address]"],
		["ENOENT: no such file, open '/srv/app/data/x.csv'", "ENOENT: no such file, open '[path]'"],
		["boom\n    at evaluate (file.ts:1:2)", "boom"],
		["BTC/USDT:USDT has no candles of 1d", "BTC/USDT:USDT has no candles of 1d"],
		["z28 is 0.43, below 0.50", "z28 is 0.43, below 0.50"],
	];
	for (const [message, shown] of cases) assert.is(scrubMessage(message), shown);
	assert.is(scrubMessage("x".repeat(500)).length, 200);
});

test("anything thrown becomes a failure with a code; only what says so is retryable", () => {
	assert.equal(failureOf(new MarketError("timeout", "slow", true), "x"), {
		code: "timeout",
		message: "slow",
		retryable: true,
	});
	assert.equal(failureOf(new EffectError("a_code", "m", false), "x"), {
		code: "a_code",
		message: "m",
		retryable: false,
	});
	assert.equal(failureOf(new Error("plain"), "x"), { code: "x", message: "plain", retryable: false });
	assert.equal(failureOf({ code: "ECONNRESET", message: "gone" }, "x"), {
		code: "x",
		message: "gone",
		retryable: false,
	});
	assert.equal(failureOf({ name: "MarketError", code: "fetch_failed", message: "", retryable: true }, "x"), {
		code: "fetch_failed",
		message: "fetch_failed",
		retryable: true,
	});
	for (const thrown of [undefined, null, "text", 7]) assert.is(failureOf(thrown, "x").code, "x");
});

test("an absence is told from a failure by its code, also when the class was lost on the way", () => {
	assert.ok(isAbsence({ code: "bad_symbol" }));
	assert.ok(isAbsence(new MarketError("not_supported", "no books", false)));
	assert.not(isAbsence(new MarketError("fetch_failed", "down", true)));
	assert.not(isAbsence(null));
});

test.run();
