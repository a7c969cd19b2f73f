import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { VolatilityHistory } from "../../src/market/contract.ts";
import { finding, finish } from "./attempt.ts";
import { bounded } from "./fake-clock.ts";
import { AS_OF_MS, fakeMarket } from "./fake-market.ts";
import { spotNeeds } from "./fakes.ts";

const test = suite("effects/volatility-reads");

test(
	"histories of the named bases are read whoever asks; one that does not exist is absent, not an error",
	bounded(async () => {
		const asked: string[] = [];
		const history = (base: string): VolatilityHistory => ({
			base,
			venue: "fake",
			length: 0,
			time: new Float64Array(0),
			atm_iv: new Float64Array(0),
			as_of_ms: AS_OF_MS,
		});
		const market = fakeMarket({
			volatilityHistory: async (base) => {
				asked.push(base);
				return base === "ETH" ? history(base) : null;
			},
		});
		const needs = spotNeeds({ volatility_bases: ["ETH", "XRP"] });
		const pool = finding("BTC");
		const { degraded } = await finish({
			filters: { symbols: ["BTC"] },
			deps: { pool, market, strategyOf: (id: string) => ({ id, needs }) },
		});
		const view = pool.requests[0]?.view;
		assert.equal(asked.sort(), ["ETH", "XRP"]);
		assert.equal(Object.keys(view?.volatility ?? {}), ["ETH"]);
		assert.equal([view?.errors, degraded], [{}, null]);
	}),
);

test.run();
