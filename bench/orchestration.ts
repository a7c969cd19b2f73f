/**
 * Orchestration beside its peers: the same work, machine and minutes, runs interleaved, one table of medians.
 * Usage: npm run bench:orchestration -- [--rounds 3] [--window-ms 1200] [--limit-s 540] [--durability always,everysec,no]
 *   [--only <part of a name>,...] [--at 1,16,128] [--profile <dir>] [--sync-ms 1]
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fail, readOptions, wholeNumber } from "./options.ts";
import { buildLookout } from "./orchestration/build.ts";
import { cleanUpAtExit } from "./orchestration/processes.ts";
import { type Durability, NotRunnable } from "./orchestration/servers.ts";
import {
	killAll,
	LOOKOUT,
	LOOKOUT_DIRECT,
	LOOKOUT_QUEUED,
	openSide,
	PEERS,
	type Run,
	SIDES,
	type Side,
} from "./orchestration/sides.ts";
import { slowSyncs } from "./orchestration/slow-sync.ts";
import { type Figures, figuresOf, ratios, table } from "./orchestration/table.ts";

const COSTS_AT = 16;
const OURS = [LOOKOUT_DIRECT, LOOKOUT_QUEUED];
/**
 * Before anything counts: Node compiles what has run often, and the more code a scan runs through the longer that
 * takes. So each system is warmed up until its CPU time a scan has not fallen for two runs: one may meet other work.
 */
const WARM_UP_RUN_MS = 2_000;
const WARM_UP_RUNS_MAX = 10;
const WARM_UP_STILL_RUNS = 2;
const STILL_FALLING = 0.95;
const INSTALL_LIMIT_MS = 180_000;

const OPTIONS = {
	rounds: { type: "string", default: "3" },
	"window-ms": { type: "string", default: "1200" },
	"limit-s": { type: "string", default: "540" },
	durability: { type: "string", default: "always,everysec,no" },
	only: { type: "string", default: "" },
	at: { type: "string", default: "1,16,128" },
	profile: { type: "string" },
	"sync-ms": { type: "string" },
} as const;

const values = readOptions(OPTIONS);
const rounds = wholeNumber("rounds", values.rounds);
const windowMs = wholeNumber("window-ms", values["window-ms"]);
const limitMs = 1_000 * wholeNumber("limit-s", values["limit-s"]);
const durabilities = values.durability.split(",").map((word): Durability => {
	return word === "always" || word === "everysec" || word === "no" ? word : fail(`--durability does not take ${word}`);
});
const concurrencies = values.at.split(",").map((word) => wholeNumber("at", word));
if (!concurrencies.includes(COSTS_AT)) fail(`--at lacks ${COSTS_AT}, for which costs are told`);
const syncMs = values["sync-ms"] === undefined ? null : wholeNumber("sync-ms", values["sync-ms"]);
const wanted = values.only.split(",").map((part) => part.trim().toLowerCase());
const kinds = SIDES.filter(({ name }) => wanted.some((part) => name.toLowerCase().includes(part)));
if (kinds.length === 0) fail(`--only names none of: ${SIDES.map(({ name }) => name).join("; ")}`);

/** The peers are no part of the program's own packages; they are installed here when first needed. */
function installPeers(): boolean {
	if (existsSync(join(PEERS, "node_modules", "bullmq"))) return true;
	process.stderr.write("installing the peers ...\n");
	try {
		execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: PEERS, stdio: "ignore", timeout: INSTALL_LIMIT_MS });
		return true;
	} catch {
		return false;
	}
}

async function openAll(durability: Durability, root: string): Promise<{ sides: Side[]; absent: string[] }> {
	const [sides, absent]: [Side[], string[]] = [[], []];
	for (const [index, kind] of kinds.entries()) {
		if (kind.module !== LOOKOUT && !peersHere) {
			absent.push(`${kind.name}: its packages could not be installed`);
			continue;
		}
		try {
			sides.push(
				await openSide(kind, durability, join(root, `${durability}-${index}`), values.profile ?? null, slowed),
			);
		} catch (error) {
			if (!(error instanceof NotRunnable)) throw error;
			absent.push(`${kind.name}: not runnable here: ${error.message}`);
		}
	}
	return { sides, absent };
}

