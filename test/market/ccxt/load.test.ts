/** The pin: ccxt's layout is not promised by the package, so its place is held by a test. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ExchangeLoadError, loadExchange, redirectExchange } from "../../../src/market/ccxt/load.ts";

const test = suite("market/ccxt/load");

test("one exchange is loaded without the rest of the package", async () => {
	const Binance = await loadExchange("binance");
	const exchange = new Binance();
	assert.is(exchange.id, "binance");
	assert.is(typeof exchange.fetchOHLCV, "function");
});

test("an id that ccxt does not have, or that leaves its folder, is refused", async () => {
	for (const id of ["nowhere", "../binance", "base/Exchange", "", "Binance"]) {
		try {
			await loadExchange(id);
			assert.unreachable(id);
		} catch (error) {
			assert.instance(error, ExchangeLoadError);
			assert.match((error as Error).message, `'${id}'`);
		}
	}
});

test("every address goes to the given origin and keeps its path", async () => {
	const exchange = new (await loadExchange("binanceusdm"))();
	redirectExchange(exchange, "http://127.0.0.1:8090/ignored");
	const urls = exchange.urls["api"] as Record<string, string>;
	assert.is(urls.fapiPublic, "http://127.0.0.1:8090/fapi/v1");
	assert.is(urls.fapiData, "http://127.0.0.1:8090/futures/data");
	assert.is(urls.public, "http://127.0.0.1:8090/api/v3");
	const addresses = JSON.stringify(urls);
	assert.not.match(addresses, "binance.com");
	assert.throws(() => redirectExchange(exchange, "ftp://127.0.0.1"), /no http or https/);
	assert.throws(() => redirectExchange(exchange, "127.0.0.1:80"), /no http or https/);
});

test.run();
