/** The same scan through ccxt and the replay exchange, and through the recorded adapter: the same opportunities. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../../src/clock.ts";
import type { MarketData } from "../../../src/market/contract.ts";
import { createMarketData, discoverUniverse } from "../../../src/market/index.ts";
import { evaluate } from "../../../src/strategies/evaluate.ts";
import { builtStrategyIds } from "../../../src/strategies/registry.ts";
import { HEAVY_PORTFOLIO, requestOn, type Scene } from "../../support/evaluate-on.ts";
import { type RecordedFixture, writeRecordedFixture } from "../../support/recorded-fixture.ts";
import { createReplayExchange, type ReplayExchange } from "../../support/replay-exchange/exchange.ts";
import { replaySet, SET_END_MS } from "../../support/replay-set.ts";

const test = suite("market/ccxt/parity");
const asOfMs = SET_END_MS;
const limits = { spot: 1e9, usdm: 1e9, usdm_funding: 1e9, usdm_data: 1e9 };
const coins = ["BTC", "ETH", "SOL", "XRP", "ADA", "NEAR"].map((base) => `${base}USDT`);

let fixture: RecordedFixture;
let exchange: ReplayExchange;
let live: Scene;
let recorded: Scene;

async function open(word: string): Promise<Scene> {
	const given = word.startsWith("recorded") ? { asOfMs } : { asOfMs: null, baseUrl: exchange.baseUrl };
	const market = await createMarketData({ market: word, latencyMs: 0, clock: systemClock, ...given });
	const universe = await discoverUniverse(market, { signal: AbortSignal.timeout(30_000), asOfMs, clock: systemClock });
	return { market, universe, asOfMs };
}

test.before(async () => {
	// More settlements and bars than one page holds, of some; and a market that ended before the others.
	const perps = [...coins.slice(0, 5), "1000PEPEUSDT"];
	fixture = await writeRecordedFixture(replaySet({ seed: 5, hours: 300, days: 520, spot: coins, perps }));
	exchange = await createReplayExchange({ dir: fixture.dir, limits });
	[live, recorded] = await Promise.all([open("ccxt:binance"), open(`recorded:${fixture.dir}`)]);
});
test.after(async () => {
	await Promise.all([live.market.close(), recorded.market.close()]);
	await exchange.close();
	await fixture.remove();
});

test("the universe is the same, apart from the least orders that only an exchange states", () => {
	const known = ({ universe }: Scene) =>
		universe.assets.map(({ markets, ...asset }) => ({
			...asset,
			markets: markets.map(({ min_notional: _1, quantity_step: _2, price_tick: _3, ...market }) => market),
		}));
	assert.is(live.universe.assets.length, 7);
	assert.equal(known(live), known(recorded));
	assert.equal(live.universe.excluded, recorded.universe.excluded);
	assert.equal(live.universe.sources, recorded.universe.sources);
});

test("series, funding and open interest are the same numbers", async () => {
	const read = { signal: AbortSignal.timeout(30_000), as_of_ms: asOfMs };
	for (const { symbol, type } of recorded.universe.assets.flatMap(({ markets }) => markets)) {
		for (const timeframe of ["1h", "4h", "1d"] as const) {
			const ask = (market: MarketData) => market.candles(symbol, timeframe, read).catch((error: Error) => error);
			const [ours, theirs] = [await ask(live.market), await ask(recorded.market)];
			if (theirs instanceof Error) assert.instance(ours, Error, `${symbol} ${timeframe}`);
			else assert.equal(ours, theirs, `${symbol} ${timeframe}`);
		}
		if (type !== "perp") continue;
		assert.equal(await live.market.funding(symbol, read), await recorded.market.funding(symbol, read), symbol);
		for (const backMs of [0, 3 * 86_400_000]) {
			const then = { ...read, as_of_ms: asOfMs - backMs };
			const [ours, theirs] = [
				await live.market.openInterest(symbol, then),
				await recorded.market.openInterest(symbol, then),
			];
			assert.equal(ours, theirs, `${symbol} ${backMs}`);
		}
	}
});

/** What only an exchange states; it decides how small an order may be. */
const STATED = new Set(["min_notional", "quantity_step", "price_tick"]);
/** Evaluated as well, because what an exchange states may matter to them; the others are functions of what they read. */
const EVALUATED = new Set([
	"ai_spot_momentum_strategy",
	"ai_futures_trade",
	"ai_funding_arbitrage",
	"ai_risk_management",
]);

for (const id of builtStrategyIds()) {
	test(`${id}: the same candidates and data${EVALUATED.has(id) ? ", rows, rejections, evidence and report" : ""}`, async () => {
		const [ours, theirs] = await Promise.all([live, recorded].map((scene) => requestOn(id, scene, HEAVY_PORTFOLIO)));
		assert.ok(ours && theirs);
		assert.ok(Object.keys(theirs.view.series).length + Object.keys(theirs.view.funding).length > 0 || NO_DATA.has(id));
		assert.equal(comparable(ours, STATED), comparable(theirs, STATED));
		if (EVALUATED.has(id)) assert.equal(comparable(evaluate(ours)), comparable(evaluate(theirs)));
	});
}

/** Strategies that look only at bars which this set does not have. */
const NO_DATA = new Set(["ai_market_making", "ai_scalping_strategy"]);

/** Without the name of the source and the time it took; columns by their numbers. */
function comparable(value: unknown, without: ReadonlySet<string> = new Set()): unknown {
	const left = (key: string) => key === "data_source" || key === "duration_ms" || without.has(key);
	return JSON.parse(
		JSON.stringify(value, (key, member: unknown) => {
			if (left(key)) return null;
			return ArrayBuffer.isView(member) ? Array.from(member as Float64Array) : member;
		}),
	);
}

test("naming Binance opens both its venues, naming its second one it alone", async () => {
	assert.equal(live.market.venues(), ["binance", "binanceusdm"]);
	const options = { latencyMs: 0, clock: systemClock, asOfMs: null, baseUrl: exchange.baseUrl };
	const perps = await createMarketData({ market: "ccxt:binanceusdm", ...options });
	try {
		assert.equal(perps.venues(), ["binanceusdm"]);
		assert.is(perps.source.name, "ccxt:binanceusdm");
		assert.is(perps.source.kind, "live");
	} finally {
		await perps.close();
	}
});

test.run();
