/**
 * What strategies cost: `npm run bench:strategies [-- id ...]`.
 *
 * Cold and warm CPU milliseconds of every registered strategy (or those named) over the recorded universe
 * where it lies beside the project, else a simulated one; the memory its evidence keeps; how all three and the counted
 * work grow with symbols and bars, and whether that is no faster than linear; and how long the reads of a simulated
 * exchange keep the main thread. README.md in this folder explains the columns.
 */
import { availableParallelism, cpus } from "node:os";
import { resolve } from "node:path";
import { builtStrategyIds, findBuiltStrategy } from "../src/strategies/registry.ts";
import { requestOn } from "../test/support/evaluate-on.ts";
import { benchPortfolio, openScene, REFERENCE_AS_OF_MS, recordedFolder } from "./scene.ts";
import { timeStrategy } from "./timing/measure.ts";
import { type ReadTiming, SCAN_SYMBOLS, timeReads } from "./timing/reads.ts";
import {
	growthTable,
	readsTable,
	type StrategyFigures,
	universeTable,
	verdictTable,
	workTable,
} from "./timing/tables.ts";
import { workGrowths, workPlanOf } from "./timing/verdict.ts";
import { countedWork } from "./timing/work-growth.ts";

const DAY_MS = 86_400_000;
/** Counting one strategy's work takes seconds to a minute. */
const COUNT_LIMIT_MS = 600_000;

const wanted = process.argv.slice(2);
const folder = recordedFolder(resolve(import.meta.dirname, ".."));
const word = folder ? `recorded:${folder}` : "simulated:42";

const unknown = wanted.filter((id) => !findBuiltStrategy(id));
if (unknown.length > 0) {
	process.stderr.write(`not built: ${unknown.join(", ")}\n`);
	process.exitCode = 2;
} else {
	const scene = await openScene(word, REFERENCE_AS_OF_MS);
	const dayBefore = await openScene(word, REFERENCE_AS_OF_MS - DAY_MS);
	try {
		const portfolio = await benchPortfolio(scene);
		const figures: StrategyFigures[] = [];
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
				const plan = workPlanOf(strategy);
				const [counted] = await countedWork([{ id, plan }], COUNT_LIMIT_MS);
				if (!counted) throw new Error("no work was counted");
				figures.push({ ...timing, work: workGrowths(strategy, plan, counted) });
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
			universeTable(figures),
			"no faster than linear, by CPU time and by counted work, cold and warm",
			verdictTable(figures),
			"cold CPU on synthetic markets, ms",
			growthTable(figures, "cold"),
			"warm CPU on synthetic markets, ms",
			growthTable(figures, "warm"),
			"memory kept on synthetic markets, MB",
			growthTable(figures, "kept"),
			"cold work, millions of characters of source executed",
			workTable(figures, "cold", "source", 1e6),
			"cold work in built-in methods, thousands of elements",
			workTable(figures, "cold", "elements", 1e3),
			"warm work, millions of characters of source executed",
			workTable(figures, "warm", "source", 1e6),
			"warm work in built-in methods, thousands of elements",
			workTable(figures, "warm", "elements", 1e3),
			"reads of a fresh simulated exchange, ms in the main thread",
			readsTable(reads),
			...(folder ? ["reads of the whole recorded universe, ms in the main thread", readsTable(wholeReads)] : []),
		];
		process.stdout.write(`${parts.join("\n\n")}\n`);
	} finally {
		await Promise.all([scene.market.close(), dayBefore.market.close()]);
	}
}
