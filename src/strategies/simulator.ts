import type { Series } from "../market/contract.ts";
import { at, type Column } from "./columns.ts";

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
	/** Net of the round trip's cost, fraction of notional. */
	net: number;
	/** net over the distance from entry to stop. */
	r: number;
	holdBars: number;
}

export type Outcome =
	| { kind: "resolved"; exitIndex: number; entryPrice: number; exitPrice: number; exitReason: ExitReason }
	| { kind: "gap_through_stop" }
	| { kind: "unresolved" };

export interface Simulation {
	trades: Trade[];
	gapsThroughStop: number;
	/** true: the newest signal's horizon is not complete; it is not counted. */
	unresolved: boolean;
}

/**
 * Triple barrier for the signal of bar t (STRATEGIES 5.3): entry at the next open; within a bar the stop
 * is assumed to come first; a gap fills at the open where that is worse than the stop or better than
 * the target; timeout at close[t+H]. The entry bar counts.
 */
export function resolveTrade(series: Series, plan: TradePlan, t: number): Outcome {
	const { open, high, low, close } = series;
	const { side } = plan;
	if (t + 1 >= series.length) return { kind: "unresolved" };
	const entryPrice = at(open, t + 1);
	const stop = at(plan.stop, t);
	const target = plan.target ? at(plan.target, t) : side * Number.POSITIVE_INFINITY;
	if (side * (entryPrice - stop) <= 0) return { kind: "gap_through_stop" };
	const end = t + plan.horizonBars;
	const exit = (exitIndex: number, exitPrice: number, exitReason: ExitReason): Outcome => ({
		kind: "resolved",
		exitIndex,
		entryPrice,
		exitPrice,
		exitReason,
	});
	for (let i = t + 1; i <= Math.min(end, series.length - 1); i++) {
		const trail = plan.trail && i > t + 1 ? at(plan.trail, i) : Number.NaN;
		const trailing = side * (trail - stop) > 0;
		const floor = trailing ? trail : stop;
		const worst = side === 1 ? at(low, i) : at(high, i);
		const best = side === 1 ? at(high, i) : at(low, i);
		const opened = at(open, i);
		if (side * (worst - floor) <= 0) {
			return exit(i, side * (opened - floor) < 0 ? opened : floor, trailing ? "trail" : "stop");
		}
		if (side * (best - target) >= 0) return exit(i, side * (opened - target) > 0 ? opened : target, "target");
		if (i === end) return exit(i, at(close, i), "timeout");
	}
	return { kind: "unresolved" };
}

/** A resolved outcome as a trade; `cost` is the round trip as a fraction of notional. */
export function tradeOf(
	series: Series,
	plan: TradePlan,
	t: number,
	outcome: Extract<Outcome, { kind: "resolved" }>,
	cost: number,
): Trade {
	const net = plan.side * (outcome.exitPrice / outcome.entryPrice - 1) - cost;
	const stopDistance = Math.abs(outcome.entryPrice - at(plan.stop, t)) / outcome.entryPrice;
	return {
		signalIndex: t,
		exitIndex: outcome.exitIndex,
		signalTime: at(series.open_time, t),
		exitTime: at(series.open_time, outcome.exitIndex),
		entryPrice: outcome.entryPrice,
		exitPrice: outcome.exitPrice,
		exitReason: outcome.exitReason,
		net,
		r: net / stopDistance,
		holdBars: outcome.exitIndex - t,
	};
}

/** All trades of a plan in time order, one open at a time; the exit bar may signal again. */
export function simulate(series: Series, plan: TradePlan, cost: number): Simulation {
	const trades: Trade[] = [];
	let gapsThroughStop = 0;
	let t = 0;
	while (t < series.length) {
		if (plan.signal[t] !== 1) {
			t++;
			continue;
		}
		const outcome = resolveTrade(series, plan, t);
		if (outcome.kind === "unresolved") return { trades, gapsThroughStop, unresolved: true };
		if (outcome.kind === "gap_through_stop") {
			gapsThroughStop++;
			t++;
			continue;
		}
		trades.push(tradeOf(series, plan, t, outcome, cost));
		t = outcome.exitIndex;
	}
	return { trades, gapsThroughStop, unresolved: false };
}
