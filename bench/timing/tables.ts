/** Figures of strategies as text. */
import { STANDARD_STRATEGIES } from "../../src/catalogue.ts";
import { BARS, type Growths, type StrategyTiming, SYMBOLS } from "./measure.ts";
import type { Growth } from "./powers.ts";
import type { ReadTiming } from "./reads.ts";
import { BOUNDED, growsLinearly, LEAST_TOLD, WORK_BARS, type WorkGrowth, type WorkGrowths } from "./verdict.ts";

export interface StrategyFigures extends StrategyTiming {
	work: { symbols: WorkGrowths; bars: WorkGrowths };
}

type Line = string[];

/** Columns of equal width; the first leans left. */
function columns(lines: readonly Line[]): string {
	const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length))) ?? [];
	return lines
		.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
		.map((line) => line.join("  ").trimEnd())
		.join("\n");
}

const sumOf = (timings: readonly StrategyTiming[], of: (timing: StrategyTiming) => number): number =>
	timings.reduce((sum, timing) => sum + of(timing), 0);

/** One line a strategy on the whole universe, and their sums: with and without those outside the default set. */
export function universeTable(timings: readonly StrategyTiming[]): string {
	const figures = (name: string, of: readonly StrategyTiming[]): Line => [
		name,
		String(sumOf(of, (timing) => timing.evaluated)),
		String(sumOf(of, (timing) => timing.published)),
		sumOf(of, (timing) => timing.coldMs).toFixed(0),
		sumOf(of, (timing) => timing.warmMs).toFixed(1),
		sumOf(of, (timing) => timing.nextBarMs).toFixed(0),
		sumOf(of, (timing) => timing.keptMb).toFixed(1),
	];
	const standard = timings.filter(({ id }) => STANDARD_STRATEGIES.some((entry) => entry.id === id));
	return columns([
		["strategy", "evaluated", "published", "cold", "warm", "next bar", "kept MB"],
		...timings.map((timing) => figures(timing.id, [timing])),
		figures(`sum of all ${timings.length}`, timings),
		...(standard.length < timings.length ? [figures(`sum of the default ${standard.length}`, standard)] : []),
	]);
}

const plain = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

/** Power, the half of its 95 % interval where it varies, and the power of what is added from size to size. */
function powerCell({ power, spread, added }: Growth): string {
	const interval = spread > 0 ? `±${spread.toFixed(2)}` : "";
	return `${power.toFixed(2)}${interval} (${Number.isNaN(added) ? "-" : added.toFixed(2)})`;
}

const sizeHeads = (bars: readonly number[]): Line => [
	"strategy",
	...SYMBOLS.map((n) => `${n} sym`),
	"power",
	...bars.map((n) => `${n} bars`),
	"power",
];

/** One measured figure over symbols and over bars, with the fitted powers. */
export function growthTable(figures: readonly StrategyFigures[], name: keyof Growths): string {
	// A power of what cannot be told from nothing says nothing.
	const cells = (growth: Growth): Line => [
		...growth.values.map(plain),
		Math.max(...growth.values) < LEAST_TOLD ? "-" : powerCell(growth),
	];
	return columns([
		sizeHeads(BARS),
		...figures.map(({ id, symbols, bars }) => [id, ...cells(symbols[name]), ...cells(bars[name])]),
	]);
}

/** Counted work over symbols and over bars. */
export function workTable(
	figures: readonly StrategyFigures[],
	name: keyof WorkGrowths,
	of: keyof WorkGrowth,
	unit: number,
): string {
	const cells = (growth: Growth): Line => [...growth.values.map((value) => plain(value / unit)), powerCell(growth)];
	return columns([
		sizeHeads(WORK_BARS),
		...figures.map(({ id, work }) => [id, ...cells(work.symbols[name][of]), ...cells(work.bars[name][of])]),
	]);
}

/** Whether CPU time and counted work, cold and warm, grow no faster than linearly. */
export function verdictTable(figures: readonly StrategyFigures[]): string {
	const verdict = (linear: boolean, bound?: string): string => (linear ? "yes" : `NO${bound ? `: ${bound}` : ""}`);
	return columns([
		["strategy", "with symbols", "with bars"],
		...figures.map(({ id, symbols, bars, work }) => [
			id,
			verdict(growsLinearly(symbols, work.symbols), BOUNDED[id]),
			verdict(growsLinearly(bars, work.bars)),
		]),
	]);
}

/** What the thread that serves requests is kept from while data are read. */
export function readsTable(reads: readonly ReadTiming[]): string {
	return columns([
		["strategy", "CPU", "longest block", "longest turn", "collection", "cache MB"],
		...reads.map(({ id, cacheMb, ...timing }) => [
			id,
			...[timing.cpuMs, timing.blockedMs, timing.turnCpuMs, timing.collectionMs].map((ms) => ms.toFixed(0)),
			cacheMb.toFixed(1),
		]),
	]);
}
