import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { ROUNDS_EVERY_MS } from "../../src/store/rounds.ts";
import { countsOf, difference } from "../orchestration/counts.ts";
import { quantile } from "../orchestration/table.ts";
import { collectGarbage } from "../timing/garbage.ts";
import { medianOf } from "../timing/powers.ts";

/** What one operation costs. */
export interface Cost {
	/** Median wall time, ms. */
	wall_ms: number;
	/** Processor time of the process that does it, µs; other work on the machine does not count. */
	cpu_us: number;
	/** Processor time of the Redis server, µs. */
	server_us: number;
	/** Commands that the server executed, those inside scripts too. */
	commands: number;
	/** To and from the server. */
	bytes: number;
}

const WARM_UP_RUNS = 2;

/** Whose processor time counts, and how a run's follows from those of all. */
export interface Processor {
	us(): number;
	of(runs: readonly number[]): number;
}

/** This process; garbage that it makes counts. */
const OWN: Processor = {
	us() {
		const { user, system } = process.cpuUsage();
		return user + system;
	},
	of: (runs) => runs.reduce((sum, us) => sum + us, 0) / runs.length,
};

const LOW = 0.1;
/** Another process, which does other things now and then: what the quick runs took. */
export const lowestOf = (us: () => number): Processor => ({ us, of: (runs) => quantile(runs, LOW) });

/** What is done for many scans together is sent when it has rested, and counts for the operation that left it. */
const restsOver = () => pause(2 * ROUNDS_EVERY_MS);

/**
 * Runs `operation` once for each item, one after another, and tells what one run cost. The first items warm up only.
 *
 * @param items what each run works on; more than the warm-up needs
 */
export async function costOf<T>(
	client: Redis,
	items: readonly T[],
	operation: (item: T) => Promise<unknown>,
	processor: Processor = OWN,
): Promise<Cost> {
	const measured = items.slice(WARM_UP_RUNS);
	if (measured.length === 0) throw new RangeError(`more than ${WARM_UP_RUNS} runs are needed`);
	for (const item of items.slice(0, WARM_UP_RUNS)) await operation(item);
	collectGarbage();
	await restsOver();
	const ownBefore = await countsOf(client);
	const before = await countsOf(client);
	const own = difference(ownBefore, before);
	const walls: number[] = [];
	const cpus: number[] = [];
	for (const item of measured) {
		const cpu = processor.us();
		const began = performance.now();
		await operation(item);
		walls.push(performance.now() - began);
		cpus.push(processor.us() - cpu);
	}
	await restsOver();
	const used = difference(before, await countsOf(client));
	const each = (total: number) => Math.max(0, total) / measured.length;
	return {
		wall_ms: medianOf(walls),
		cpu_us: processor.of(cpus),
		server_us: each(used.cpu_us - own.cpu_us),
		commands: each(used.calls - own.calls),
		bytes: each(used.bytes_in + used.bytes_out - own.bytes_in - own.bytes_out),
	};
}

/** Runs that the meter makes of so many that count. */
export const runsFor = (measured: number): number => measured + WARM_UP_RUNS;

/** The cost of one of `count` like things that a run has done. */
export const sharedBy = (cost: Cost, count: number): Cost =>
	Object.fromEntries(Object.entries(cost).map(([name, value]) => [name, value / count])) as unknown as Cost;
