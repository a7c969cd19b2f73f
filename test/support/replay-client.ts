import type { Exchange } from "ccxt";
import { loadExchange, redirectExchange } from "../../src/market/ccxt/load.ts";

/** An exchange of ccxt whose every request goes to the replay exchange; its own limiter is off. */
export async function replayClient(id: "binance" | "binanceusdm", baseUrl: string): Promise<Exchange> {
	const types = id === "binance" ? ["spot"] : ["linear"];
	const exchange = new (await loadExchange(id))({
		enableRateLimit: false,
		options: { fetchMarkets: { types }, fetchCurrencies: false, fetchMargins: false },
	});
	redirectExchange(exchange, baseUrl);
	return exchange;
}
