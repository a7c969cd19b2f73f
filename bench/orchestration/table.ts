import type { Run } from "./sides.ts";

/** Figures of one system under one durability: each the median of its runs. */
export interface Figures {
	name: string;
	/** By concurrency. */
	scans_per_s: Map<number, number>;
	p50_ms: Map<number, number>;
	p99_ms: Map<number, number>;
	node_cpu_ms: number;
	server_cpu_ms: number | null;
	redis: { calls: number; scripts: number; bytes_in: number; kept_bytes: number } | null;
}

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
	return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

export function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** @param runs by concurrency. @param costsAt the concurrency whose costs per scan are shown. */
export function figuresOf(name: string, runs: ReadonlyMap<number, readonly Run[]>, costsAt: number): Figures {
	const each = (pick: (run: Run) => number) =>
		new Map([...runs].map(([concurrency, all]) => [concurrency, median(all.map(pick))]));
	const costly = runs.get(costsAt) ?? [];
	const perScan = (pick: (run: Run) => number) => median(costly.map((run) => pick(run) / run.scans));
	const counted = (pick: (redis: NonNullable<Run["redis"]>) => number) =>
		perScan((run) => (run.redis ? pick(run.redis) : Number.NaN));
	return {
		name,
		scans_per_s: each(({ scans, wall_ms }) => (scans * 1_000) / wall_ms),
		p50_ms: each(({ latencies }) => quantile(latencies, 0.5)),
		p99_ms: each(({ latencies }) => quantile(latencies, 0.99)),
		node_cpu_ms: perScan((run) => run.node_cpu_ms),
		server_cpu_ms: costly.every((run) => run.server_cpu_ms !== null) ? perScan((run) => run.server_cpu_ms ?? 0) : null,
		redis: costly.every((run) => run.redis !== null)
			? {
					calls: counted(({ calls }) => calls),
					scripts: counted(({ scripts }) => scripts),
					bytes_in: counted(({ bytes_in }) => bytes_in),
					kept_bytes: counted(({ kept_bytes }) => kept_bytes),
				}
			: null,
	};
}

const fixed = (value: number | null | undefined, digits: number): string =>
	value === null || value === undefined || Number.isNaN(value) ? "-" : value.toFixed(digits);

export function table(all: readonly Figures[], concurrencies: readonly number[], costsAt: number): string[] {
	const timedAt = [...new Set([concurrencies[0] ?? costsAt, costsAt])];
	const head = [
		"system",
		...timedAt.map((at) => `p50 / p99 ms at ${at}`),
		`scans/s at ${concurrencies.join(" / ")}`,
		`CPU ms a scan at ${costsAt}: Node + server`,
		"Redis calls (scripts) a scan",
		"KB in a scan",
		"KB kept a scan",
	];
	const rows = all.map((one) => [
		one.name,
		...timedAt.map((at) => `${fixed(one.p50_ms.get(at), 2)} / ${fixed(one.p99_ms.get(at), 2)}`),
		concurrencies.map((at) => fixed(one.scans_per_s.get(at), 0)).join(" / "),
		`${fixed(one.node_cpu_ms, 2)} + ${fixed(one.server_cpu_ms, 2)}`,
		one.redis ? `${fixed(one.redis.calls, 0)} (${fixed(one.redis.scripts, 1)})` : "-",
		one.redis ? fixed(one.redis.bytes_in / 1_024, 1) : "-",
		one.redis ? fixed(one.redis.kept_bytes / 1_024, 1) : "-",
	]);
	return markdown(head, rows);
}

/** Throughput of `ours` over that of each other system, by concurrency: above 1 we are faster. */
export function ratios(all: readonly Figures[], ours: readonly string[], concurrencies: readonly number[]): string[] {
	const held = ours.flatMap((name) => all.find((one) => one.name === name) ?? []);
	const head = ["beside", ...held.flatMap(({ name }) => concurrencies.map((at) => `${name} at ${at}`))];
	const rows = all
		.filter(({ name }) => !ours.includes(name))
		.map((peer) => [
			peer.name,
			...held.flatMap((own) =>
				concurrencies.map((at) => {
					const [mine, theirs] = [own.scans_per_s.get(at), peer.scans_per_s.get(at)];
					return mine === undefined || theirs === undefined ? "-" : `${fixed(mine / theirs, 2)}x`;
				}),
			),
		]);
	return markdown(head, rows);
}

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
	`| ${head.join(" | ")} |`,
	`|${head.map(() => "---").join("|")}|`,
	...rows.map((cells) => `| ${cells.join(" | ")} |`),
];
