import type { Redis } from "ioredis";
import { countsOf, difference } from "../orchestration/counts.ts";
import { collectGarbage } from "../timing/garbage.ts";
import { medianOf } from "../timing/powers.ts";

/** What one operation costs. */
export interface Cost {
	/** Median wall time, ms. */
	wall_ms: number;
	/** Processor time of this process, µs; other work on the machine does not count, garbage that it makes does. */
	cpu_us: number;
	/** Processor time of the Redis server, µs. */
	server_us: number;
	/** Commands that the server executed, those inside scripts too. */
	commands: number;
	/** To and from the server. */
	bytes: number;
}

const WARM_UP_RUNS = 2;

/**
 * Runs `operation` once for each item, one after another, and tells what one run cost. The first items warm up only.
 *
 * @param items what each run works on; more than the warm-up needs
 */
export async function costOf<T>(
	client: Redis,
	items: readonly T[],
	operation: (item: T) => Promise<unknown>,
): Promise<Cost> {
	const measured = items.slice(WARM_UP_RUNS);
	if (measured.length === 0) throw new RangeError(`more than ${WARM_UP_RUNS} runs are needed`);
	for (const item of items.slice(0, WARM_UP_RUNS)) await operation(item);
	collectGarbage();
	const ownBefore = await countsOf(client);
	const before = await countsOf(client);
	const own = difference(ownBefore, before);
	const cpu = process.cpuUsage();
	const walls: number[] = [];
	for (const item of measured) {
		const began = performance.now();
		await operation(item);
		walls.push(performance.now() - began);
	}
	const { user, system } = process.cpuUsage(cpu);
	const used = difference(before, await countsOf(client));
	const each = (total: number) => Math.max(0, total) / measured.length;
	return {
		wall_ms: medianOf(walls),
		cpu_us: each(user + system),
		server_us: each(used.cpu_us - own.cpu_us),
		commands: each(used.calls - own.calls),
		bytes: each(used.bytes_in + used.bytes_out - own.bytes_in - own.bytes_out),
	};
}

/** Runs that the meter makes of so many that count. */
export const runsFor = (measured: number): number => measured + WARM_UP_RUNS;
