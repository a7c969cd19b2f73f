/** Accounts read by the real ccxt over real HTTP from a loopback exchange that checks signatures. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createExchangeAccounts } from "../../src/exchange/accounts.ts";
import type { ExchangeAccount, ExchangeAccounts } from "../../src/exchange/contract.ts";
import { type AccountExchange, startAccountExchange, testAccount, testKey } from "../support/account-exchange.ts";

const test = suite("exchange accounts over HTTP");

let exchange: AccountExchange;
let accounts: ExchangeAccounts;
const key = testKey("reader");
const account: ExchangeAccount = { exchange: "binance", credentials: { ...key, password: null } };
const open = new AbortController().signal;

test.before(async () => {
	exchange = await startAccountExchange();
	accounts = createExchangeAccounts({ baseUrl: exchange.url, clock: systemClock });
	// From source the thread compiles what it loads, for seconds on a busy machine.
	await accounts.read(account, open, 60_000).catch(() => null);
});
test.before.each(() => {
	exchange.fault = null;
	exchange.accounts.clear();
	exchange.accounts.set(key.api_key, testAccount(key.secret));
	exchange.requests.length = 0;
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

test("an abort ends the wait with its reason", async () => {
	exchange.fault = "hang";
	const controller = new AbortController();
	const reading = accounts.read(account, controller.signal, 8_000);
	controller.abort(new Error("nobody waits"));
	assert.is(await reading.catch((error: Error) => error.message), "nobody waits");
});

test("known exchanges are those that ccxt has", async () => {
	for (const id of ["binance", "kraken"]) assert.ok(await accounts.knows(id), id);
	for (const id of ["nowhere", "../load", "base/Exchange", ""]) assert.not.ok(await accounts.knows(id), id);
});

test.run();
