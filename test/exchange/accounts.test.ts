/** Accounts read by the real ccxt over real HTTP from a loopback exchange that checks signatures. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { delay, systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createExchangeAccounts } from "../../src/exchange/accounts.ts";
import type { ExchangeAccount, ExchangeAccountError, ExchangeAccounts } from "../../src/exchange/contract.ts";
import { budgetOf } from "../../src/exchange/gated.ts";
import { openGate, type SourceCall, type SourceGate, type SourceOutcome } from "../../src/market/gate.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";
import { type AccountExchange, startAccountExchange, testAccount, testKey } from "../support/account-exchange.ts";
import { within } from "../support/wait.ts";

const test = suite("exchange accounts over HTTP");

let exchange: AccountExchange;
let accounts: ExchangeAccounts;
/** The gate of one process without a store; the fixture's calls and what it was told are remembered. */
const gate = {
	inner: openGate as SourceGate,
	taken: [] as Omit<SourceCall, "signal">[],
	told: [] as (SourceOutcome & { source: string })[],
	take({ signal, ...call }: SourceCall) {
		return gate.inner.take({ ...call, signal }).then(() => void gate.taken.push(call));
	},
	report(call: Pick<SourceCall, "source" | "endpoint">, outcome: SourceOutcome) {
		gate.told.push({ source: call.source, ...outcome });
		gate.inner.report(call, outcome);
	},
	states: () => gate.inner.states(),
};
const key = testKey("reader");
const account: ExchangeAccount = { user_id: "one", exchange: "binance", credentials: { ...key, password: null } };
const open = new AbortController().signal;

test.before(async () => {
	exchange = await startAccountExchange();
	accounts = createExchangeAccounts({ baseUrl: exchange.url, gate, clock: systemClock });
	// From source the thread compiles what it loads, for seconds on a busy machine.
	await accounts.read(account, open, 60_000).catch(() => null);
});
test.before.each(() => {
	exchange.fault = null;
	exchange.accounts.clear();
	exchange.accounts.set(key.api_key, testAccount(key.secret));
	exchange.requests.length = 0;
	Object.assign(gate, { inner: openGate, taken: [], told: [] });
});
test.after(async () => {
	await accounts.close();
	await exchange.close();
});

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
	work.then(
		() => "no error",
		(error: { code?: string; message: string; stack?: string }) => {
			const told = JSON.stringify([error.message, error.stack]);
			assert.not.ok(told.includes(key.api_key) || told.includes(key.secret), told);
			return error.code;
		},
	);

test("wallets and contracts are read, each result once, and nothing but GET is sent", async () => {
	const reading = await accounts.read(account, open, 8_000);
	const held = Object.fromEntries(reading.balances.map(({ asset, quantity }) => [asset, quantity]));
	// 1000 spot + 400 in the futures wallet; the open result of 1000 is the position's, not the wallet's.
	assert.equal(held, { BTC: 0.5, ETH: 2, USDT: 1_400, USDC: 250 });
	assert.equal(reading.positions, [
		{ symbol: "BTC/USDT:USDT", quantity: -0.1, entry_price: 60_000, liquidation_price: 30_000 },
	]);
	assert.equal(reading.missing, []);
	assert.ok(
		exchange.requests.every((request) => request.startsWith("GET ")),
		exchange.requests.join(),
	);
	assert.not.ok(exchange.requests.some((request) => /leverageBracket|capital\/config/.test(request)));
});

test("rights of a key are what the exchange says", async () => {
	const rightsWith = async (...rights: string[]) => {
		exchange.accounts.set(key.api_key, testAccount(key.secret, { rights }));
		return accounts.permissions(account, open, 8_000);
	};
	assert.equal(await rightsWith(), { trade: false, withdraw: false });
	assert.equal(await rightsWith("enableSpotAndMarginTrading"), { trade: true, withdraw: false });
	assert.equal(await rightsWith("enableFutures"), { trade: true, withdraw: false });
	assert.equal(await rightsWith("permitsUniversalTransfer"), { trade: false, withdraw: true });
	assert.equal(await rightsWith("enableWithdrawals", "enableMargin"), { trade: true, withdraw: true });
	exchange.fault = "no_restrictions";
	assert.is(await codeOf(accounts.permissions(account, open, 8_000)), "exchange_error");
});

test("an exchange that cannot say what a key may do is not asked", async () => {
	assert.is(await accounts.permissions({ ...account, exchange: "gemini" }, open, 1), null);
	assert.equal(exchange.requests, []);
});

test("each fault has its own word, and none repeats the key", async () => {
	const read = (limitMs = 8_000) => codeOf(accounts.read(account, open, limitMs));
	exchange.fault = "unauthorized";
	assert.is(await read(), "authentication_failed");
	exchange.fault = "banned";
	assert.is(await read(), "rate_limited");
	exchange.fault = "hang";
	assert.is(await read(300.25), "timeout");
	exchange.fault = null;
	const wrong = { ...account, credentials: { ...account.credentials, secret: "another secret altogether" } };
	assert.is(await codeOf(accounts.read(wrong, open, 8_000)), "authentication_failed");
	assert.is(await codeOf(accounts.read({ ...account, exchange: "nowhere" }, open, 8_000)), "unknown_exchange");
	exchange.fault = "garbage";
	assert.is(await read(), "bad_response");
	exchange.fault = null;
	assert.is(await read(7_999.5), "no error");
});

