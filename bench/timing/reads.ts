import { readFileSync } from "node:fs";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { requestOn } from "../../test/support/evaluate-on.ts";
import { benchPortfolio, openScene, REFERENCE_AS_OF_MS } from "../scene.ts";

/** What reading one strategy's data costs the thread that serves requests. */
export interface ReadTiming {
	id: string;
	cpuMs: number;
	/** Longest time in which no timer could run, by the loop's own monitor: wall time, so other work counts. */
	blockedMs: number;
	/** Most CPU of the main thread between two turns of a timer: what of that time was ours. */
	turnCpuMs: number;
	/** Longest pause of the garbage collector, wall time: where a turn is hardly longer, no code of ours is in it. */
	collectionMs: number;
	/** What the market's cache holds afterwards, MB. */
	cacheMb: number;
}

const MONITOR_MS = 2;

/** CPU of the main thread alone where the system tells (Linux), else of the whole process, ms. */
function threadCpuMs(): number {
	try {
		return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[0]) / 1e6;
	} catch {
		const { user, system } = process.cpuUsage();
		return (user + system) / 1_000;
	}
}

/** Symbols that a scan lets a strategy look at, about. */
export const SCAN_SYMBOLS = 10;

/**
 * One strategy's reads of a market that nobody has asked before; a simulated one makes its history as it is asked
 * for. `symbolsMax` null: the whole universe.
 */
export async function timeReads(id: string, market: string, symbolsMax: number | null): Promise<ReadTiming> {
	const scene = await openScene(market, REFERENCE_AS_OF_MS);
	try {
		const portfolio = await benchPortfolio(scene);
		const monitor = monitorEventLoopDelay({ resolution: MONITOR_MS });
		let collectionMs = 0;
		const collections = new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) collectionMs = Math.max(collectionMs, duration);
		});
		collections.observe({ entryTypes: ["gc"] });
		const start = threadCpuMs();
		let [turn, turnCpuMs] = [start, 0];
		const watch = setInterval(() => {
			const now = threadCpuMs();
			turnCpuMs = Math.max(turnCpuMs, now - turn);
			turn = now;
		}, 1);
		monitor.enable();
		await requestOn(id, scene, portfolio, symbolsMax).finally(() => {
			monitor.disable();
			clearInterval(watch);
		});
		const cpuMs = threadCpuMs() - start;
		// Pauses are told in a turn of their own.
		await new Promise(setImmediate);
		collections.disconnect();
		const blockedMs = Number.isFinite(monitor.max) ? Math.max(0, monitor.max / 1e6 - MONITOR_MS) : 0;
		const cacheMb = scene.market.stats().bytes / 2 ** 20;
		return { id, cpuMs, blockedMs, turnCpuMs, collectionMs, cacheMb };
	} finally {
		await scene.market.close();
	}
}
