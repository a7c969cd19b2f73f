import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createMarketData } from "../../src/market/index.ts";
import { candlesCsv, writeRecordedFixture } from "../support/recorded-fixture.ts";

const test = suite("market/index");
const AS_OF = Date.UTC(2026, 2, 19, 19);
const settings = (market: string) => ({ market, asOfMs: AS_OF, latencyMs: 0, clock: systemClock });
const read = () => ({ signal: new AbortController().signal, as_of_ms: AS_OF });

test("simulated with the default or a given seed, behind the cache", async () => {
	for (const [setting, name] of [
		["simulated", "simulated:42"],
		["simulated:", "simulated:42"],
		["simulated:42", "simulated:42"],
	] as const) {
		const market = await createMarketData(settings(setting));
		assert.is(market.source.name, name);
		assert.is(market.now(), AS_OF);
		await market.candles("BTC/USDT", "1d", read());
		await market.candles("BTC/USDT", "1d", read());
		assert.is(market.stats().fetches, 1);
		assert.is(market.stats().hits, 1);
		await market.close();
	}
});

test("recorded from a folder, whose path may hold a colon", async () => {
	const fixture = await writeRecordedFixture({
		"a:b/binance_spot_1d/AUSDT.csv.gz": candlesCsv(AS_OF - (AS_OF % 86_400_000) - 86_400_000, 86_400_000, 1),
	});
	try {
		const market = await createMarketData(settings(`recorded:${fixture.dir}/a:b`));
		assert.is((await market.candles("A/USDT", "1d", read())).length, 1);
		await market.close();
	} finally {
		await fixture.remove();
	}
});

test("while an exchange has not told its time, the clock that all processes share counts", async () => {
	const unreachable = { baseUrl: "http://127.0.0.1:9", sharedNow: () => AS_OF + 1 };
	const market = await createMarketData({ ...settings("ccxt:kraken"), ...unreachable });
	try {
		assert.is(market.now(), AS_OF);
	} finally {
		await market.close();
	}
});

test("a setting that names no source says what is wrong", async () => {
	const message = (setting: string) =>
		createMarketData(settings(setting)).then(
			() => "",
			(error: Error) => error.message,
		);
	assert.match(await message("kraken"), /MARKET=kraken: unknown source 'kraken' \(expected simulated/);
	assert.match(await message("ccxt:"), /needs the id of an exchange/);
	assert.match(await message("ccxt:nowhere"), /ccxt has no exchange 'nowhere'/);
	assert.match(await message("recorded"), /needs the folder/);
	assert.match(await message("simulated:abc"), /the seed must be a whole number/);
	assert.match(await message("simulated:4294967296"), /the seed must be a whole number/);
	assert.match(await message("recorded:does/not/exist"), /does\/not\/exist: no such folder/);
});

test.run();
