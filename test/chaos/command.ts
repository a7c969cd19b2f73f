/**
 * `npm run chaos -- --seconds 120 --seed 7`: real processes and a real Redis under faults, then a check of
 * everything that was observed. Ends with code 1 when something was violated. The same seed and length
 * give the same faults at the same times.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUILT, FROM_SOURCE } from "../support/program.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { type ChaosReport, runChaos } from "./run.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "60" },
		seed: { type: "string", default: "1" },
		users: { type: "string", default: "3" },
		fsync: { type: "string", default: "always" },
		source: { type: "boolean", default: false },
	},
});

const counted = (counts: Record<string, number>): string =>
	Object.entries(counts)
		.map(([word, count]) => `${count} ${word}`)
		.join(", ") || "none";

function tell(report: ChaosReport): void {
	say("");
	say(`faults:   ${counted(report.struck)}`);
	say(`scans:    ${report.scans}, of which ${report.resumed} changed hands; ends: ${counted(report.ends)}`);
	say(`compared: ${report.compared} with an undisturbed scan of the same filters`);
	say(`answers:  ${counted(report.answers)}; slowest ${report.slowest_answer_ms} ms beyond the wait asked for`);
	say(`ready:    ${report.ready_after_ms} ms after the last fault`);
	say(`violations: ${report.violations.length}`);
	for (const { rule, scan_id, detail } of report.violations) say(`  ${rule}: ${detail} ${scan_id}`);
}

async function main(): Promise<void> {
	if (!hasRedisServer()) {
		say("skipped: chaos, no redis-server on PATH");
		return;
	}
	const seconds = Number(values.seconds);
	const seed = Number(values.seed);
	const fsync = values.fsync === "everysec" ? "everysec" : "always";
	if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error("--seconds and --seed are whole numbers above 0");
	const built = !values.source && existsSync("dist/src/main.js");
	say(`chaos for ${seconds} s with seed ${seed}, appendfsync ${fsync}, run from ${built ? "dist" : "source"}`);
	say(`to repeat: npm run chaos -- --seconds ${seconds} --seed ${seed}`);
	const entry = built ? BUILT : FROM_SOURCE;
	const report = await runChaos({ seconds, seed, fsync, users: Number(values.users), entry, say });
	tell(report);
	process.exitCode = report.violations.length > 0 ? 1 : 0;
}

await main();
