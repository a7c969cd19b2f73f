import { suite } from "uvu";
import * as assert from "uvu/assert";
import { candlesReply } from "../../src/api/schemas/candles.ts";
import { createCandleQueries } from "../../src/queries/candles.ts";
import { createLookup } from "../../src/queries/lookup.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { createFakeMarket, fakeSeries } from "../support/fake-market.ts";
import { createFakeStore } from "../support/fake-reader.ts";
import { SCAN_ID, STRANGER_ID, sampleAssets, sampleContext, sampleRecord, USER_ID } from "../support/records.ts";
import { T0 } from "../support/scan-input.ts";

const candles = suite("Bars beside a row");

const DAY_MS = 86_400_000;
const owner: Viewer = { user_id: USER_ID, role: "trader" };
const query = { symbol: "BTC/USDT", exchange: "fake", timeframe: "1d" as const, limit: 20 };
const still = new AbortController().signal;

/** A market that is two days ahead of the scan, and the queries on it. */
function setup(sourceName = "fake", assets: Parameters<typeof sampleContext>[0] = {}) {
	const bars = Array.from({ length: 60 }, (_, i) => ({ close: 100 + i }));
	const market = createFakeMarket({
		nowMs: T0 + 2 * DAY_MS,
		series: [fakeSeries({ symbol: "BTC/USDT", bars, asOfMs: T0 + 2 * DAY_MS })],
	});
	const store = createFakeStore();
	const data_source = { kind: "simulated" as const, name: sourceName, as_of: null };
	store.commit(
		sampleRecord({ context: sampleContext({ assets: sampleAssets({ data_source, as_of_ms: T0 }), ...assets }) }),
	);
	const queries = createCandleQueries(createLookup(store.reader), market);
	const ask = async (viewer = owner, changed = {}, signal = still) => {
		const body = await queries.candles(viewer, SCAN_ID, { ...query, ...changed }, signal);
		return candlesReply.parse(body);
	};
	return { market, ask };
}

const refusal = async (asked: Promise<unknown>): Promise<string> => {
	try {
		await asked;
	} catch (error) {
		return String((error as { code?: unknown }).code ?? error);
	}
	return "answered";
};

candles("the newest bars closed by the moment of the scan, oldest first, none after it", async () => {
	const { ask } = setup();
	const { candles: bars, unavailable, source } = await ask();
	assert.is(unavailable, null);
	assert.is(source, "fake");
	assert.is(bars.length, 20);
	const times = bars.map(({ at }) => Date.parse(at));
	assert.equal(
		times,
		[...times].sort((a, b) => a - b),
	);
	assert.ok(times.every((time) => time + DAY_MS <= T0));
	assert.ok((times.at(-1) as number) + 2 * DAY_MS > T0, "and none is left out before it");
	assert.is(bars.at(-1)?.close, 100 + 57, "two bars of the market lie after the scan");
});

candles("a stranger's scan is unknown", async () => {
	const { ask, market } = setup();
	assert.is(await refusal(ask({ user_id: STRANGER_ID, role: "trader" })), "scan_not_found");
	assert.is(await refusal(ask({ user_id: STRANGER_ID, role: "admin" })), "scan_not_found");
	assert.is(market.count("candles"), 0);
});

candles("no bars are put in the place of those that are not there, and the reason is said", async () => {
	const { ask, market } = setup();
	const unknown = await ask(owner, { symbol: "NO/USDT" });
	assert.equal(unknown.candles, []);
	assert.match(String(unknown.unavailable), /no bars/);
	market.fail("candles", new Error("secret host name"));
	const failed = await ask();
	assert.equal(failed.candles, []);
	assert.not.match(JSON.stringify(failed), /secret/);
	const other = await setup("another source").ask();
	assert.match(String(other.unavailable), /another source/);
	const none = await setup("fake", { assets: null }).ask();
	assert.match(String(none.unavailable), /read no market/);
	assert.is(none.as_of, null);
});

candles("whoever asked and left is not waited for", async () => {
	const { ask, market } = setup();
	market.hang("candles");
	const leaving = new AbortController();
	const asked = refusal(ask(owner, {}, leaving.signal));
	leaving.abort(new Error("gone"));
	assert.match(await asked, /gone/);
	assert.is(market.pending, 0);
});

candles.run();
