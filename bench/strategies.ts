/**
 * What strategies cost: `npm run bench:strategies [-- id ...]`.
 *
 * Cold and warm CPU milliseconds of every registered strategy (or those named) over the recorded universe
 * where it lies beside the project, else a simulated one; the memory its evidence keeps; and how its cold
 * time grows with symbols and bars. One table; README.md in this folder explains the columns.
 */
import { availableParallelism, cpus } from "node:os";
import { resolve } from "node:path";
import { builtStrategyIds, findBuiltStrategy } from "../src/strategies/registry.ts";
import { requestOn } from "../test/support/evaluate-on.ts";
import { benchPortfolio, openScene, REFERENCE_AS_OF_MS, recordedFolder } from "./scene.ts";
import { BARS, type Growth, type StrategyTiming, SYMBOLS, timeStrategy } from "./timing/measure.ts";

const wanted = process.argv.slice(2);
const folder = recordedFolder(resolve(import.meta.dirname, ".."));
const word = folder ? `recorded:${folder}` : "simulated:42";

const cells = (growth: Growth): string[] => [
	...growth.cpuMs.map((ms) => ms.toFixed(ms < 10 ? 1 : 0)),
	growth.exponent.toFixed(2),
];

function table(timings: readonly StrategyTiming[]): string {
	const head = ["strategy", "evaluated", "published", "cold", "warm", "kept MB"];
	const sizes = [...SYMBOLS.map((n) => `${n} sym`), "power", ...BARS.map((n) => `${n} bars`), "power"];
	const rows = timings.map((timing) => [
		timing.id,
		String(timing.evaluated),
		String(timing.published),
		timing.coldMs.toFixed(0),
		timing.warmMs.toFixed(1),
		timing.keptMb.toFixed(1),
		...cells(timing.symbols),
		...cells(timing.bars),
	]);
	const total = (of: (timing: StrategyTiming) => number) => timings.reduce((sum, timing) => sum + of(timing), 0);
	const sum = ["all", "", "", total((t) => t.coldMs).toFixed(0), total((t) => t.warmMs).toFixed(1)];
	const kept = total((t) => t.keptMb).toFixed(1);
	const lines = [[...head, ...sizes], ...rows, [...sum, kept, ...sizes.map(() => "")]];
	const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length))) ?? [];
	return lines
		.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
		.map((line) => line.join("  ").trimEnd())
		.join("\n");
}

const unknown = wanted.filter((id) => !findBuiltStrategy(id));
if (unknown.length > 0) {
	process.stderr.write(`not built: ${unknown.join(", ")}\n`);
	process.exitCode = 2;
} else {
	const scene = await openScene(word, REFERENCE_AS_OF_MS);
	try {
		const portfolio = await benchPortfolio(scene);
		const timings: StrategyTiming[] = [];
		for (const id of wanted.length > 0 ? wanted : builtStrategyIds()) {
			const strategy = findBuiltStrategy(id);
			if (strategy) timings.push(await timeStrategy(strategy, await requestOn(id, scene, portfolio)));
		}
		const machine = `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}`;
		process.stdout.write(`${scene.market.source.name}, ${scene.universe.assets.length} assets; ${machine}\n`);
		process.stdout.write(`CPU milliseconds; growth is of cold evaluations of synthetic markets\n\n`);
		process.stdout.write(`${table(timings)}\n`);
	} finally {
		await scene.market.close();
	}
}
