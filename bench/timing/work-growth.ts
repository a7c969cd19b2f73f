import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Strategy } from "../../src/strategies/contract.ts";
import { arrived, crossing } from "../../src/strategies/crossing.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { sizedRequest } from "./sized.ts";
import { openWorkCounter, WORK_FLAGS, type Work } from "./work.ts";

/** Sizes whose work is counted; each list grows while the other measure stays. */
export interface WorkPlan {
	symbols: number[];
	symbolsBars: number;
	bars: number[];
	barsSymbols: number;
	/** Markets, each made anew by chance, in which growth with bars is counted. */
	barsMarkets: number;
}

/** Enough for what any strategy computes once. */
const ONCE_SYMBOLS = 12;

/** Work of the first and of a repeated evaluation, by size. */
export interface SizedWork {
	cold: Work[];
	warm: Work[];
}

export interface PlannedWork {
	symbols: SizedWork;
	/** By market. */
	bars: SizedWork[];
}

/** A counter for this process, which must have been started with WORK_FLAGS and is of no other use afterwards. */
export function openStrategyWork(): (strategy: Strategy, plan: WorkPlan) => PlannedWork {
	const count = openWorkCounter();
	return (strategy, plan) => {
		let telling = -20;
		const crossed = (symbols: number, bars: number, market = 0) =>
			arrived(structuredClone(crossing(sizedRequest(strategy, { symbols, bars }, telling++, market))));
		const workOf = (sizes: readonly [symbols: number, bars: number][], market = 0): SizedWork => {
			const work: SizedWork = { cold: [], warm: [] };
			for (const [symbols, bars] of sizes) {
				const request = crossed(symbols, bars, market);
				work.cold.push(count(() => evaluate(request)));
				work.warm.push(count(() => evaluate(request)));
			}
			return work;
		};
		// What is computed once a process belongs to no size.
		evaluate(crossed(ONCE_SYMBOLS, plan.symbolsBars));
		return {
			symbols: workOf(plan.symbols.map((symbols) => [symbols, plan.symbolsBars])),
			bars: Array.from({ length: plan.barsMarkets }, (_, market) =>
				workOf(
					plan.bars.map((bars) => [plan.barsSymbols, bars]),
					market,
				),
			),
		};
	};
}

/** A strategy by id, and the sizes to count. */
export interface CountOrder {
	id: string;
	plan: WorkPlan;
}

/** Counts work in a process of its own, in the order asked for; rejects when it fails or takes longer than limitMs. */
export async function countedWork(orders: readonly CountOrder[], limitMs: number): Promise<PlannedWork[]> {
	const entry = fileURLToPath(new URL("./count-work.ts", import.meta.url));
	const flags = [...WORK_FLAGS, "--import", import.meta.resolve("tsx")];
	const child = spawn(process.execPath, [...flags, entry, JSON.stringify(orders)], {
		stdio: ["ignore", "pipe", "inherit"],
		timeout: limitMs,
	});
	let text = "";
	child.stdout.setEncoding("utf8").on("data", (part: string) => {
		text += part;
	});
	const code = await new Promise<number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", resolve);
	});
	if (code !== 0)
		throw new Error(`counting the work of ${orders.map(({ id }) => id).join(", ")} ended with ${code ?? "a signal"}`);
	return JSON.parse(text) as PlannedWork[];
}
