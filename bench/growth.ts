/**
 * How costs grow: `npm run bench:growth [-- --limit-s 900 --kept 1000000 --only <part of a dimension>,...]`. Each
 * operation of the program at one, four and sixteen times of what it meets, in this process or, where it says so, asked
 * of the built API process; one table with fitted powers. No queue's worker, no append-only file. What may be constant
 * or linear and is worse is flagged.
 */
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { limited, systemClock } from "../src/clock.ts";
import { hasRedisServer } from "../test/support/redis-process.ts";
import type { Dimension } from "./growth/dimension.ts";
import { dimensions } from "./growth/dimensions.ts";
import { openLoader, usedBytes } from "./growth/loader.ts";
import { measureOperation, type OperationName } from "./growth/operations.ts";
import { excessOf, type Grown, growthTable } from "./growth/report.ts";
import { openStage } from "./growth/stage.ts";
import { fail, readOptions, wholeNumber } from "./options.ts";
import { cleanUpAtExit } from "./orchestration/processes.ts";
import { startRedis } from "./orchestration/servers.ts";

const values = readOptions({
	"limit-s": { type: "string", default: "900" },
	kept: { type: "string", default: "1000000" },
	runs: { type: "string", default: "15" },
	only: { type: "string", default: "" },
});
const limitMs = 1_000 * wholeNumber("limit-s", values["limit-s"]);
const keptWanted = wholeNumber("kept", values.kept);
const runs = wholeNumber("runs", values.runs);
const wanted = values.only.split(",").map((part) => part.trim());
const names = dimensions(keptWanted).map(({ name }) => name);
if (!names.some((name) => wanted.some((part) => name.includes(part))))
	fail(`--only names none of: ${names.join("; ")}`);
const say = (line = ""): void => void process.stdout.write(`${line}\n`);
const note = (line: string): void => void process.stderr.write(`${line}\n`);
const MB = 2 ** 20;
/** Of the memory that is free, the part that kept scans may take. */
const MEMORY_SHARE = 0.6;
/** Assumed until the first were loaded; a small scan. */
const BYTES_A_SCAN = 9_900;
/** Of all runs of one operation, far above what the longest takes: one that stands still ends the benchmark and is named. */
const OPERATION_LIMIT_MS = 180_000;

function freeBytes(): number {
	try {
		return 1_024 * Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
	} catch {
		return 2_048 * MB;
	}
}

async function main(): Promise<void> {
	if (!hasRedisServer()) return say("skipped: bench:growth, no redis-server on PATH");
	const began = performance.now();
	const isLate = () => performance.now() - began > limitMs;
	const directory = await mkdtemp(join(tmpdir(), "growth-"));
	cleanUpAtExit(directory);
	const redis = await startRedis(directory, "no");
	const stage = await openStage({ path: redis.path }, redis.client);
	const all: Grown[] = [];
	const left: string[] = [];
	try {
		const loader = await openLoader(stage);
		const most = Math.floor((MEMORY_SHARE * freeBytes()) / BYTES_A_SCAN);
		const keptMost = Math.min(keptWanted, most);
		if (most < keptWanted)
			left.push(`no more than ${most} finished scans fit into ${100 * MEMORY_SHARE} % of the free memory`);
		const chosen = dimensions(keptMost).filter(({ name }) => wanted.some((part) => name.includes(part)));
		for (const dimension of chosen) all.push(...(await measureDimension(dimension)));

		async function measureDimension({ name, sizes, operations, grow, clear }: Dimension): Promise<Grown[]> {
			const held = new Map<OperationName, Grown>();
			for (const size of sizes) {
				if (isLate()) {
					left.push(`${name} at ${size}: the time was up`);
					continue;
				}
				const [before, loadedBefore] = [await usedBytes(redis.client), loader.loaded];
				const growing = performance.now();
				const subject = await grow(stage, loader, size);
				const added = loader.loaded - loadedBefore;
				const each = added > 0 ? ((await usedBytes(redis.client)) - before) / added : 0;
				const took = ((performance.now() - growing) / 1_000).toFixed(1);
				note(
					`${name}: ${size}, made in ${took} s${added > 0 ? `, ${each.toFixed(0)} bytes each, ${((await usedBytes(redis.client)) / MB).toFixed(0)} MB in all` : ""}`,
				);
				for (const [operation, allowed] of Object.entries(operations) as [OperationName, Grown["allowed"]][]) {
					const measuring = measureOperation(operation, stage, loader, subject, runs);
					const cost = await limited(systemClock, OPERATION_LIMIT_MS, `${operation}, ${name} at ${size},`, measuring);
					const grown = held.get(operation) ?? { dimension: name, operation, allowed, sizes: [], costs: [] };
					held.set(operation, { ...grown, sizes: [...grown.sizes, size], costs: [...grown.costs, cost] });
				}
			}
			await clear?.(stage);
			return [...held.values()].filter((grown) => grown.sizes.length > 1);
		}
	} finally {
		await stage.close();
		await redis.stop();
	}
	say(`${cpus().length} cores (${cpus()[0]?.model}), Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}`);
	say(`${runs} runs each; first → last figure (power), ${Math.round((performance.now() - began) / 1_000)} s\n`);
	say(growthTable(all));
	const worse = all.filter((grown) => excessOf(grown).length > 0);
	say(`\n${worse.length} of ${all.length} grow faster than they may`);
	for (const line of left) say(line);
}

await main();
process.exit(0);
