import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startHarvest } from "../../src/effects/harvest.ts";
import type { MarketData, OpenInterest } from "../../src/market/contract.ts";
import { PERP_DAILY } from "../../src/strategies/directional-market.ts";
import { createFakeMarket, fakeMarketEntry, fakeSeries } from "../support/fake-market.ts";

const test = suite("open interest of a window");
const NOW = Date.UTC(2026, 0, 20);
const DAY = 86_400_000;
const SYMBOL = "AAA/USDT:USDT";
const at = (daysAgo: number, quantity: number): OpenInterest => ({
	symbol: SYMBOL,
	value_usd: quantity * 10,
	quantity_base: quantity,
	at_ms: NOW - daysAgo * DAY,
});

/** The newest of the given records at each moment that is asked for; `asked` lists these moments. */
function marketWith(records: OpenInterest[]): { market: MarketData; asked: number[] } {
	const asked: number[] = [];
	const fake = createFakeMarket({
		nowMs: NOW,
		series: [fakeSeries({ symbol: SYMBOL, bars: [{ close: 1 }, { close: 2 }], asOfMs: NOW })],
	});
	const openInterest: MarketData["openInterest"] = async (_symbol, { as_of_ms }) => {
		asked.push(as_of_ms);
		return records.findLast((record) => record.at_ms <= as_of_ms) ?? null;
	};
	return { market: { ...fake, openInterest }, asked };
}

async function harvested(market: MarketData, changeMs: number | undefined) {
	const { open_interest_change_ms: _, ...needs } = PERP_DAILY.needs;
	const own = { ...needs, evidence: null, ...(changeMs === undefined ? {} : { open_interest_change_ms: changeMs }) };
	const candidate = { symbol: SYMBOL, asset: null, market: fakeMarketEntry({ symbol: SYMBOL }) };
	const harvest = startHarvest(market, own, [candidate], {
		signal: new AbortController().signal,
		as_of_ms: NOW,
		concurrencyMax: null,
	});
	await harvest.settled;
	const { view } = harvest.snapshot();
	harvest.stop();
	return view.open_interest;
}

test("both ends are read as of their own moments", async () => {
	const found = await harvested(marketWith([at(5, 80), at(3, 100), at(1, 120)]).market, 3 * DAY);
	assert.equal(found, { [SYMBOL]: { now: at(1, 120), before: at(3, 100) } });
});

test("one end alone is nothing, and nobody asks unless it is wanted", async () => {
	assert.equal(await harvested(marketWith([at(1, 120)]).market, 3 * DAY), {});
	const { market, asked } = marketWith([at(5, 80), at(1, 120)]);
	assert.equal([await harvested(market, undefined), asked], [{}, []]);
});

test.run();
