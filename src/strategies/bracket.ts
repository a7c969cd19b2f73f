import type { Series } from "../market/contract.ts";
import { at, type Column } from "./columns.ts";
import type { Outcome, Resolution } from "./simulator.ts";

/**
 * A pair of waiting orders around the price of the signal bar, of which one cancels the other: a buy stop
 * at `upper[t]`, a sell stop at `lower[t]`. Stop and target are counted from the fill in units of `n[t]`.
 */
export interface BracketPlan {
	/** 1 where the rule fires on the closed bar. */
	signal: Uint8Array;
	upper: Column;
	lower: Column;
	/** Average true range at the signal, price units. */
	n: Column;
	stopN: number;
	targetN: number;
	/** Bars for which the orders wait. */
	validBars: number;
	/** Bars after the fill until the time stop. */
	holdBars: number;
	/** Also let the bar of the fill hit the stop; its course is unknown, so this is the pessimist's reading. */
	stopOnEntryBar?: boolean;
}

/**
 * Replays the pair placed after bar t: fill at the trigger or at a worse open; a bar
 * that touches both triggers is a full stop loss; then barriers of 2 N and 4 N for 20 bars, stop first,
 * timeout at the close. A new pair may be placed on the bar after the exit or after the orders lapsed.
 */
export function resolveBracket(series: Series, plan: BracketPlan, t: number): Outcome {
	const [upper, lower, n] = [at(plan.upper, t), at(plan.lower, t), at(plan.n, t)];
	for (let i = t + 1; i <= t + plan.validBars; i++) {
		if (i >= series.length) return { kind: "unresolved" };
		const rose = at(series.high, i) >= upper;
		const fell = at(series.low, i) <= lower;
		if (rose && fell) {
			return ended(1, i, upper, upper - plan.stopN * n, { index: i, price: upper - plan.stopN * n, reason: "stop" });
		}
		if (!rose && !fell) continue;
		const side = rose ? 1 : -1;
		const trigger = rose ? upper : lower;
		const opened = at(series.open, i);
		return follow(series, plan, i, side, side * (opened - trigger) > 0 ? opened : trigger, n);
	}
	return { kind: "unfilled", resumeIndex: t + plan.validBars };
}

type Exit = { index: number; price: number; reason: Resolution["exitReason"] };

function ended(side: 1 | -1, entryIndex: number, entryPrice: number, stopPrice: number, exit: Exit): Resolution {
	return {
		kind: "resolved",
		side,
		entryIndex,
		exitIndex: exit.index,
		entryPrice,
		stopPrice,
		exitPrice: exit.price,
		exitReason: exit.reason,
		resumeIndex: exit.index + 1,
	};
}

/** From the fill on: the triple barrier, counted from the bar after it. */
function follow(
	series: Series,
	plan: BracketPlan,
	entryIndex: number,
	side: 1 | -1,
	entryPrice: number,
	n: number,
): Outcome {
	const stop = entryPrice - side * plan.stopN * n;
	const target = entryPrice + side * plan.targetN * n;
	const end = entryIndex + plan.holdBars;
	const exit = (index: number, price: number, reason: Exit["reason"]) =>
		ended(side, entryIndex, entryPrice, stop, { index, price, reason });
	const worstOf = (i: number) => (side === 1 ? at(series.low, i) : at(series.high, i));
	if (plan.stopOnEntryBar && side * (worstOf(entryIndex) - stop) <= 0) return exit(entryIndex, stop, "stop");
	for (let i = entryIndex + 1; i <= Math.min(end, series.length - 1); i++) {
		const best = side === 1 ? at(series.high, i) : at(series.low, i);
		const opened = at(series.open, i);
		if (side * (worstOf(i) - stop) <= 0) return exit(i, side * (opened - stop) < 0 ? opened : stop, "stop");
		if (side * (best - target) >= 0) return exit(i, side * (opened - target) > 0 ? opened : target, "target");
		if (i === end) return exit(i, at(series.close, i), "timeout");
	}
	return { kind: "unresolved" };
}
