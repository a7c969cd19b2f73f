import type { Strategy } from "./contract.ts";
import { ESTIMATION_DAYS, RECENT_WINDOWS } from "./hedging/effectiveness.ts";
import { COMMON_HEDGES } from "./hedging/instruments.ts";
import { HEDGE_GATES, type HedgeProposal, hedgeSetting, proposeHedge } from "./hedging/proposal.ts";
import { HEDGE_ID, hedgeRow } from "./hedging/row.ts";
import { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";
import { RETURNS_MIN, readBook } from "./risk/book.ts";
import { WINDOW_DAYS } from "./risk/windows.ts";

const PORTFOLIO = "PORTFOLIO";
/** Below it no hedge is worth its fees. */
const EQUITY_USD_MIN = 100;

/**
 * Minimum variance hedges of positions that carry much of the book's risk: the coin's
 * own perpetual, BTC, ETH or both, judged by the variance they took away out of sample. One candidate per
 * position. A hedge protects; its profit is 0 and its costs, funding included, are stated.
 */
export const hedgePosition: Strategy = {
	id: HEDGE_ID,
	needs: {
		candidates: "positions",
		timeframe: "1d",
		candles: true,
		funding: true,
		orderBook: false,
		evidence: null,
		benchmarks: COMMON_HEDGES.flatMap(({ perp, spot }) => [perp, spot]),
		benchmark_markets: true,
		companions: ["perp"],
		history: { bars_min: RETURNS_MIN + 1, bars_settled: RECENT_WINDOWS * WINDOW_DAYS + ESTIMATION_DAYS + 1 },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const close = (report: Record<string, unknown>) => ledger.close("position", limits, { ...HEDGE_GATES }, report);
		if (portfolio.positions.length === 0) {
			ledger.reject(PORTFOLIO, "no_positions", "the portfolio holds no position");
			return close({ status: "no_positions" });
		}
		const few = `${portfolio.capital_usd.toFixed(2)} of ${EQUITY_USD_MIN} USD`;
		const book = readBook(candidates, view, portfolio);
		for (const { symbol, reason, detail } of book.unread) ledger.reject(symbol, reason, detail);
		const returns = book.returns[0]?.length ?? 0;
		const refuse = (reason: string, detail: string) => {
			for (const { position } of book.holdings) ledger.reject(position.symbol, reason, detail);
			return close({ status: reason, unmeasured: book.unread });
		};
		if (!(portfolio.capital_usd >= EQUITY_USD_MIN)) return refuse("portfolio_too_small", few);
		if (returns < RETURNS_MIN || book.asOfMs === null) {
			return refuse("insufficient_history", `${returns} common daily returns of ${RETURNS_MIN}`);
		}
		ledger.sawDatumAt(book.asOfMs);
		const setting = hedgeSetting(book, { view, candidates, ledger });
		const outcomes = book.holdings.map(({ position: { symbol } }, i) => {
			const outcome = proposeHedge(i, setting);
			if ("reason" in outcome) ledger.reject(symbol, outcome.reason, outcome.detail);
			else ledger.add(hedgeRow(outcome, setting, portfolio.assumed));
			return shown(symbol, outcome);
		});
		return close({
			status: outcomes.some((outcome) => "hedge" in outcome) ? "hedges" : "nothing_to_hedge",
			equity_usd: book.equity,
			positions: outcomes,
			unmeasured: book.unread,
		});
	},
};

function shown(symbol: string, outcome: HedgeProposal | Refusal): Record<string, unknown> {
	if ("reason" in outcome) return { symbol, refused: outcome };
	const { choice, terms, evidence } = outcome;
	return {
		symbol,
		hedge: choice.kind,
		legs: terms.legs.map(({ leg, ratio, notionalUsd }) => ({ symbol: leg.symbol, ratio, notional_usd: notionalUsd })),
		effectiveness_lower_quartile: choice.effectiveness.lowerQuartile,
		windows: evidence.n,
		grade: evidence.grade,
	};
}
