import type { EvaluationRequest, Strategy } from "../../src/strategies/contract.ts";
import { syntheticRequest } from "./synthetic.ts";
import { startThread, type TimingThread } from "./thread.ts";

export const SYMBOLS = [25, 50, 100, 200] as const;
export const BARS = [500, 1_000, 2_000, 4_000] as const;
const SYMBOLS_BARS = 1_000;
const BARS_SYMBOLS = 50;
const WARM_RUNS = 9;
/** Cold runs of one size; the quickest counts, because only other work makes it slower. */
const COLD_RUNS = 2;

export interface Growth {
	sizes: readonly number[];
	/** Cold CPU of each size, ms. */
	cpuMs: number[];
	/** Slope of log time over log size: 1 is linear. */
	exponent: number;
}

export interface StrategyTiming {
	id: string;
	evaluated: number;
	published: number;
	coldMs: number;
	warmMs: number;
	/** Heap that stays after the cold evaluation: the evidence kept warm, MB. */
	keptMb: number;
	symbols: Growth;
	bars: Growth;
}

/** Cold and warm times on one request, then how cold times grow on synthetic ones. CPU milliseconds. */
export async function timeStrategy(strategy: Strategy, request: EvaluationRequest): Promise<StrategyTiming> {
	const thread = await startThread();
	try {
		const cold = await thread.time(request);
		const warm: number[] = [];
		for (let run = 0; run < WARM_RUNS; run++) warm.push((await thread.time(request)).cpuMs);
		const { evaluated, published } = cold;
		return {
			id: strategy.id,
			evaluated,
			published,
			coldMs: cold.cpuMs,
			warmMs: medianOf(warm),
			keptMb: Math.max(0, cold.heapMb - thread.heapMb),
			symbols: await growth(thread, strategy, SYMBOLS, 1, (symbols) => ({ symbols, bars: SYMBOLS_BARS })),
			bars: await growth(thread, strategy, BARS, 11, (bars) => ({ symbols: BARS_SYMBOLS, bars })),
		};
	} finally {
		await thread.close();
	}
}

async function growth(
	thread: TimingThread,
	strategy: Strategy,
	sizes: readonly number[],
	seed: number,
	sizeOf: (size: number) => { symbols: number; bars: number },
): Promise<Growth> {
	const cpuMs: number[] = [];
	// Compiled once before anything is compared; other seeds, so that no memo knows the answer.
	await thread.time(syntheticRequest(strategy, { ...sizeOf(sizes[0] ?? 1), seed }));
	for (const size of sizes) {
		let best = Number.POSITIVE_INFINITY;
		for (let run = 0; run < COLD_RUNS; run++) {
			const request = syntheticRequest(strategy, { ...sizeOf(size), seed: seed + 1 + run });
			best = Math.min(best, (await thread.time(request)).cpuMs);
		}
		cpuMs.push(best);
	}
	return { sizes, cpuMs, exponent: exponentOf(sizes, cpuMs) };
}

export function medianOf(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Least-squares slope of log(time) on log(size): the power with which time grows. */
export function exponentOf(sizes: readonly number[], times: readonly number[]): number {
	const x = sizes.map(Math.log);
	const y = times.map((time) => Math.log(Math.max(time, 1e-3)));
	const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
	const [mx, my] = [mean(x), mean(y)];
	const xy = x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] ?? 0) - my), 0);
	const xx = x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
	return xy / xx;
}
