import { TIMEFRAME_MS } from "../../src/market/contract.ts";
import type { EvaluationRequest, Strategy } from "../../src/strategies/contract.ts";
import { type Growth, growthOf, medianOf } from "./powers.ts";
import { sizedRequest } from "./sized.ts";
import { startThread, type TimingThread } from "./thread.ts";

export const SYMBOLS = [25, 50, 100, 200] as const;
export const BARS = [500, 1_000, 2_000, 4_000] as const;
/** Enough for every record: the longest asks for 1,800. */
const SYMBOLS_BARS = 2_000;
const BARS_SYMBOLS = 50;
const DAY_MS = TIMEFRAME_MS["1d"];
const WARM_RUNS = 9;
/** Markets of each size, the same but for their unit of price, and repeats of each. */
const COLD_RUNS = 4;
const GROWTH_WARM_RUNS = 6;

/** CPU of the first and of a repeated evaluation, ms, and memory that stays after the first, MB. */
export interface Growths {
	cold: Growth;
	warm: Growth;
	kept: Growth;
}

export interface StrategyTiming {
	id: string;
	evaluated: number;
	published: number;
	coldMs: number;
	warmMs: number;
	/** The first evaluation after one more bar has closed, in a thread that had evaluated the bar before. */
	nextBarMs: number;
	/** Memory that stays after the cold evaluation: evidence and compiled code, MB. */
	keptMb: number;
	symbols: Growths;
	bars: Growths;
}

/**
 * Cold and warm times on one request, the time after one of a day before, then how they grow on synthetic ones.
 * CPU milliseconds.
 */
export async function timeStrategy(
	strategy: Strategy,
	request: EvaluationRequest,
	dayBefore: EvaluationRequest,
): Promise<StrategyTiming> {
	const nextBarMs = await timeNextBar(request, dayBefore);
	const thread = await startThread();
	try {
		const cold = await thread.time(request);
		const { evaluated, published } = cold;
		return {
			id: strategy.id,
			evaluated,
			published,
			coldMs: cold.cpuMs,
			warmMs: medianOf(await warmRuns(thread, request, WARM_RUNS)),
			nextBarMs,
			keptMb: Math.max(0, cold.keptMb),
			symbols: await growths(thread, strategy, SYMBOLS, 0, (symbols) => ({ symbols, bars: SYMBOLS_BARS })),
			bars: await growths(thread, strategy, BARS, leastBars(strategy), (bars) => ({ symbols: BARS_SYMBOLS, bars })),
		};
	} finally {
		await thread.close();
	}
}

/** A record of whole days of trades: one teaches and the next is replayed. */
const TAPE_RECORD_MS = 2 * DAY_MS;

/** Fewer bars make no record. */
export function leastBars({ needs }: Strategy): number {
	if (needs.evidence) return needs.evidence.bars_min;
	return needs.trades_window_ms && needs.timeframe ? TAPE_RECORD_MS / TIMEFRAME_MS[needs.timeframe] : 0;
}

async function timeNextBar(request: EvaluationRequest, dayBefore: EvaluationRequest): Promise<number> {
	const thread = await startThread();
	try {
		await thread.time(dayBefore);
		return (await thread.time(request)).cpuMs;
	} finally {
		await thread.close();
	}
}

async function warmRuns(thread: TimingThread, request: EvaluationRequest, runs: number): Promise<number[]> {
	const times: number[] = [];
	for (let run = 0; run < runs; run++) times.push((await thread.time(request)).cpuMs);
	return times;
}

async function growths(
	thread: TimingThread,
	strategy: Strategy,
	sizes: readonly number[],
	fittedFrom: number,
	sizeOf: (size: number) => { symbols: number; bars: number },
): Promise<Growths> {
	const runs = { cold: [] as number[][], warm: [] as number[][], kept: [] as number[][] };
	// Compiled once before anything is compared.
	await thread.time(sizedRequest(strategy, sizeOf(sizes[0] ?? 1), -1));
	for (let run = 0; run < COLD_RUNS; run++) {
		const found = { cold: [] as number[], warm: [] as number[], kept: [] as number[] };
		for (const [i, size] of sizes.entries()) {
			// In a unit of its own: a longer market in the same unit would go on with the record of the shorter.
			const request = sizedRequest(strategy, sizeOf(size), run * sizes.length + i);
			const cold = await thread.time(request);
			found.cold.push(cold.cpuMs);
			found.kept.push(Math.max(0, cold.keptMb));
			found.warm.push(Math.min(...(await warmRuns(thread, request, GROWTH_WARM_RUNS))));
		}
		for (const name of ["cold", "warm", "kept"] as const) runs[name].push(found[name]);
	}
	return {
		cold: growthOf(sizes, runs.cold, fittedFrom),
		warm: growthOf(sizes, runs.warm, fittedFrom),
		// Memory is less where an older record was dropped in exchange.
		kept: growthOf(sizes, runs.kept, fittedFrom, (values) => Math.max(...values)),
	};
}
