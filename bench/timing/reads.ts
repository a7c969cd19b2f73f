import { monitorEventLoopDelay } from "node:perf_hooks";
import { requestOn } from "../../test/support/evaluate-on.ts";
import { benchPortfolio, openScene, REFERENCE_AS_OF_MS } from "../scene.ts";

/** What reading one strategy's data costs the thread that serves requests. */
export interface ReadTiming {
	id: string;
	cpuMs: number;
	/** Longest time in which no timer could run, by the loop's own monitor: wall time, so other work counts. */
	blockedMs: number;
	/** Most CPU of the process between two turns of a timer: what of that time was ours. */
	turnCpuMs: number;
	/** What the market's cache holds afterwards, MB. */
	cacheMb: number;
}

const MONITOR_MS = 2;

const cpuMsSince = (since: NodeJS.CpuUsage): number => {
	const { user, system } = process.cpuUsage(since);
	return (user + system) / 1_000;
};

/** Symbols that a scan lets such a strategy look at, about. */
const SYMBOLS_MAX = 10;

/** One strategy's reads of a fresh simulated exchange, which makes its history as it is asked for. */
export async function timeReads(id: string): Promise<ReadTiming> {
	const scene = await openScene("simulated:42", REFERENCE_AS_OF_MS);
	try {
		const portfolio = await benchPortfolio(scene);
		const monitor = monitorEventLoopDelay({ resolution: MONITOR_MS });
		const start = process.cpuUsage();
		let [turn, turnCpuMs] = [start, 0];
		const watch = setInterval(() => {
			turnCpuMs = Math.max(turnCpuMs, cpuMsSince(turn));
			turn = process.cpuUsage();
		}, 1);
		monitor.enable();
		await requestOn(id, scene, portfolio, SYMBOLS_MAX).finally(() => {
			monitor.disable();
			clearInterval(watch);
		});
		const blockedMs = Number.isFinite(monitor.max) ? Math.max(0, monitor.max / 1e6 - MONITOR_MS) : 0;
		const cacheMb = scene.market.stats().bytes / 2 ** 20;
		return { id, cpuMs: cpuMsSince(start), blockedMs, turnCpuMs, cacheMb };
	} finally {
		await scene.market.close();
	}
}
