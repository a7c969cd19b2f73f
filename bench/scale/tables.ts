import { markdownTable } from "../docs/blocks.ts";
import { compareCell } from "./check.ts";
import { INPUTS, MEASURED, SPREAD_SLOTS, type Values } from "./inputs.ts";
import type { Measured } from "./measured.ts";
import { type Fleet, fleetFor, limitsFor, memoryFor, planFor, slotLimit, usPerCommand } from "./model.ts";
import { errorOf, type Point } from "./points.ts";

/** The worked tables of docs/scale.md, each under the name of its part of the document. */

export const RATES = [1, 100, 10_000] as const;
/** Days; with finished scans moved elsewhere after an hour, memory is no longer what decides. */
export const RETENTIONS = [
	{ days: 7, name: "7 days" },
	{ days: 1, name: "1 day" },
	{ days: 1 / 24, name: "1 hour" },
];
const HOUR = RETENTIONS[2]?.days ?? 1 / 24;
/** Scans that the simulation plays for one row. */
export const SIMULATED_JOBS = 3_000;
const SEED = 7;

/** Three significant digits, with thousands apart. */
export function figure(value: number): string {
	if (!Number.isFinite(value)) return "-";
	if (value === 0) return "0";
	const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
	return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 4) });
}

const percent = (share: number): string => `${figure(100 * share)} %`;
const usd = (value: number): string => `${figure(value)} $`;

const inputsTable = (values: Values): string =>
	markdownTable(
		["input", "value", "unit", "from", "source"],
		Object.entries(INPUTS).map(([name, { unit, kind, source }]) => [
			`\`${name}\``,
			figure(values[name as keyof Values]),
			unit,
			kind,
			source,
		]),
	);

/** One column a rate. */
function byRate(fleets: readonly Fleet[], rows: readonly [string, (fleet: Fleet) => string][]): string {
	return markdownTable(
		["", ...fleets.map(({ per_s }) => `${figure(per_s)} scans/s`)],
		rows.map(([name, cell]) => [name, ...fleets.map(cell)]),
	);
}

const fleetTable = (values: Values): string =>
	byRate(
		RATES.map((per_s) => fleetFor(per_s, values)),
		[
			["installations, one Redis each", ({ cells }) => figure(cells)],
			["scans/s of one", ({ cell }) => figure(cell.per_s)],
			["running scans, all", ({ cells, cell }) => figure(cells * cell.running)],
			["workers + API processes of one", ({ cell }) => `${cell.workers} + ${cell.apis}`],
			["processes, all", ({ processes }) => figure(processes)],
			["busy cores: event loops of workers", ({ cells, cell }) => figure(cells * cell.busy.workers)],
			["busy cores: evaluation", ({ cells, cell }) => figure(cells * cell.busy.threads)],
			["busy cores: API", ({ cells, cell }) => figure(cells * cell.busy.apis)],
			["cores to have, Redis and replicas included", ({ cores }) => figure(cores)],
			["Redis commands/s of one", ({ cell }) => figure(cell.redis.commands_per_s)],
			["load of its thread", ({ cell }) => percent(cell.redis.busy)],
			[
				"of that its watchdogs, telling of commits",
				({ cell: { redis } }) => `${percent(redis.watching)}, ${percent(redis.telling)}`,
			],
			[
				"memory of one: finished scans + past ids, GB",
				({ cell: { memory_gb } }) => `${figure(memory_gb.kept)} + ${figure(memory_gb.tombstones)}`,
			],
			["memory of all copies, GB", ({ memory_gb }) => figure(memory_gb)],
			[
				"status reads/s, open event streams, all",
				({ cells, cell }) => `${figure(cells * cell.reads_per_s)}, ${figure(cells * cell.streams)}`,
			],
			["between processes and Redis, MB/s", ({ network_mb_per_s }) => figure(network_mb_per_s)],
			["weight at the exchange, of one address's", ({ exchange_addresses }) => percent(exchange_addresses)],
			["a month: cores", ({ cost_usd }) => usd(cost_usd.cores)],
			["a month: memory", ({ cost_usd }) => usd(cost_usd.memory)],
			["a month: to clients", ({ cost_usd }) => usd(cost_usd.egress)],
			["a month, all", ({ cost_usd }) => usd(cost_usd.total)],
		],
	);

