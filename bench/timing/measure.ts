import { sealColumns } from "../../src/market/content.ts";
import type { EvaluationRequest, Strategy } from "../../src/strategies/contract.ts";
import { syntheticRequest } from "./synthetic.ts";
import { startThread, type TimingThread } from "./thread.ts";

export const SYMBOLS = [25, 50, 100, 200] as const;
export const BARS = [500, 1_000, 2_000, 4_000] as const;
/** Enough for every record: the longest asks for 1,800. */
const SYMBOLS_BARS = 2_000;
const BARS_SYMBOLS = 50;
const WARM_RUNS = 9;
/** Runs of one size; the quickest counts, because only other work makes it slower. */
const GROWTH_WARM_RUNS = 5;
const COLD_RUNS = 2;

/** One figure over sizes, and the slope of its logarithm over that of the size: 1 is linear. */
export interface Growth {
	sizes: readonly number[];
	values: number[];
	exponent: number;
}

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
			symbols: await growths(thread, strategy, SYMBOLS, 1, 0, (symbols) => ({ symbols, bars: SYMBOLS_BARS })),
			bars: await growths(thread, strategy, BARS, 11, strategy.needs.evidence?.bars_min ?? 0, (bars) => ({
				symbols: BARS_SYMBOLS,
				bars,
			})),
		};
	} finally {
		await thread.close();
	}
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
	seed: number,
	/** Below this size there is no record: such sizes are told, and the power is fitted from it on. */
	fittedFrom: number,
	sizeOf: (size: number) => { symbols: number; bars: number },
): Promise<Growths> {
	const found = { cold: [] as number[], warm: [] as number[], kept: [] as number[] };
	// Compiled once before anything is compared; other seeds, so that no memo knows the answer.
	await thread.time(sealed(syntheticRequest(strategy, { ...sizeOf(sizes[0] ?? 1), seed })));
	for (const [i, size] of sizes.entries()) {
		const runs: { cold: number; kept: number; warm: number }[] = [];
		for (let run = 0; run < COLD_RUNS; run++) {
			// A market of its own for each size: a longer one of the same seed would go on with the record of the shorter.
			const own = seed + 1 + run + 100 * i;
			const request = sealed(syntheticRequest(strategy, { ...sizeOf(size), seed: own }));
			const cold = await thread.time(request);
			runs.push({
				cold: cold.cpuMs,
				kept: cold.keptMb,
				warm: Math.min(...(await warmRuns(thread, request, GROWTH_WARM_RUNS))),
			});
		}
		for (const name of ["cold", "kept", "warm"] as const) {
			const values = runs.map((run) => run[name]);
			// Other work makes times longer; memory is less where an older record was dropped in exchange.
			found[name].push(name === "kept" ? Math.max(0, ...values) : Math.min(...values));
		}
	}
	const grown = (values: number[]): Growth => ({ sizes, values, exponent: exponentFrom(fittedFrom, sizes, values) });
	return { cold: grown(found.cold), warm: grown(found.warm), kept: grown(found.kept) };
}

/** As the market's cache would have handed it over: columns that never change again, digested once. */
function sealed(request: EvaluationRequest): EvaluationRequest {
	const { series, funding, trades = {}, volatility = {}, evidence } = request.view;
	const read = [series, funding, trades, volatility].flatMap((record) => Object.values<object>(record));
	for (const answer of [...read, ...evidence.series, ...evidence.funding]) sealColumns(answer);
	return request;
}

export function medianOf(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The power over the sizes from `least` on; over all of them where that leaves fewer than two. */
export function exponentFrom(least: number, sizes: readonly number[], times: readonly number[]): number {
	const first = sizes.findIndex((size) => size >= least);
	const from = first < 0 || sizes.length - first < 2 ? 0 : first;
	return exponentOf(sizes.slice(from), times.slice(from));
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
