/** I11: of an exchange's object nothing but reads can be reached, and nothing but reads leaves the process. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { AccountReading } from "../../src/exchange/contract.ts";
import { accountErrorCode } from "../../src/exchange/failures.ts";
import { holdingsOf } from "../../src/exchange/look.ts";
import {
	isReading,
	READS,
	type Read,
	type ReadingExchange,
	readingOnly,
	readingTransport,
} from "../../src/exchange/reading.ts";
import { keyRights } from "../../src/exchange/rights.ts";
import { loadExchange } from "../../src/market/ccxt/load.ts";

const test = suite("reading exchanges");
const never = new AbortController().signal;

/** Every function that an object has, inherited ones and those made at run time included. */
function functionsOf(object: object): string[] {
	const names = new Set<string>();
	for (let at: object | null = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
		for (const name of Object.getOwnPropertyNames(at)) names.add(name);
	return [...names].filter((name) => typeof (object as Record<string, unknown>)[name] === "function");
}

test("I11: of all functions of a real exchange only the named reads answer, and no other request is sent", async () => {
	const Binance = await loadExchange("binance");
	const exchange = new Binance({ apiKey: "k".repeat(64), secret: "s".repeat(64) });
	const sent: string[] = [];
	const transport = readingTransport("binance", never, async (url, init) => {
		sent.push(`${init?.method} ${String(url)}`);
		return new Response("{}");
	});
	exchange.fetchImplementation = transport;
	exchange.setMarkets([]);
	const reading = readingOnly(exchange);
	const others = functionsOf(exchange).filter((name) => !READS.includes(name as Read));
	assert.ok(
		others.length > 1_000 && others.includes("createOrder") && others.includes("withdraw"),
		String(others.length),
	);
	for (const name of others) {
		assert.is(reading.has(name as Read), false, name);
		const refused = await reading.ask(name as Read, {}).catch((error: Error) => error.message);
		assert.is(refused, `an exchange is not asked for ${name}`);
	}
	assert.equal(sent, []);
	assert.equal(Object.keys(reading).sort(), ["ask", "has", "id"]);
	assert.ok(Object.isFrozen(reading));
	// Whoever got hold of the object itself would still be stopped on the way out.
	const ordering = exchange as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
	for (const name of [
		"privatePostOrder",
		"privateDeleteOrder",
		"fapiPrivatePutOrder",
		"sapiPostCapitalWithdrawApply",
	]) {
		assert.is(typeof ordering[name], "function", name);
		await ordering[name]?.({ symbol: "BTCUSDT" }).then(
			() => assert.unreachable(name),
			(error: Error) => assert.match(error.message, /refused to send a (POST|DELETE|PUT) request|fetch failed/),
		);
	}
	assert.equal(sent, []);
	await reading.ask("sapiGetAccountApiRestrictions");
	assert.is(sent.length, 1);
	assert.match(sent[0] ?? "", /^GET https:\/\/api\.binance\.com\/sapi\/v1\/account\/apiRestrictions\?/);
});

test("the only POSTs are the private reads of the exchange that knows no other way", () => {
	const kraken = (path: string) => isReading("kraken", "POST", `https://api.kraken.com/0/private/${path}`);
	for (const path of ["BalanceEx", "OpenPositions", "GetApiKeyInfo"]) assert.ok(kraken(path), path);
	for (const path of ["AddOrder", "Withdraw", "CancelAll", "WalletTransfer", "BalanceEx/../AddOrder"])
		assert.not.ok(kraken(path), path);
	assert.not.ok(isReading("binance", "POST", "https://api.binance.com/0/private/BalanceEx"));
	for (const method of ["PUT", "DELETE", "PATCH"])
		assert.not.ok(isReading("kraken", method, "https://x.example/"), method);
});

test("an answer without bound is cut off, a redirect is not followed", async () => {
	let seen: RequestInit | undefined;
	const endless = new ReadableStream<Uint8Array>({
		pull: (controller) => controller.enqueue(new Uint8Array(8 * 1024 * 1024)),
	});
	const transport = readingTransport("binance", never, async (_, init) => {
		seen = init;
		return new Response(endless);
	});
	const request = { method: "GET", headers: {}, signal: never };
	const cut = await transport("https://x.example/", request).then(
		() => "whole",
		(error: Error) => error.message,
	);
	assert.match(cut, /too large/);
	assert.is(seen?.redirect, "error");
});

const answering = (id: string, answers: Partial<Record<Read, unknown>>): ReadingExchange => ({
	id,
	has: (read) => read in answers,
	ask: async (read) => answers[read],
});

test("each exchange says in its own words what a key may do", async () => {
	const bybit = (result: object) => keyRights(answering("bybit", { privateGetV5UserQueryApi: { result } }));
	assert.equal(await bybit({ readOnly: 1, permissions: { Spot: ["SpotTrade"] } }), { trade: false, withdraw: false });
	assert.equal(await bybit({ readOnly: "0", permissions: { Wallet: ["Withdraw"] } }), { trade: true, withdraw: true });
	assert.is(await bybit({}), null);
	const okx = (perm: unknown) => keyRights(answering("okx", { privateGetAccountConfig: { data: [{ perm }] } }));
	assert.equal(await okx("read_only"), { trade: false, withdraw: false });
	assert.equal(await okx("read_only,withdraw"), { trade: false, withdraw: true });
	assert.equal(await okx("read_only,trade"), { trade: true, withdraw: false });
	assert.is(await okx(undefined), null);
	const kraken = (...permissions: string[]) =>
		keyRights(answering("kraken", { privatePostGetApiKeyInfo: { result: { permissions } } }));
	assert.equal(await kraken("query-funds", "query-open-trades", "export-data"), { trade: false, withdraw: false });
	assert.equal(await kraken("query-funds", "modify-trades"), { trade: true, withdraw: false });
	assert.equal(await kraken("withdraw-funds"), { trade: false, withdraw: true });
	assert.is(await kraken(), null);
	const coinbase = (answer: object) =>
		keyRights(answering("coinbase", { v3PrivateGetBrokerageKeyPermissions: answer }));
	assert.equal(await coinbase({ can_view: true, can_trade: false, can_transfer: true }), {
		trade: false,
		withdraw: true,
	});
	assert.is(await coinbase({}), null);
	assert.is(await keyRights(answering("gate", {})), null, "an exchange without such a question");
});

test("every question about rights exists in the real exchange it is put to", async () => {
	for (const [id, read] of [
		["bybit", "privateGetV5UserQueryApi"],
		["okx", "privateGetAccountConfig"],
		["kraken", "privatePostGetApiKeyInfo"],
		["coinbase", "v3PrivateGetBrokerageKeyPermissions"],
	] as const) {
		const Exchange = await loadExchange(id);
		assert.ok(readingOnly(new Exchange({})).has(read), `${id}.${read}`);
	}
});

test("dollars are cash, coins positions in the exchange's own quote, nameless things nothing", () => {
	const reading = (balances: AccountReading["balances"]): AccountReading => ({
		balances,
		positions: [],
		as_of_ms: 5,
		missing: [],
	});
	const held = [
		{ asset: "USD", quantity: 10 },
		{ asset: "USDC", quantity: 5 },
		{ asset: "BTC", quantity: 0.1 },
		{ asset: "odd name/:", quantity: 3 },
	];
	const at = (exchange: string) => holdingsOf(exchange, reading(held));
	assert.is(at("binance").cash_usd, 15);
	assert.equal(at("binance").positions, [{ symbol: "BTC/USDT", quantity: 0.1, entry_price: null }]);
	assert.is(at("kraken").positions[0]?.symbol, "BTC/USD");
});

test("whatever is thrown becomes one word", () => {
	class NetworkError extends Error {}
	class DDoSProtection extends NetworkError {}
	assert.is(accountErrorCode(new DDoSProtection("418")), "rate_limited");
	assert.is(accountErrorCode(new NetworkError("reset")), "exchange_unavailable");
	assert.is(accountErrorCode(Object.assign(new Error("x"), { name: "TimeoutError" })), "timeout");
	assert.is(accountErrorCode(new TypeError("x")), "exchange_error");
	assert.is(accountErrorCode("text"), "exchange_error");
	assert.is(accountErrorCode(undefined), "exchange_error");
});

test.run();