function retentionTable(values: Values): string {
	const rows = RETENTIONS.flatMap(({ days, name }) => {
		const held = { ...values, retention_days: days };
		const limits = limitsFor(held);
		const cells = RATES.map((per_s) => {
			const { kept, tombstones } = memoryFor(per_s, held);
			return `${figure(kept + tombstones)} GB, ${figure(fleetFor(per_s, held).cells)}`;
		});
		return [[name, figure(limits.processor), figure(limits.memory), ...cells]];
	});
	const stored = RATES.map((per_s) => {
		const gb = memoryFor(per_s, values).kept / values.memory_overhead;
		return `${figure(gb)} GB, ${usd(gb * values.object_gb_month_usd)}`;
	});
	return markdownTable(
		[
			"RETENTION_MS",
			"scans/s of one Redis by its processor",
			"by its memory",
			...RATES.map((per_s) => `${figure(per_s)} scans/s: memory, installations`),
		],
		[...rows, ["7 days in object storage", "", "", ...stored]],
	);
}

/** What was measured on a busy machine, on a quiet one. */
const QUICKER = 4;

function quickerText(values: Values): string {
	const { processor } = limitsFor({
		...values,
		scan_redis_ms: values.scan_redis_ms / QUICKER,
		status_redis_ms: values.status_redis_ms / QUICKER,
	});
	return `With a quarter of the time a command one Redis carries ${figure(processor)} scans/s by its processor; memory stays what it is.`;
}

function slotTable(values: Values, counted: Measured["slots"]): string {
	const all = Object.values(counted).reduce((sum, count) => sum + count, 0);
	const rows = Object.entries(counted).map(([slot, commands]) => {
		const spread = SPREAD_SLOTS.includes(slot);
		const limit = slotLimit(commands, values);
		return [
			slot,
			figure(commands),
			percent(commands / all),
			spread ? "spread over all" : figure(limit),
			...RATES.slice(1).map((per_s) => (spread ? "-" : figure(Math.ceil(per_s / limit)))),
		];
	});
	return markdownTable(
		[
			"slot",
			"commands a scan",
			"of all",
			`scans/s at ${percent(values.redis_load_max)} of a node`,
			...RATES.slice(1).map((per_s) => `parts for ${figure(per_s)} scans/s`),
		],
		rows,
	);
}

/** What the processes that share one Redis make it do beside scans: their watchdogs, and messages to those who watch. */
function sharedTable(values: Values): string {
	const rows = [1, 10, 50, 100, 1_000, 10_000].map((per_s) => {
		const plan = planFor(per_s, values);
		return [
			figure(per_s),
			figure(plan.workers + plan.apis),
			percent(plan.redis.busy),
			percent(plan.redis.watching),
			percent(plan.redis.telling),
		];
	});
	return markdownTable(["scans/s", "processes", "Redis threads busy", "watchdogs", "telling of commits"], rows);
}

const pair = ([model, simulated]: [number, number], show: (value: number) => string): string =>
	`${show(model)} / ${show(simulated)}`;

function simulationTable(values: Values): string {
	const held = { ...values, retention_days: HOUR };
	const rows = RATES.map((per_s) => {
		const { cell, cells } = fleetFor(per_s, held);
		const found = compareCell(cell.per_s, held, SIMULATED_JOBS, SEED);
		return [
			`${figure(per_s)} in ${figure(cells)}`,
			figure(found.per_s),
			figure(found.workers),
			pair(found.loop, percent),
			pair(found.redis, percent),
			pair(found.response_ms, figure),
			`${figure(100 * (found.response_ms[0] / found.response_ms[1] - 1))} %`,
		];
	});
	return markdownTable(
		[
			"scans/s in installations",
			"of one",
			"workers",
			"event loops: model / simulated",
			"Redis: model / simulated",
			"ms of a scan: model / simulated",
			"error",
		],
		rows,
	);
}

const pointsTable = (points: readonly Point[]): string =>
	markdownTable(
		["", "measured", "simulated", "error"],
		points.map((point) => [
			point.what,
			figure(point.measured),
			figure(point.predicted),
			`${figure(100 * errorOf(point))} %`,
		]),
	);

function whereText({ machine, core_share, points }: Measured): string {
	const shares = points.flatMap((point) => point.core_share ?? []);
	const trivial =
		shares.length === 0
			? ""
			: `, in the trivial scans below for ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`;
	return `Measured on ${machine}; a ready thread had a core for ${percent(core_share)} of the time${trivial}.`;
}

/** Every generated part of docs/scale.md. */
export const scaleBlocks = (values: Values, measured: Measured = MEASURED): Record<string, string> => ({
	where: whereText(measured),
	points: pointsTable(measured.points),
	inputs: inputsTable(values),
	needs: fleetTable(values),
	"needs-hour": fleetTable({ ...values, retention_days: HOUR }),
	retention: `${retentionTable(values)}\n\n${quickerText(values)}`,
	slots: `${slotTable(values, measured.slots)}\n\nA command takes ${figure(usPerCommand(values))} µs of Redis's thread, scripts included.`,
	shared: sharedTable({ ...values, retention_days: HOUR }),
	simulation: simulationTable(values),
});
