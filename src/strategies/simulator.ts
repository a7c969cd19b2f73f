import type { Series } from "../market/contract.ts";
import { type BracketPlan, resolveBracket } from "./bracket.ts";
import { at, type Column } from "./columns.ts";
import { type FundingLedger, fundingPaid } from "./funding-charge.ts";

/**
 * What a rule says about each bar of one series. Levels are frozen at the signal bar, so they are
 * columns too: `stop[t]` is the stop of a trade that was signalled by bar t.
 */
export interface TradePlan {
	/** 1 where the rule fires on the closed bar. */
	signal: Uint8Array;
	stop: Column;
	/** null: no target. */
	target: Column | null;
	/** A second stop per bar that is known at the bar's open; it counts from the bar after the entry. */
	trail?: Column;
	side: 1 | -1;
	horizonBars: number;
}

export type ExitReason = "stop" | "target" | "timeout" | "trail";

export interface Trade {
	signalIndex: number;
	exitIndex: number;
	/** Opens of the signal bar and of the exit bar, epoch ms. */
	signalTime: number;
	exitTime: number;
	entryPrice: number;
	exitPrice: number;
	exitReason: ExitReason;
	/** Net of the round trip's cost and of funding, fraction of notional. */
	net: number;
	/** Funding paid within `net`, fraction of notional, negative = received; null = no history covers the trade. */
	funding: number | null;
	/** net over the distance from entry to stop. */
	r: number;
	holdBars: number;
}

/** How a trade went, whichever plan made it. */
export interface Resolution {
	kind: "resolved";
	side: 1 | -1;
	entryIndex: number;
	exitIndex: number;
	entryPrice: number;
	stopPrice: number;
	exitPrice: number;
	exitReason: ExitReason;
	/** The first bar that may signal again. */
	resumeIndex: number;
}

export type Outcome =
	| Resolution
	| { kind: "gap_through_stop" }
	/** Waiting orders that were never touched. */
	| { kind: "unfilled"; resumeIndex: number }
	| { kind: "unresolved" };

/** A trade at the next open, or a pair of waiting orders. */
export type AnyPlan = TradePlan | BracketPlan;

export interface Simulation {
	trades: Trade[];
	/** Signals whose next open lay beyond the stop, by bar. */
	gapBars: number[];
	/** The bar from which on a longer series has to be searched: the unresolved signal, else the first that is not there yet. */
	next: number;
	/** true: the newest signal's horizon is not complete; it is not counted. */
	unresolved: boolean;
}

/**
 * Triple barrier for the signal of bar t: entry at the next open; within a bar the stop
 * is assumed to come first; a gap fills at the open where that is worse than the stop or better than
 * the target; timeout at close[t+H]. The entry bar counts.
 */
export function resolveTrade(series: Series, plan: AnyPlan, t: number): Outcome {
	return "upper" in plan ? resolveBracket(series, plan, t) : resolveBarriers(series, plan, t);
}

function resolveBarriers(series: Series, plan: TradePlan, t: number): Outcome {
	const { open, high, low, close } = series;
	const { side } = plan;
	if (t + 1 >= series.length) return { kind: "unresolved" };
	const entryPrice = at(open, t + 1);
	const stop = at(plan.stop, t);
	const target = plan.target ? at(plan.target, t) : side * Number.POSITIVE_INFINITY;
	if (side * (entryPrice - stop) <= 0) return { kind: "gap_through_stop" };
	const end = t + plan.horizonBars;
	const resolved = { side, entryIndex: t + 1, entryPrice, stopPrice: stop };
	for (let i = t + 1; i <= Math.min(end, series.length - 1); i++) {
		const trail = plan.trail && i > t + 1 ? at(plan.trail, i) : Number.NaN;
		const trailing = side * (trail - stop) > 0;
		const floor = trailing ? trail : stop;
		const worst = side === 1 ? at(low, i) : at(high, i);
		const best = side === 1 ? at(high, i) : at(low, i);
		const opened = at(open, i);
		if (side * (worst - floor) <= 0) {
			return exitAt(i, side * (opened - floor) < 0 ? opened : floor, trailing ? "trail" : "stop", resolved);
		}
		if (side * (best - target) >= 0)
			return exitAt(i, side * (opened - target) > 0 ? opened : target, "target", resolved);
		if (i === end) return exitAt(i, at(close, i), "timeout", resolved);
	}
	return { kind: "unresolved" };
}

const exitAt = (
	exitIndex: number,
	exitPrice: number,
	exitReason: ExitReason,
	entry: Pick<Resolution, "side" | "entryIndex" | "entryPrice" | "stopPrice">,
): Resolution => ({ kind: "resolved", ...entry, exitIndex, exitPrice, exitReason, resumeIndex: exitIndex });

/** A resolved outcome as a trade; `cost` is the round trip as a fraction of notional. */
export function tradeOf(series: Series, t: number, outcome: Resolution, cost: number, ledger?: FundingLedger): Trade {
	const { side, entryIndex, exitIndex, entryPrice, exitPrice, exitReason } = outcome;
	const funding = ledger ? fundingPaid(ledger, outcome) : null;
	const net = side * (exitPrice / entryPrice - 1) - cost - (funding ?? 0);
	const stopDistance = Math.abs(entryPrice - outcome.stopPrice) / entryPrice;
	return {
		signalIndex: t,
		exitIndex,
		signalTime: at(series.open_time, t),
		exitTime: at(series.open_time, exitIndex),
		entryPrice,
		exitPrice,
		exitReason,
		net,
		funding,
		r: net / stopDistance,
		holdBars: exitIndex - entryIndex + 1,
	};
}

/** All trades of a plan from a bar on in time order, one open at a time; the exit bar may signal again. */
export function simulate(series: Series, plan: AnyPlan, cost: number, ledger?: FundingLedger, from = 0): Simulation {
	const trades: Trade[] = [];
	const gapBars: number[] = [];
	let t = from;
	while (t < series.length) {
		if (plan.signal[t] !== 1) {
			t++;
			continue;
		}
		const outcome = resolveTrade(series, plan, t);
		if (outcome.kind === "unresolved") return { trades, gapBars, next: t, unresolved: true };
		if (outcome.kind === "gap_through_stop") {
			gapBars.push(t++);
			continue;
		}
		if (outcome.kind === "resolved") trades.push(tradeOf(series, t, outcome, cost, ledger));
		t = outcome.resumeIndex;
	}
	return { trades, gapBars, next: t, unresolved: false };
}