type Runs = Map<string, Map<number, Run[]>>;

/**
 * Each round runs every system once at every concurrency, beginning with another system each time, and each run once
 * for half as long before it counts: its processes have been idle since the last, in which Node drops code that was not
 * used and the processor's caches went to the others. No round begins
 * that would end after `untilMs`, but for the first. A system that fails is told and left out; the others go on.
 */
async function measure(sides: readonly Side[], absent: string[], untilMs: number): Promise<Runs> {
	const runs: Runs = new Map(sides.map(({ name }) => [name, new Map(concurrencies.map((at) => [at, []]))]));
	const runOne = async (side: Side, concurrency: number, ms: number): Promise<Run | null> => {
		if (!runs.has(side.name)) return null;
		try {
			return await side.run(concurrency, ms);
		} catch (error) {
			runs.delete(side.name);
			absent.push(`${side.name}: failed: ${error instanceof Error ? error.message : error}`);
			return null;
		}
	};
	for (const side of sides) {
		let least = Number.POSITIVE_INFINITY;
		let still = 0;
		for (let i = 0; i < WARM_UP_RUNS_MAX && still < WARM_UP_STILL_RUNS; i++) {
			const run = await runOne(side, COSTS_AT, WARM_UP_RUN_MS);
			if (!run) break;
			const cpuMs = run.node_cpu_ms / run.scans;
			still = cpuMs < STILL_FALLING * least ? 0 : still + 1;
			least = Math.min(least, cpuMs);
		}
	}
	let longestMs = 0;
	for (let round = 0; round < rounds; round++) {
		const roundAt = performance.now();
		if (roundAt + longestMs > untilMs) {
			absent.push(`the time was up after ${round} of ${rounds} rounds`);
			break;
		}
		for (const concurrency of concurrencies) {
			for (let i = 0; i < sides.length; i++) {
				const side = sides[(i + round) % sides.length] as Side;
				await runOne(side, concurrency, windowMs / 2);
				const run = await runOne(side, concurrency, windowMs);
				if (run) runs.get(side.name)?.get(concurrency)?.push(run);
			}
		}
		longestMs = Math.max(longestMs, performance.now() - roundAt);
	}
	return runs;
}

const say = (line = "") => process.stdout.write(`${line}\n`);
const load = () => loadavg()[0]?.toFixed(1);
const peersHere = installPeers();
await buildLookout();

const root = await mkdtemp(join(tmpdir(), "orchestration-"));
// PostgreSQL runs as a user of its own and has to get to its directory.
await chmod(root, 0o711);
cleanUpAtExit(root);
const slowed = syncMs === null ? null : await slowSyncs(root, syncMs);
if (syncMs !== null && slowed === null) fail("--sync-ms needs a C compiler, cc, on PATH");
const began = performance.now();
try {
	const model = cpus()[0]?.model ?? "unknown processor";
	say(`${cpus().length} cores (${model}), Node ${process.versions.node}, load before ${load()}`);
	say(`${rounds} rounds of ${windowMs} ms for each system and concurrency, interleaved; medians of the rounds`);
	if (syncMs !== null) say(`each sync of a server waits ${syncMs} ms more`);
	for (const [index, durability] of durabilities.entries()) {
		const untilMs = began + (limitMs * (index + 1)) / durabilities.length;
		const { sides, absent } = await openAll(durability, root);
		const runs = await measure(sides, absent, untilMs).finally(() => Promise.all(sides.map((side) => side.stop())));
		const figures: Figures[] = [...runs].map(([name, held]) => figuresOf(name, held, COSTS_AT));
		say();
		say(`**${durability}**`);
		say();
		for (const line of table(figures, concurrencies, COSTS_AT)) say(line);
		for (const line of absent) say(line);
		say();
		if (figures.some(({ name }) => OURS.includes(name)))
			for (const line of ratios(figures, OURS, concurrencies)) say(line);
	}
	say();
	say(`load after ${load()}, ${Math.round((performance.now() - began) / 1_000)} s`);
} finally {
	killAll();
}
process.exit(0);
