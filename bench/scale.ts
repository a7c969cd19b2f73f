/**
 * The capacity model: `npm run bench:scale [-- --live --write]`. Prints the worked tables of docs/scale.md; `--write`
 * puts them there. `--live` first measures (some two minutes) what the model is fed with, and what trivial scans do at
 * 1, 16 and 128 at once beside what the simulation says of them; with `--write` these go to bench/scale/measured.json
 * and from there into the tables.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { hasRedisServer } from "../test/support/redis-process.ts";
import { markdownTable, withBlocks } from "./docs/blocks.ts";
import { readOptions, wholeNumber } from "./options.ts";
import { cleanUpAtExit } from "./orchestration/processes.ts";
import { startRedis } from "./orchestration/servers.ts";
import { INPUTS, type InputName, MEASURED, type Values, valuesOf } from "./scale/inputs.ts";
import { type LiveCosts, liveCosts } from "./scale/live.ts";
import { type Measured, writeMeasured } from "./scale/measured.ts";
import { type MessageCost, messageCost } from "./scale/messages.ts";
import { orchestrationPoints } from "./scale/points.ts";
import { MESSAGES } from "./scale/slots.ts";
import { figure, scaleBlocks } from "./scale/tables.ts";

const DOCUMENT = resolve(import.meta.dirname, "../docs/scale.md");
const KB = 1_024;
const options = readOptions({
	live: { type: "boolean", default: false },
	write: { type: "boolean", default: false },
	scans: { type: "string", default: "40" },
	"window-ms": { type: "string", default: "3000" },
});
const scans = wholeNumber("scans", options.scans);
const windowMs = wholeNumber("window-ms", options["window-ms"]);
const say = (line = ""): void => void process.stdout.write(`${line}\n`);

/** What was measured just now under the names of the inputs. */
function inputsFrom(
	{ scan, status, duration_ms, idle, slots, entries }: LiveCosts,
	message: MessageCost,
): Record<string, number> {
	return {
		scan_main_ms: scan.main_ms,
		scan_threads_ms: scan.threads_ms,
		scan_redis_ms: scan.redis.main_us / 1_000,
		scan_redis_commands: scan.redis.calls,
		scan_in_kb: scan.redis.bytes_in / KB,
		scan_out_kb: scan.redis.bytes_out / KB,
		scan_kept_kb: scan.redis.kept_bytes / KB,
		scan_hold_s: duration_ms / 1_000,
		status_main_ms: status.main_ms,
		status_redis_ms: status.redis.main_us / 1_000,
		status_redis_commands: status.redis.calls,
		process_idle_main_ms: idle.main_ms,
		scan_commits: slots[MESSAGES] ?? 0,
		scan_events: entries,
		message_redis_us: message.redis_us,
		message_main_us: message.process_us,
	} satisfies Partial<Values>;
}

/** Measures, tells, and gives what was found; null where nothing can be measured. */
async function live(values: Values): Promise<Measured | null> {
	if (!hasRedisServer()) {
		say("skipped: --live, no redis-server on PATH");
		return null;
	}
	const directory = await mkdtemp(join(tmpdir(), "scale-messages-"));
	cleanUpAtExit(directory);
	const redis = await startRedis(directory, "no");
	const message = await messageCost({ path: redis.path }, redis.client);
	await redis.stop();
	const costs = await liveCosts(scans, "everysec");
	const machine = `${cpus().length} cores (${cpus()[0]?.model}), Node ${process.versions.node}`;
	say(`${machine}, load ${loadavg()[0]?.toFixed(1)}`);
	say(
		`market ${costs.market}, ${costs.rows} rows; ${figure(costs.scans_per_s)} scans/s at ${costs.at_once} at once; a ready thread had a core ${figure(100 * costs.share)} % of the time\n`,
	);
	const found = inputsFrom(costs, message);
	say(
		markdownTable(
			["input", "now", "in the model", "unit"],
			(Object.entries(found) as [InputName, number][]).map(([name, value]) => [
				name,
				figure(value),
				figure(values[name]),
				INPUTS[name].unit,
			]),
		),
	);
	say();
	say(
		markdownTable(
			["slot", "commands a scan now", "in the model"],
			Object.entries(costs.slots)
				.sort(([, a], [, b]) => b - a)
				.map(([slot, count]) => [slot, figure(count), figure(MEASURED.slots[slot] ?? 0)]),
		),
	);
	const { costs: trivial, points } = await orchestrationPoints("everysec", windowMs);
	const { alone, together } = trivial;
	say(
		`\ntrivial scans, run where they are started (everysec): ${figure(together.node_ms)} ms of Node and ${figure(together.redis_ms)} ms of Redis's thread each at 16, ${figure(alone.node_ms)} and ${figure(alone.redis_ms)} alone\n`,
	);
	const slots = Object.fromEntries(Object.entries(costs.slots).filter(([name]) => name !== MESSAGES));
	const measured = { machine, core_share: costs.share, inputs: found, slots, points };
	say(scaleBlocks(values, measured)["points"]);
	say();
	return measured;
}

const found = options.live ? await live(valuesOf(INPUTS)) : null;
const measured = found && options.write ? writeMeasured(found) : MEASURED;
const blocks = scaleBlocks({ ...valuesOf(INPUTS), ...measured.inputs }, measured);
if (options.write) {
	const before = readFileSync(DOCUMENT, "utf8");
	const after = withBlocks(before, blocks);
	if (after !== before) writeFileSync(DOCUMENT, after);
	say(after === before ? "docs/scale.md is as it should be" : "docs/scale.md is written");
} else for (const [name, text] of Object.entries(blocks)) say(`## ${name}\n\n${text}\n`);
process.exit(0);
