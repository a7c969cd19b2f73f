import type { MarketView, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { UNDESCRIBED } from "./quality.ts";
import { type Book, joinCloses, RETURNS_MIN, readBook, simpleReturns } from "./risk/book.ts";
import { bookMeasures, excessOf, type Measure, positionMeasures } from "./risk/checks.ts";
import { HEDGES, hedgeProposal } from "./risk/hedge.ts";
import { RISK_LIMITS } from "./risk/limits.ts";
import { dailyOf, hasKnownCosts, portfolioRow, positionRow } from "./risk/mitigation.ts";

const PORTFOLIO = "PORTFOLIO";
const BENCHMARK = "BTC/USDT";
const HEDGED_MEASURES: ReadonlySet<string> = new Set(["cvar95_1d", "drawdown"]);
/** Below it no trade is worth its fees. */
const EQUITY_USD_MIN = 100;

/**
 * Measures the portfolio against its limits and names the trade that restores each.
 * Candidates are proposals: one per position, one for the whole book, one hedge. An answer of
 * `within_limits` everywhere is good news; every measure stands in the report whatever happens.
 */
export const riskManagement: Strategy = {
	id: "ai_risk_management",
	needs: {
		candidates: "positions",
		timeframe: "1d",
		candles: true,
		// A hedge earns or pays it.
		funding: true,
		orderBook: false,
		evidence: null,
		benchmarks: [BENCHMARK, ...HEDGES],
		benchmark_markets: true,
		history: { bars_min: RETURNS_MIN + 1, bars_settled: RETURNS_MIN + 1 },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const close = (report: Record<string, unknown>) => ledger.close("proposal", limits, { ...RISK_LIMITS }, report);
		if (portfolio.positions.length === 0) {
			ledger.reject(PORTFOLIO, "no_positions", "the portfolio holds no position");
			return close({ status: "no_positions", measures: [] });
		}
		if (!(portfolio.capital_usd >= EQUITY_USD_MIN)) {
			ledger.reject(PORTFOLIO, "portfolio_too_small", `${portfolio.capital_usd.toFixed(2)} of ${EQUITY_USD_MIN} USD`);
			return close({ status: "portfolio_too_small", measures: [] });
		}
		const book = readBook(candidates, view, portfolio);
		for (const { symbol, reason, detail } of book.unread) ledger.reject(symbol, reason, detail);
		if (book.asOfMs === null || (book.returns[0]?.length ?? 0) < RETURNS_MIN) {
			return close(unmeasured(book, ledger));
		}
		ledger.sawDatumAt(book.asOfMs);
		const ofPositions = positionMeasures(book);
		const ofBook = bookMeasures(book, benchmarkReturns(book, view));
		proposePositions(book, view, ofPositions, portfolio.assumed, ledger);
		proposeForBook(book, view, ofBook, portfolio.assumed, ledger);
		const measures = [...ofBook, ...ofPositions.flat()];
		const breached = measures.filter((measure) => measure.breached);
		return close({
			status: breached.length > 0 ? "limits_breached" : "within_limits",
			equity_usd: book.equity,
			measures,
			breached: breached.map(({ measure, symbol, value, limit }) => ({ measure, symbol, value, limit })),
			unmeasured: book.unread,
			history_days: book.history[0]?.length ?? 0,
		});
	},
};

/** Nothing can be said of the book: each holding and the two proposals of the whole are still counted. */
function unmeasured(book: Book, ledger: Ledger): Record<string, unknown> {
	const reason = book.holdings.length === 0 ? "fetch_failed" : "insufficient_history";
	const detail = `${book.history[0]?.length ?? 0} common daily returns of ${RETURNS_MIN}`;
	for (const { position } of book.holdings) ledger.reject(position.symbol, reason, detail);
	ledger.reject(PORTFOLIO, reason, detail);
	ledger.reject(HEDGES[0], reason, detail);
	return { status: "not_measured", measures: [], unmeasured: book.unread };
}

function proposePositions(
	book: Book,
	view: MarketView,
	measures: readonly Measure[][],
	assumed: boolean,
	ledger: Ledger,
): void {
	// Asked for by the first holding outside its limits; most books have none.
	let daily: ReturnType<typeof dailyOf> | null = null;
	book.holdings.forEach((holding, i) => {
		const { symbol } = holding.position;
		const own = measures[i] ?? [];
		const breaches = own.filter((measure) => measure.breached);
		if (breaches.length === 0) {
			noteNearest(own, ledger);
			ledger.reject(symbol, "within_limits");
			return;
		}
		if (!hasKnownCosts(holding)) {
			ledger.reject(symbol, UNDESCRIBED.reason, UNDESCRIBED.detail);
			return;
		}
		daily ??= dailyOf(book);
		const row = positionRow(i, { book, daily, view, breaches, assumed });
		if (row) ledger.add(row);
		else ledger.reject(symbol, "negative_expectancy", "the change would not have calmed the book in past windows");
	});
}

function proposeForBook(
	book: Book,
	view: MarketView,
	measures: readonly Measure[],
	assumed: boolean,
	ledger: Ledger,
): void {
	const breaches = measures.filter((measure) => measure.breached);
	if (breaches.length === 0) {
		noteNearest(measures, ledger);
		ledger.reject(PORTFOLIO, "within_limits");
		ledger.reject(HEDGES[0], "within_limits");
		return;
	}
	const described = book.holdings.every(hasKnownCosts);
	const row = described ? portfolioRow({ book, daily: dailyOf(book), view, breaches, assumed }) : null;
	if (row) ledger.add(row);
	else if (!described) ledger.reject(PORTFOLIO, UNDESCRIBED.reason, UNDESCRIBED.detail);
	else ledger.reject(PORTFOLIO, "negative_expectancy", "the change would not have calmed the book in past windows");
	// A hedge answers losses of the whole; it does not make a book less concentrated.
	const losses = breaches.filter(({ measure }) => HEDGED_MEASURES.has(measure));
	if (losses.length === 0) {
		ledger.reject(HEDGES[0], "within_limits");
		return;
	}
	const outcome = hedgeProposal(book, view, Math.max(...losses.map(excessOf)), assumed);
	if ("row" in outcome) ledger.add(outcome.row);
	else ledger.reject(outcome.symbol, outcome.reason, outcome.detail);
}

/** The measure that came closest to its limit, in shares of the limit. */
function noteNearest(measures: readonly Measure[], ledger: Ledger): void {
	for (const { symbol, value, limit, bound } of measures) {
		if (value === null || !limit || bound === "none") continue;
		ledger.nearMiss({
			symbol,
			reason: "within_limits",
			value,
			threshold: limit,
			distance: Math.abs(1 - value / limit),
		});
	}
}

/** Daily BTC returns on the book's days; null when some day is missing. */
function benchmarkReturns(book: Book, view: MarketView): Float64Array | null {
	const series = view.series[BENCHMARK] ?? view.series[HEDGES[0]];
	if (!series) return null;
	const joined = joinCloses([series]);
	const returns = new Map(Array.from(simpleReturns(at0(joined.columns)), (value, i) => [joined.days[i + 1], value]));
	const wanted = book.days.slice(-RETURNS_MIN).map((day) => returns.get(day) ?? Number.NaN);
	return wanted.some(Number.isNaN) ? null : Float64Array.from(wanted);
}

const at0 = (columns: readonly Float64Array[]): Float64Array => columns[0] ?? new Float64Array(0);
