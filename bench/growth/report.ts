import { markdownTable } from "../docs/blocks.ts";
import { exponentOf } from "../timing/powers.ts";
import type { Growing } from "./dimension.ts";
import type { Cost } from "./meter.ts";

/** The costs of one operation at each size of one dimension. */
export interface Grown {
	dimension: string;
	operation: string;
	allowed: Growing;
	sizes: readonly number[];
	costs: readonly Cost[];
}

const AT_REDIS: readonly string[] = ["server_us", "commands", "bytes"];
const powerFor = (growing: Growing, metric: keyof Cost): number =>
	growing === "linear" || (growing === "linear, Redis constant" && !AT_REDIS.includes(metric)) ? 1 : 0;
/** Counts depend on no clock; a logarithm, or a part that is fixed, stays within this of the power. */
const COUNT_TOLERANCE = 0.1;
/** Times meet garbage collection and other work. */
const TIME_TOLERANCE = 0.35;
/** A time that is smaller tells more of its noise than of its growth. */
const TIME_LEAST_MS = 1.5;

const METRICS = ["wall_ms", "cpu_us", "server_us", "commands", "bytes"] as const satisfies readonly (keyof Cost)[];
const COUNTS: readonly string[] = ["commands", "bytes"];

/** The power with which each figure grows. */
export const powersOf = ({ sizes, costs }: Grown): Cost =>
	Object.fromEntries(
		METRICS.map((metric) => [
			metric,
			exponentOf(
				sizes,
				costs.map((cost) => cost[metric]),
			),
		]),
	) as unknown as Cost;

/**
 * Figures that grow faster than the operation may. Counts decide by themselves. Times only where the median of the wall
 * time and processor time agree: other work stretches the one, garbage and the server's own chores weigh on the other.
 */
export function excessOf(grown: Grown): string[] {
	const powers = powersOf(grown);
	const isOver = (metric: keyof Cost) =>
		powers[metric] > powerFor(grown.allowed, metric) + (COUNTS.includes(metric) ? COUNT_TOLERANCE : TIME_TOLERANCE);
	const isSlow =
		(grown.costs.at(-1)?.wall_ms ?? 0) >= TIME_LEAST_MS &&
		isOver("wall_ms") &&
		(isOver("cpu_us") || isOver("server_us"));
	return METRICS.filter((metric) => (COUNTS.includes(metric) || isSlow) && isOver(metric)).map((metric) =>
		metric.replace(/_.*/, ""),
	);
}

const HEAD = ["grows", "operation", "may", "ms", "CPU µs", "Redis µs", "commands", "KB", "verdict"];
const DIGITS: Record<keyof Cost, number> = { wall_ms: 2, cpu_us: 0, server_us: 0, commands: 0, bytes: 1 };
const UNITS: Partial<Record<keyof Cost, number>> = { bytes: 1 / 1_024 };

/** First and last figure with the power between them; one line an operation. */
export function growthTable(all: readonly Grown[]): string {
	const rows = all.map((grown) => {
		const powers = powersOf(grown);
		const cell = (metric: keyof Cost): string => {
			const [first, last] = [grown.costs[0], grown.costs.at(-1)].map((cost) =>
				((cost?.[metric] ?? 0) * (UNITS[metric] ?? 1)).toFixed(DIGITS[metric]),
			);
			return `${first} → ${last} (${powers[metric].toFixed(2)})`;
		};
		const excess = excessOf(grown);
		const sizes = `${grown.sizes[0]} → ${grown.sizes.at(-1)} ${grown.dimension}`;
		const verdict = excess.length === 0 ? "ok" : `FASTER: ${excess.join(", ")}`;
		return [sizes, grown.operation, grown.allowed, ...METRICS.map(cell), verdict];
	});
	return markdownTable(HEAD, rows);
}
