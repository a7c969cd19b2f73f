import type { TradeTape } from "../../market/contract.ts";
import type { Evidence, Grade } from "../contract.ts";
import { frequencyGrade } from "../evidence/grade.ts";
import { wilsonInterval } from "../evidence/intervals.ts";
import { Memo, tapeFingerprint } from "../evidence/memo.ts";
import { meanOf, profitFactorOf, quantileOf, shortfallOf } from "../evidence/trades.ts";
import { stepsOf, TAPE_DAYS } from "../tape.ts";
import {
	INVENTORY_MAX,
	LATENCY_SECONDS,
	learnPlan,
	type MakerPlan,
	REPRICE_SECONDS,
	type ReplayCosts,
	type ReplayedDay,
	replayDay,
	STEPS_PER_DAY,
} from "./replay.ts";

/** Days that are replayed; one more teaches the first of them. A grade of B needs 30. */
export const REPLAY_DAYS = TAPE_DAYS - 1;
const METHOD = "replay of the trade tape by days, each quoted with what the day before taught";

/** What the tape of one market says about making it. */
export interface MakerRecord {
	/** What the newest day teaches; null: too little was traded. */
	plan: MakerPlan | null;
	/** Mean value of a trade, quote currency. */
	tradeValue: number;
	evidence: Evidence;
	/** Share of days with a gain; null without a day. */
	p: number | null;
	interval: [low: number, high: number];
	/** Means over the days, of one lot; 0 without a day. */
	netPerLot: number;
	fillsPerDay: number;
	/** Measured move of the mid against the maker after a fill, fraction; null without fills. */
	adverse: number | null;
	/** Standard deviation and 5 % expected shortfall of a day's net, of one lot; null without a day. */
	deviation: number | null;
	shortfall: number | null;
}

/** As many markets as a universe has contracts: in turn, one more than are kept would be as many as none. */
const memo = new Memo<MakerRecord>(1024);

/** The record of one tape, kept by content: it knows neither the portfolio nor other candidates. */
export function makerRecord(tape: TradeTape, asOfMs: number, costs: ReplayCosts, hindsight: boolean): MakerRecord {
	const endMs = Math.floor(asOfMs / (REPRICE_SECONDS * 1000)) * REPRICE_SECONDS * 1000;
	const key = [tapeFingerprint(tape), endMs, costs.makerFee, costs.closing, hindsight].join("#");
	return memo.get(key, () => measureTape(tape, endMs, costs, hindsight));
}

function measureTape(tape: TradeTape, endMs: number, costs: ReplayCosts, hindsight: boolean): MakerRecord {
	const steps = stepsOf(tape, endMs, REPRICE_SECONDS * 1000, LATENCY_SECONDS * 1000);
	const whole = Math.min(REPLAY_DAYS + 1, Math.floor(steps.length / STEPS_PER_DAY));
	const days: ReplayedDay[] = [];
	let plan: MakerPlan | null = null;
	for (let day = whole; day >= 1; day--) {
		const from = steps.length - day * STEPS_PER_DAY;
		// The plan of the day before quotes this one; a day without a plan is not quoted.
		const replayed = plan && replayDay(steps, from, plan, costs);
		if (replayed && Number.isFinite(replayed.net)) days.push(replayed);
		plan = learnPlan(steps, from, from + STEPS_PER_DAY, costs.makerFee);
	}
	return recordOf(days, plan, steps.tradeValue, hindsight);
}

/** Days do not overlap and each starts flat: n windows of the rule for non-trade strategies. */
export function recordOf(
	days: readonly ReplayedDay[],
	plan: MakerPlan | null,
	tradeValue: number,
	hindsight: boolean,
): MakerRecord {
	const n = days.length;
	const nets = Float64Array.from(days, (day) => day.net).sort();
	const wins = nets.filter((net) => net > 0).length;
	const p = n === 0 ? null : wins / n;
	const interval = wilsonInterval(p ?? 0.5, n);
	const netPerLot = n === 0 ? 0 : meanOf(nets);
	const traded = days.filter((day) => day.fills > 0);
	return {
		plan,
		tradeValue,
		evidence: {
			method: METHOD,
			n,
			n_effective: n,
			wins,
			hit_rate: p,
			mean_net_bps: n === 0 ? null : bpsOfCapital(netPerLot),
			median_net_bps: n === 0 ? null : bpsOfCapital(quantileOf(nets, 0.5)),
			bootstrap_90: null,
			profit_factor: profitFactorOf(nets),
			avg_hold_bars: null,
			first_trade: isoOf(days[0]),
			last_trade: isoOf(days.at(-1)),
			universe_size: 1,
			grade: gradeOf(p, interval[0], n, netPerLot, hindsight),
			p_placebo: null,
			brier: null,
			ece: null,
		},
		p,
		interval,
		netPerLot,
		fillsPerDay: n === 0 ? 0 : days.reduce((sum, day) => sum + day.fills, 0) / n,
		adverse: traded.length === 0 ? null : traded.reduce((sum, day) => sum + day.adverse, 0) / traded.length,
		deviation: n === 0 ? null : Math.sqrt(meanOf(nets.map((net) => (net - netPerLot) ** 2))),
		shortfall: n === 0 ? null : shortfallOf(nets),
	};
}

/** More days with a gain than without are no edge while the mean is a loss. */
function gradeOf(p: number | null, low: number, n: number, mean: number, hindsight: boolean): Grade {
	if (p === null) return "C";
	return mean <= 0 ? "D" : frequencyGrade(p, low, n, hindsight);
}

/** A fraction of one lot as basis points of the capital set aside: both sides of all levels. */
export const bpsOfCapital = (perLot: number): number => (perLot * 10_000) / (2 * INVENTORY_MAX);

const isoOf = (day: ReplayedDay | undefined): string | null => (day ? new Date(day.startMs).toISOString() : null);
