/**
 * What strategies cost: `npm run bench:strategies [-- id ...]`.
 *
 * Cold and warm CPU milliseconds of every registered strategy (or those named) over the recorded universe
 * where it lies beside the project, else a simulated one; the memory its evidence keeps; how all three grow
 * with symbols and bars; and how long the reads of a simulated exchange keep the main thread. README.md in
 * this folder explains the columns.
 */
import { availableParallelism, cpus } from "node:os";
import { resolve } from "node:path";
import { STANDARD_STRATEGIES } from "../src/catalogue.ts";
import { builtStrategyIds, findBuiltStrategy } from "../src/strategies/registry.ts";
import { requestOn } from "../test/support/evaluate-on.ts";
import { benchPortfolio, openScene, REFERENCE_AS_OF_MS, recordedFolder } from "./scene.ts";
import { BARS, type Growth, type Growths, type StrategyTiming, SYMBOLS, timeStrategy } from "./timing/measure.ts";
import { type ReadTiming, SCAN_SYMBOLS, timeReads } from "./timing/reads.ts";

/** Figures below it (ms, MB) are noise of the clock and of the collector. */
const LEAST_TOLD = 0.5;

const DAY_MS = 86_400_000;

const wanted = process.argv.slice(2);
const folder = recordedFolder(resolve(import.meta.dirname, ".."));
const word = folder ? `recorded:${folder}` : "simulated:42";

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
function universeTable(timings: readonly StrategyTiming[]): string {
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

/** One figure over symbols and over bars, with the fitted powers. */
function growthTable(timings: readonly StrategyTiming[], name: keyof Growths): string {
	const cells = ({ values, exponent }: Growth): Line => [
		...values.map((value) => value.toFixed(value < 10 ? 1 : 0)),
		// A power of what cannot be told from nothing says nothing.
		Math.max(...values) < LEAST_TOLD ? "-" : exponent.toFixed(2),
	];
	const sizes = [...SYMBOLS.map((n) => `${n} sym`), "power", ...BARS.map((n) => `${n} bars`), "power"];
	const rows = timings.map((timing) => [timing.id, ...cells(timing.symbols[name]), ...cells(timing.bars[name])]);
	return columns([["strategy", ...sizes], ...rows]);
}

/** What the thread that serves requests is kept from while data are read. */
function readsTable(reads: readonly ReadTiming[]): string {
	return columns([
		["strategy", "CPU", "longest block", "its CPU", "cache MB"],
		...reads.map(({ id, cacheMb, ...timing }) => [
			id,
			...[timing.cpuMs, timing.blockedMs, timing.turnCpuMs].map((ms) => ms.toFixed(0)),
			cacheMb.toFixed(1),
		]),
	]);
}

const unknown = wanted.filter((id) => !findBuiltStrategy(id));
if (unknown.length > 0) {
	process.stderr.write(`not built: ${unknown.join(", ")}\n`);
	process.exitCode = 2;
} else {
	const scene = await openScene(word, REFERENCE_AS_OF_MS);
	const dayBefore = await openScene(word, REFERENCE_AS_OF_MS - DAY_MS);
	try {
		const portfolio = await benchPortfolio(scene);
		const timings: StrategyTiming[] = [];
		const reads: ReadTiming[] = [];
		const wholeReads: ReadTiming[] = [];
		for (const id of wanted.length > 0 ? wanted : builtStrategyIds()) {
			const strategy = findBuiltStrategy(id);
			if (!strategy) continue;
			try {
				const timing = await timeStrategy(
					strategy,
					await requestOn(id, scene, portfolio),
					await requestOn(id, dayBefore, portfolio),
				);
				timings.push(timing);
				reads.push(await timeReads(id, "simulated:42", SCAN_SYMBOLS));
				if (folder) wholeReads.push(await timeReads(id, word, null));
				process.stderr.write(`${id}: cold ${timing.coldMs.toFixed(0)} ms, warm ${timing.warmMs.toFixed(1)} ms\n`);
			} catch (error) {
				// The run takes minutes: what the others cost is not lost because one could not be timed.
				process.stderr.write(`${id}: not timed: ${String(error)}\n`);
				process.exitCode = 1;
			}
		}
		const machine = `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}`;
		const parts = [
			`${scene.market.source.name}, ${scene.universe.assets.length} assets; ${machine}; CPU milliseconds`,
			universeTable(timings),
			"cold CPU on synthetic markets, ms",
			growthTable(timings, "cold"),
			"warm CPU on synthetic markets, ms",
			growthTable(timings, "warm"),
			"memory kept on synthetic markets, MB",
			growthTable(timings, "kept"),
			"reads of a fresh simulated exchange, ms in the main thread",
			readsTable(reads),
			...(folder ? ["reads of the whole recorded universe, ms in the main thread", readsTable(wholeReads)] : []),
		];
		process.stdout.write(`${parts.join("\n\n")}\n`);
	} finally {
		await Promise.all([scene.market.close(), dayBefore.market.close()]);
	}
}
