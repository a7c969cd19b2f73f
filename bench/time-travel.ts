/**
 * Time travel: the state of a scan at any entry of its journal: `npm run bench:time-travel [-- --reads 200]`. Journals
 * of some 500 entries and of four and sixteen times as many; half way and at random places; one table.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasRedisServer } from "../test/support/redis-process.ts";
import { markdownTable } from "./docs/blocks.ts";
import { openStage } from "./growth/stage.ts";
import { type Travel, travel } from "./growth/travel.ts";
import { readOptions, wholeNumber } from "./options.ts";
import { cleanUpAtExit } from "./orchestration/processes.ts";
import { startRedis } from "./orchestration/servers.ts";
import { exponentOf } from "./timing/powers.ts";

const reads = wholeNumber("reads", readOptions({ reads: { type: "string", default: "200" } }).reads, 10);
const say = (line = ""): void => void process.stdout.write(`${line}\n`);

/** Rows make entries; the reports that tell them make events, which are what is run again. */
const SIZES = [1, 4, 16];
const ROWS = 440;
const REPORTS = 4;
const SERIES = [
	{ name: "rows", reportsOf: () => REPORTS },
	{ name: "rows and reports", reportsOf: (size: number) => REPORTS * size },
];

function power(held: readonly Travel[], pick: (travel: Travel) => number): string {
	return exponentOf(
		held.map(({ entries }) => entries),
		held.map(pick),
	).toFixed(2);
}

async function main(): Promise<void> {
	if (!hasRedisServer()) return say("skipped: bench:time-travel, no redis-server on PATH");
	const directory = await mkdtemp(join(tmpdir(), "travel-"));
	cleanUpAtExit(directory);
	const redis = await startRedis(directory, "no");
	const stage = await openStage({ path: redis.path }, redis.client);
	try {
		const lines: string[][] = [];
		for (const { name, reportsOf } of SERIES) {
			const held: Travel[] = [];
			for (const size of SIZES)
				held.push(
					await travel(stage, { strategies: 14, rows: ROWS * size, reports: reportsOf(size), failing: 3 }, reads),
				);
			for (const one of held)
				lines.push([
					name,
					String(one.entries),
					String(one.events),
					(one.journal_bytes / 1024).toFixed(0),
					one.p50_ms.toFixed(2),
					one.p99_ms.toFixed(2),
					one.cpu_ms.toFixed(2),
					(one.read_bytes / 1024).toFixed(0),
				]);
			lines.push([
				`${name}: power`,
				"",
				power(held, (one) => one.events),
				power(held, (one) => one.journal_bytes),
				power(held, (one) => one.p50_ms),
				power(held, (one) => one.p99_ms),
				power(held, (one) => one.cpu_ms),
				power(held, (one) => one.read_bytes),
			]);
		}
		say(`state at a random entry, ${reads} reads each, no HTTP; power: of the figure in the number of entries\n`);
		say(
			markdownTable(["what grows", "entries", "events", "journal KB", "p50 ms", "p99 ms", "CPU ms", "KB read"], lines),
		);
	} finally {
		await stage.close();
		await redis.stop();
	}
}

await main();
process.exit(0);
