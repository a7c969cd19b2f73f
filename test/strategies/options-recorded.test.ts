/** What the option strategies say of recorded data: one chain of 2020, and none at the reference snapshot. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OptionChain, OptionQuote } from "../../src/market/contract.ts";
import { impliedVolatility } from "../../src/pricing/implied-volatility.ts";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { readBoard } from "../../src/strategies/options/chain.ts";
import { checked } from "../support/checked-evaluation.ts";
import {
	hourlyBases,
	recordedSpotDaily,
	SNAPSHOT_MS,
	sharedRoot,
	skipAloud,
	spotDailyAtSnapshot,
} from "../support/recorded-bars.ts";
import { candidateOf, DAY_MS, marketOf, portfolioOf, RECORDED, requestOf } from "../support/synthetic-market.ts";

const test = suite("option strategies on recorded data");
const IDS = ["ai_options_trade", "ai_complex_strategy"];

const evaluatedAndChecked = (request: EvaluationRequest) => checked(evaluate(request));

/** Fields of a line whose quoted members hold commas. */
const fieldsOf = (line: string): string[] =>
	line.match(/("[^"]*"|[^,]*)(?:,|$)/g)?.map((field) => field.replace(/,$/, "")) ?? [];

function recordedChain(root: string): OptionChain {
	const file = join(root, "market/options/deribit_BTC_chain_2020-05-21.csv.gz");
	const [header = "", ...lines] = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
	const names = header.split(",");
	const above0 = (value: number) => (value > 0 ? value : null);
	const quotes = lines.map((line): OptionQuote => {
		const fields = fieldsOf(line);
		const text = (name: string) => fields[names.indexOf(name)] ?? "";
		const number = (name: string) => Number(text(name));
		return {
			symbol: text("instrument_name"),
			kind: text("option_type") === "call" ? "call" : "put",
			strike: number("strike"),
			expiry_ms: number("expiration_timestamp"),
			bid: above0(number("best_bid_price")),
			ask: above0(number("best_ask_price")),
			bid_quantity: above0(number("best_bid_amount")),
			ask_quantity: above0(number("best_ask_amount")),
			mark_price: number("mark_price"),
			bid_iv: above0(number("bid_iv") / 100),
			ask_iv: above0(number("ask_iv") / 100),
			mark_iv: number("mark_iv") / 100,
			open_interest: number("open_interest"),
			forward: number("underlying_price"),
			at_ms: number("timestamp"),
		};
	});
	const at_ms = Math.max(...quotes.map((quote) => quote.at_ms));
	return { base: "BTC", venue: "deribit", inverse: true, contract_size: 1, quotes, at_ms };
}

if (!sharedRoot) skipAloud("recorded option chain and snapshot");
else {
	const chain = recordedChain(sharedRoot);

	test("the exchange's own bid and ask volatilities come back from its prices", () => {
		let compared = 0;
		for (const { kind, strike, expiry_ms, at_ms, forward, bid, bid_iv, ask, ask_iv } of chain.quotes) {
			const terms = { kind, strike, forward: forward ?? 0, years: (expiry_ms - at_ms) / (365 * DAY_MS) };
			for (const [price, stated] of [
				[bid, bid_iv],
				[ask, ask_iv],
			] as const) {
				if (price === null || stated === null || stated >= 5 || terms.years < 7 / 365) continue;
				// In the money a tick is worth many vol points: the forward has moved since the quote.
				if (kind === "call" ? strike < terms.forward : strike > terms.forward) continue;
				compared++;
				const own = impliedVolatility(terms, price * terms.forward) ?? Number.NaN;
				assert.ok(Math.abs(own - stated) < 0.02, `${kind} ${strike}: ${own} is not ${stated}`);
			}
		}
		assert.ok(compared > 100, `${compared} compared`);
	});

	test("the forwards that the exchange states come back from put-call parity of its quotes", () => {
		const stated = readBoard(chain, chain.at_ms);
		const unstated = { ...chain, quotes: chain.quotes.map((quote) => ({ ...quote, forward: null })) };
		const implied = readBoard(unstated, chain.at_ms);
		assert.ok(implied.expiries.length >= 3);
		assert.ok(implied.expiries.every(({ forward_implied }) => forward_implied));
		for (const { expiryMs, forward } of implied.expiries) {
			const known = stated.expiries.find((expiry) => expiry.expiryMs === expiryMs)?.forward ?? Number.NaN;
			assert.ok(Math.abs(forward / known - 1) < 0.002, `${forward} is not ${known}`);
		}
	});

	test("one chain without a history: ideas stay unproven, without a confidence", () => {
		const [series] = recordedSpotDaily().filter(({ symbol }) => symbol === "BTC/USDT");
		if (!series) throw new Error("no recorded BTC");
		const end = series.open_time.findIndex((time) => time + DAY_MS > chain.at_ms);
		const cut = (column: Float64Array) => column.subarray(0, end);
		const known = {
			...series,
			length: end,
			open_time: cut(series.open_time),
			open: cut(series.open),
			high: cut(series.high),
			low: cut(series.low),
			close: cut(series.close),
			volume: cut(series.volume),
			quote_volume: cut(series.quote_volume),
			as_of_ms: chain.at_ms,
		};
		assert.ok(readBoard(chain, chain.at_ms).expiries.length >= 3);
		for (const strategyId of IDS) {
			const request = requestOf({
				strategyId,
				series: [known],
				candidates: [candidateOf(marketOf("BTC/USDT"))],
				evidence: [],
				source: RECORDED,
				asOfMs: chain.at_ms,
				portfolio: portfolioOf(1_000_000),
			});
			const evaluation = evaluatedAndChecked({ ...request, view: { ...request.view, chains: { BTC: chain } } });
			assert.is(evaluation.evaluated, strategyId === "ai_options_trade" ? 2 : 6);
			assert.equal(evaluation.published, [], "nothing recorded pays for certain");
			for (const row of evaluation.unproven) assert.equal([row.confidence_score, row.evidence.grade], [null, "C"]);
		}
	});

	test("at the reference snapshot every candidate ends as no_options_market", () => {
		const all = spotDailyAtSnapshot().filter(({ symbol }) => hourlyBases().some((base) => symbol === `${base}/USDT`));
		for (const strategyId of IDS) {
			const evaluation = evaluatedAndChecked(
				requestOf({ strategyId, series: all, evidence: [], source: RECORDED, asOfMs: SNAPSHOT_MS }),
			);
			assert.is(evaluation.evaluated, all.length);
			assert.ok(all.length >= 12 && evaluation.rejected.every(({ reason }) => reason === "no_options_market"));
		}
	});
}

test.run();
