/** What the gate hears of requests of accounts, whose keys it does not know. */
import type { Exchange } from "ccxt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { gateReads, noting } from "../../src/exchange/gated.ts";
import type { SourceGate } from "../../src/market/gate.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";
import { ccxtError } from "../support/ccxt-errors.ts";

const test = suite("exchange/gated");
const signal = new AbortController().signal;

/** What comes of a request: how it ends, and the status that it was answered with; null: no answer, undefined: not sent. */
interface Fate {
	error: Error | null;
	status: number | null | undefined;
}

function requestsOn(gate: SourceGate) {
	return async ({ error, status }: Fate): Promise<string> => {
		const send = noting(async () => {
			if (status === null) throw new TypeError("fetch failed");
			return new Response("{}", { status: status ?? 200 });
		});
		const exchange = {
			id: "kraken",
			calculateRateLimiterCost: () => 1,
			async fetch2() {
				if (status !== undefined) await send("https://exchange.example/").catch(() => undefined);
				if (error) throw error;
				return {};
			},
		} as unknown as Exchange;
		gateReads(exchange, { gate, signal, limited: () => undefined });
		return exchange.fetch2("Balance", "private").then(
			() => "read",
			(reason: Error) => reason.message,
		);
	};
}

const limits = () => ({ weight_max: 1_000, window_ms: 60_000 });
const gateOf = () => createSourceGate({ budget: null, clock: systemClock, entropy: systemEntropy, limits });

test("what one key may have brought about stops nobody else's requests", async () => {
	const fates: Fate[] = [
		{ error: ccxtError("InvalidNonce", "EAPI:Invalid nonce"), status: 200 },
		{ error: ccxtError("InvalidNonce", "outside of the recvWindow"), status: 400 },
		{ error: ccxtError("ExchangeNotAvailable", "a word that ccxt does not know"), status: 403 },
		{ error: ccxtError("AuthenticationError", "API-key format invalid"), status: 401 },
		{ error: ccxtError("AuthenticationError", "requires a secret"), status: undefined },
		{ error: new TypeError("no request can be signed with this key"), status: undefined },
	];
	for (const fate of fates) {
		const gate = gateOf();
		const ask = requestsOn(gate);
		for (let i = 0; i < 20; i++) assert.is(await ask(fate), fate.error?.message);
		assert.equal(gate.states()[0]?.open, [], fate.error?.message ?? "");
		assert.is(await ask({ error: null, status: 200 }), "read");
	}
});

test("an exchange that does not answer, fails, or cannot be read is left alone", async () => {
	const fates: Fate[] = [
		{ error: ccxtError("NetworkError", "fetch failed"), status: null },
		{ error: ccxtError("InvalidNonce", "a nonce, says a broken server"), status: 502 },
		{ error: ccxtError("BadResponse", "no JSON"), status: 200 },
		{ error: ccxtError("RequestTimeout", "the rest of the answer did not come"), status: 200 },
	];
	for (const fate of fates) {
		const gate = gateOf();
		const ask = requestsOn(gate);
		for (let i = 0; i < 5; i++) await ask(fate);
		assert.equal(gate.states()[0]?.open, ["/private/Balance"], fate.error?.message ?? "");
		assert.match(await ask({ error: null, status: 200 }), /left alone/);
	}
});

test.run();
