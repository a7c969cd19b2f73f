/** How a scan's capital came about, as its owner reads it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { valuationReply } from "../../src/api/schemas/valuation.ts";
import { createLookup } from "../../src/queries/lookup.ts";
import { createValuationQueries } from "../../src/queries/valuation.ts";
import { scanMessage } from "../../src/views/messages.ts";
import { phaseView } from "../../src/views/phases.ts";
import { createFakeStore } from "../support/fake-reader.ts";
import { SCAN_ID, STRANGER_ID, sampleContext, samplePortfolio, sampleRecord, USER_ID } from "../support/records.ts";
import { T0 } from "../support/scan-input.ts";

const test = suite("API: valuation of a scan");
const iso = (ms: number) => new Date(ms).toISOString();
const STALE = { age_seconds: 200, error: "fetch_failed: HTTP 503" };
const report = { account_id: "account_1", exchange: "kraken", error: null, missing: [] };
const DOCUMENT = {
	as_of: iso(T0),
	stale: STALE,
	cash_usd: 100,
	positions: [
		{ symbol: "BTC/USDT", value_usd: 60_000, basis: "market", price: 60_000, priced_at: iso(T0 - 200_000) },
		{ symbol: "OLD/USDT", value_usd: 3, basis: "entry_price", price: 3, priced_at: null, account_id: "account_1" },
	],
	accounts: [{ ...report, as_of_ms: T0 - 1000, cash_usd: 5 }],
};

function queriesOf(portfolio: ReturnType<typeof samplePortfolio> | null, document: unknown) {
	const store = createFakeStore();
	store.commit(sampleRecord({ context: sampleContext({ portfolio }) }));
	const asked: string[] = [];
	const reader = {
		async document<T>(scanId: string, name: string): Promise<T | null> {
			asked.push(`${scanId} ${name}`);
			return document as T | null;
		},
	};
	const queries = createValuationQueries(createLookup(store.reader), reader);
	const ask = async (user_id = USER_ID) =>
		valuationReply.parse(await queries.valuation({ user_id, role: "trader" }, SCAN_ID));
	return { ask, asked };
}

test("each position with its price and its time, the accounts with theirs, and whether prices were stale", async () => {
	const { ask, asked } = queriesOf(samplePortfolio({ capital_usd: 60_103, assumed: false }), DOCUMENT);
	const body = await ask();
	const accounts = [{ ...report, as_of: iso(T0 - 1000), cash_usd: 5 }];
	assert.equal(body.valuation, { ...DOCUMENT, accounts });
	assert.equal([body.capital_usd, body.assumed, body.source], [60_103, false, "default"]);
	assert.equal(asked, [`${SCAN_ID} portfolio_valuation`]);
});

test("nothing is made up before the portfolio is read, and strangers learn nothing", async () => {
	const { ask, asked } = queriesOf(null, DOCUMENT);
	assert.equal(await ask(), {
		success: true,
		scan_id: SCAN_ID,
		capital_usd: null,
		assumed: null,
		source: null,
		valuation: null,
	});
	assert.equal(asked, []);
	assert.is(await ask(STRANGER_ID).catch(({ code }: { code: string }) => code), "scan_not_found");
});

test("stale prices are a warning of the phase and of the scan's message", () => {
	const context = sampleContext({ portfolio: samplePortfolio({ stale_prices: STALE }) });
	const warning =
		"Prices of the portfolio are the last good ones, up to 200 s old, because their source failed (fetch_failed: HTTP 503).";
	assert.equal(phaseView(context, "portfolio_fetch", T0)?.warnings, [warning]);
	assert.ok(scanMessage(context, "completed").includes(warning));
	assert.is(phaseView(sampleContext(), "portfolio_fetch", T0)?.warnings, undefined);
});

test.run();
