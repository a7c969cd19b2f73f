/** Chains whose venue states no forward: put-call parity gives it, and nothing is held against it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OptionQuote } from "../../src/market/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { type Board, readBoard } from "../../src/strategies/options/chain.ts";
import { findViolations } from "../../src/strategies/options/violations.ts";
import { checked } from "../support/checked-evaluation.ts";
import { type ChainParts, quotedChain } from "../support/quoted-chain.ts";
import { candidateOf, marketOf, portfolioOf, randomWalk, requestOf } from "../support/synthetic-market.ts";

const test = suite("option strategies: implied forward");

const unstated = (quote: OptionQuote): OptionQuote => ({ ...quote, forward: null });
const boardOf = (parts: Partial<ChainParts> = {}): Board =>
	readBoard(quotedChain({ base: "ETH", atMs: 0, change: unstated, ...parts }), 0);
const forwardsOf = ({ expiries }: Board): number[] => expiries.map(({ forward }) => Math.round(1e6 * forward) / 1e6);

test("the forward is the one that calls and puts agree on, in dollars and in the coin", () => {
	for (const inverse of [false, true]) {
		// Nobody quotes at the money, where call and put would cost the same whatever the formula.
		const change = (quote: OptionQuote) => ({ ...unstated(quote), bid: quote.strike === 103 ? null : quote.bid });
		const board = boardOf({ inverse, forward: 103, change });
		assert.equal(forwardsOf(board), [103, 103]);
		assert.ok(board.expiries.every(({ forward_implied }) => forward_implied));
		assert.equal([board.forwardLow, board.forwardHigh].map(Math.round), [103, 103]);
	}
});

test("a stated forward is taken as it is stated", () => {
	const stated = (quote: OptionQuote): OptionQuote => ({ ...quote, forward: quote.kind === "call" ? 101 : null });
	const board = boardOf({ change: stated });
	assert.equal(forwardsOf(board), [101, 101]);
	assert.not.ok(board.expiries.some(({ forward_implied }) => forward_implied));
});

test("one odd quote does not move it, and those that are wide or without a size are not asked", () => {
	const changed = (strikes: readonly number[], change: (quote: OptionQuote) => Partial<OptionQuote>) =>
		boardOf({
			change: (quote) => ({
				...unstated(quote),
				...(quote.kind === "call" && strikes.includes(Math.round(quote.strike)) ? change(quote) : {}),
			}),
		});
	const dearer = ({ bid, ask }: OptionQuote) => ({ bid: (bid ?? 0) + 1, ask: (ask ?? 0) + 1 });
	const nearest = [96, 100, 104];
	assert.equal(forwardsOf(changed([100], dearer)), [100, 100]);
	assert.not.equal(forwardsOf(changed(nearest, dearer)), [100, 100]);
	assert.equal(forwardsOf(changed(nearest, ({ bid }) => ({ bid: (bid ?? 0) / 2 }))), [100, 100]);
	assert.equal(forwardsOf(changed(nearest, (quote) => ({ ...dearer(quote), bid_quantity: null }))), [100, 100]);
});

test("an expiry of which no strike is quoted on all four sides has no forward and is left out", () => {
	const oneSided = (quote: OptionQuote): OptionQuote => ({
		...unstated(quote),
		ask: quote.kind === "put" && quote.expiry_ms < 20 * 86_400_000 ? null : quote.ask,
	});
	assert.equal(
		boardOf({ change: oneSided }).expiries.map(({ days }) => days),
		[35],
	);
});

test("parity is not held against a forward that parity gave; a row says what its forward is", () => {
	const kindsOf = (board: Board) => [...findViolations(board).keys()].sort();
	assert.equal(kindsOf(boardOf({ change: (quote) => quote })), ["box", "butterfly", "parity"]);
	assert.equal(kindsOf(boardOf()), ["box", "butterfly"]);

	const series = randomWalk("ETH/USDT", 800, 21);
	const forward = series.close.at(-1) ?? 1;
	const dear = (quote: OptionQuote): OptionQuote =>
		quote.kind === "call" && Math.abs(quote.strike / forward - 1) < 1e-9 && quote.ask !== null && quote.bid !== null
			? { ...unstated(quote), bid: quote.bid + 0.1 * forward, ask: quote.ask + 0.1 * forward }
			: unstated(quote);
	const chain = quotedChain({ base: "ETH", atMs: series.as_of_ms, forward, change: dear });
	const request = requestOf({
		strategyId: "ai_complex_strategy",
		series: [series],
		candidates: [candidateOf(marketOf("ETH/USDT"))],
		evidence: [],
		portfolio: portfolioOf(100_000),
	});
	const evaluation = checked(evaluate({ ...request, view: { ...request.view, chains: { ETH: chain } } }));
	const rows = [...evaluation.published, ...evaluation.unproven];
	assert.ok(rows.length > 0, JSON.stringify(evaluation.rejected));
	for (const { metadata } of rows) assert.is(metadata.forward_basis, "put_call_parity");
	const refusal = evaluation.rejected.find(({ detail }) => detail?.startsWith("parity"));
	assert.is(refusal?.reason, "no_options_market");
});

test.run();
