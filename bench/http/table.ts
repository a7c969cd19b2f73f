import { medianOf } from "../timing/powers.ts";
import type { LoadResult } from "./load.ts";

/** One row of a table: what was loaded, with the length of its answer. */
export interface TableRow {
	name: string;
	bytes: number;
}

/** Results of the rounds by `name connections`. */
export type Rounds = Map<string, LoadResult[]>;

export const roundKey = (name: string, connections: number): string => `${name} ${connections}`;

/**
 * Medians of the rounds as a Markdown table. `against`: rows whose requests per second (and, in brackets, CPU per
 * request turned round) the others are divided by, at the largest number of connections.
 */
export function loadTable(
	rows: readonly TableRow[],
	rounds: Rounds,
	connections: readonly number[],
	against: readonly string[],
): string[] {
	const figure = (name: string, at: number, of: (result: LoadResult) => number | null): number =>
		medianOf((rounds.get(roundKey(name, at)) ?? []).map((result) => of(result) ?? Number.NaN));
	const rate = (name: string, at: number) => figure(name, at, (result) => result.requestsPerSecond);
	const cpu = (name: string, at: number) => figure(name, at, (result) => result.cpuUs);
	const most = Math.max(...connections);
	const bases = against.filter((name) => rows.some((row) => row.name === name));
	const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
	const head = [
		"",
		"bytes",
		...connections.flatMap((at) => [`req/s at ${at}`, "p50 ms", "p99 ms", "CPU µs"]),
		...bases.map((name) => `to ${name}`),
	];
	return [
		line(head),
		line(head.map(() => "---")),
		...rows.map(({ name, bytes }) =>
			line([
				name,
				String(bytes),
				...connections.flatMap((at) => [
					rate(name, at).toFixed(0),
					figure(name, at, (result) => result.p50Ms).toFixed(2),
					figure(name, at, (result) => result.p99Ms).toFixed(2),
					cpu(name, at).toFixed(0),
				]),
				...bases.map(
					(base) =>
						`${(rate(name, most) / rate(base, most)).toFixed(2)} (${(cpu(base, most) / cpu(name, most)).toFixed(2)})`,
				),
			]),
		),
	];
}