test("a futures side that fails costs the futures side alone", async () => {
	exchange.fault = "no_futures";
	const reading = await accounts.read(account, open, 8_000);
	assert.equal(reading.missing.sort(), ["futures_wallet", "positions"]);
	assert.equal(
		reading.balances.find(({ asset }) => asset === "USDT"),
		{ asset: "USDT", quantity: 1_000 },
	);
});

test("an exchange of another time is asked for it and then answers", async () => {
	exchange.fault = "clock";
	const reading = await accounts.read(account, open, 8_000);
	assert.ok(exchange.requests.includes("GET /api/v3/time"), exchange.requests.join());
	assert.ok(reading.balances.length > 0);
});

test("every request takes its turn at the gate of market data, from the budget that it uses up, and is reported", async () => {
	await accounts.read(account, open, 8_000);
	await accounts.permissions(account, open, 8_000);
	assert.is(gate.taken.length, exchange.requests.length);
	assert.is(gate.told.length, exchange.requests.length);
	const weights = gate.taken.map(({ source, endpoint, weight }) => `${source} ${endpoint} ${weight}`).sort();
	assert.equal(weights, [
		"binance /private/account 20",
		"binance:sapi /sapi/account/apiRestrictions 1",
		"binanceusdm /fapiPrivateV3/account 1",
		"binanceusdm /fapiPrivateV3/positionRisk 1",
	]);
	assert.ok(gate.taken.every(({ rank }) => rank === -1));
	for (const secret of [key.api_key, key.secret]) assert.not.ok(JSON.stringify(gate).includes(secret));
});

test("after a ban no account sends a request, with whatever key, until it is over", async () => {
	for (const fault of ["banned", "spot_banned"] as const) {
		gate.inner = createSourceGate({ budget: null, clock: systemClock, entropy: systemEntropy });
		exchange.fault = fault;
		const error = await accounts.read(account, open, 8_000).catch((reason: ExchangeAccountError) => reason);
		assert.equal(
			[(error as ExchangeAccountError).code, (error as ExchangeAccountError).retryAfterMs],
			["rate_limited", 90_000],
		);
		assert.ok(gate.told.some(({ kind }) => kind === "limited"));
		// The wallet's ban ends the read while its futures side may be under way still.
		const answered = async () => {
			while (gate.told.length < gate.taken.length) await delay(systemClock, 5);
		};
		await within(answered(), "the answers to what was under way");
		exchange.fault = null;
		exchange.requests.length = 0;
		for (let i = 0; i < 5; i++) assert.is(await codeOf(accounts.read(account, open, 8_000)), "rate_limited");
		assert.is(await codeOf(accounts.permissions(account, open, 8_000)), "rate_limited");
		assert.equal(exchange.requests, [], fault);
	}
});

test("a full budget is waited for within the limit, and its end is a timeout", async () => {
	const limits = () => ({ weight_max: 1, window_ms: 60_000 });
	gate.inner = createSourceGate({ budget: null, clock: systemClock, entropy: systemEntropy, limits });
	for (const source of ["binance", "binanceusdm"])
		await gate.inner.take({ source, endpoint: "/x", weight: 1, signal: open });
	assert.is(await codeOf(accounts.read(account, open, 300)), "timeout");
	assert.equal(exchange.requests, []);
});

test("accounts of one user that hang, however many, leave room for those of others", async () => {
	const hanging = testKey("hanging");
	exchange.accounts.set(hanging.api_key, testAccount(hanging.secret, { broken: "hangs" }));
	const stopped = new AbortController();
	const theirs = { ...account, user_id: "another", credentials: { ...hanging, password: null } };
	const reads = Array.from({ length: 60 }, () => codeOf(accounts.read(theirs, stopped.signal, 60_000)));
	assert.ok((await accounts.read(account, open, 20_000)).balances.length > 0);
	const more = Array.from({ length: 12 }, () => accounts.read(theirs, stopped.signal, 60_000));
	assert.is(await codeOf(Promise.all(more)), "overloaded", "those that wait are bounded as well");
	stopped.abort({ code: "nobody waits", message: "" });
	assert.equal(new Set(await Promise.all(reads)), new Set(["nobody waits"]));
});

test("an abort ends the wait with its reason", async () => {
	exchange.fault = "hang";
	const controller = new AbortController();
	const reading = accounts.read(account, controller.signal, 8_000);
	controller.abort(new Error("nobody waits"));
	assert.is(await reading.catch((error: Error) => error.message), "nobody waits");
});

test("the budget of a request is that of the address it goes to", () => {
	for (const [id, group, budget] of [
		["binance", "private", "binance"],
		["binance", "fapiPrivateV3", "binanceusdm"],
		["binanceusdm", "fapiPublic", "binanceusdm"],
		["binanceusdm", "sapi", "binance:sapi"],
		["binance", "dapiPrivate", "binancecoinm"],
		["coinbaseadvanced", "v3.private", "coinbase"],
		["kraken", "private", "kraken"],
	] as const)
		assert.is(budgetOf(id, group), budget, `${id} ${group}`);
});

test("known exchanges are those that ccxt has", async () => {
	for (const id of ["binance", "kraken"]) assert.ok(await accounts.knows(id), id);
	for (const id of ["nowhere", "../load", "base/Exchange", ""]) assert.not.ok(await accounts.knows(id), id);
});

test.run();
