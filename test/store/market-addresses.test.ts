/** A replay and the exchange itself in one Redis: neither's answers, bans nor broken endpoints are the other's. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SharedAnswers, SharedBudget } from "../../src/market/sharing.ts";
import { sourceAt } from "../../src/store/keys.ts";
import { createMarketAnswers } from "../../src/store/market-answers.ts";
import { createMarketBudget } from "../../src/store/market-budget.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const test = suite("store/market-addresses");
const REPLAY = "http://127.0.0.1:8090";
let redis: TestRedis;
test.before(async () => {
	redis = await startRedis();
});
test.after(() => redis.stop());

test("answers of a replay are not those of the exchange", async () => {
	const [real, replay, other] = ([null, REPLAY, "https://proxy.example"] as const).map((base_url) =>
		createMarketAnswers(redis.client(), { base_url }),
	) as [SharedAnswers, SharedAnswers, SharedAnswers];
	const key = { source: "ccxt:binance", name: "book:BTC/USDT" };
	assert.is((await replay.look(key, 5, "a", 5_000, 0)).state, "lease");
	const kept = {
		token: "a",
		bytes: new Uint8Array([1]),
		covers_ms: 9,
		claims_ms: 9,
		recheck_ms: 0,
		fetched_ms: 0,
		kept_ms: 60_000,
	};
	assert.is(await replay.put(key, kept), true);
	assert.is((await replay.look(key, 5, "b", 5_000, 0)).state, "hit");
	for (const answers of [real, other]) {
		const look = await answers.look(key, 5, "c", 5_000, 0);
		assert.equal(look, { state: "lease", last: null });
		assert.is((await answers.size(key.source)).answers, 0);
	}
	assert.is((await replay.size(key.source)).answers, 1);
});

test("a replay that bans, or is broken, stops nobody at the exchange, and uses up none of its budget", async () => {
	const [real, replay] = ([null, REPLAY] as const).map((address) => createMarketBudget(redis.client(), address)) as [
		SharedBudget,
		SharedBudget,
	];
	const ask = {
		source: "binance",
		limit: { weight_max: 10, window_ms: 60_000 },
		process: "p",
		calls: [{ weight: 10, waited_ms: 0 }],
		seen_weight: 0,
	};
	assert.is((await replay.take(ask)).granted, 1);
	await replay.block("binance", 60_000);
	await replay.open("binance", "/klines", 60_000);
	assert.is(await replay.probe("binance", "/klines", "p", 60_000), true);
	assert.is(await real.probe("binance", "/klines", "q", 60_000), true);
	const { granted, blocked_ms, open, used_weight } = await real.take(ask);
	assert.equal([granted, blocked_ms, open, used_weight], [1, 0, {}, 10]);
	assert.ok((await replay.take(ask)).blocked_ms > 0);
});

test("no name and no password of an address stands in a key", () => {
	assert.is(sourceAt("binance", "https://someone:secret@proxy.example:8443/x"), "binance@proxy.example:8443");
	assert.is(sourceAt("binance", null), "binance");
});

test.run();
