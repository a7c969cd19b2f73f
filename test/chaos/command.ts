/**
 * `npm run chaos -- --seconds 120 --seed 7`: real processes and a real Redis under faults, then a check of
 * everything that was observed. Ends with code 1 when something was violated. The same seed and length
 * give the same faults at the same times. `--gap-ms` sets how far apart they come on average, `--set NAME=value`
 * any setting of the program, `--fsync everysec` the weaker promise of Redis. `--slack 3` allows three times the
 * time for answers and ends, for a machine that is busy with other things; what must never happen stays forbidden.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUILT, FROM_SOURCE } from "../support/program.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { BOUNDS } from "./history.ts";
import { type ChaosReport, runChaos } from "./run.ts";
import { GAP_MS } from "./schedule.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "60" },
		seed: { type: "string", default: "1" },
		users: { type: "string", default: "3" },
		"gap-ms": { type: "string", default: String(GAP_MS) },
		slack: { type: "string", default: "1" },
		set: { type: "string", multiple: true, default: [] },
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
	say(`machine:  busy with other things for ${report.held_up_ms} ms in sum`);
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
	const gapMs = Number(values["gap-ms"]);
	say(`to repeat: npm run chaos -- --seconds ${seconds} --seed ${seed} --gap-ms ${gapMs}`);
	const slack = Number(values.slack);
	const bounds = {
		...BOUNDS,
		end_grace_ms: BOUNDS.end_grace_ms * slack,
		answer_ms: BOUNDS.answer_ms * slack,
	};
	if (slack !== 1) say(`answers within ${bounds.answer_ms} ms, ends within ${bounds.end_grace_ms} ms of the deadline`);
	const env = Object.fromEntries(values.set.map((word) => word.split("=", 2) as [string, string]));
	const entry = built ? BUILT : FROM_SOURCE;
	const report = await runChaos({
		seconds,
		seed,
		gapMs,
		bounds,
		env,
		fsync,
		users: Number(values.users),
		entry,
		ownSessions: true,
		say,
	});
	tell(report);
	process.exitCode = report.violations.length > 0 ? 1 : 0;
}

await main();
