import { PROFILES, type Profile } from "./faults.ts";
import { lineOf } from "./history.ts";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulate.ts";

/**
 * `npm run simulate -- [--seeds N] [--from SEED] [--seed SEED] [--trace] [--profile NAME] [--mutant NAME]`
 * Exit code 1 when a seed violates an invariant; each such seed is one line that reproduces it.
 */
const args = process.argv.slice(2);
const optionOf = (name: string): string | undefined => {
	const at = args.indexOf(`--${name}`);
	return at >= 0 ? args[at + 1] : undefined;
};
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const one = optionOf("seed");
const from = Number(one ?? optionOf("from") ?? 1);
const seeds = one === undefined ? Number(optionOf("seeds") ?? 100) : 1;
const profile = PROFILES.find((name) => name === optionOf("profile")) as Profile | undefined;
const mutant = MUTANTS.find(({ name }) => name === optionOf("mutant"));

let failed = 0;
let tasks = 0;
let scans = 0;
const counts = new Map<string, number>();
const count = (what: string | null): void => void (what && counts.set(what, (counts.get(what) ?? 0) + 1));
const startedMs = performance.now();
const cpuBefore = process.cpuUsage();
for (let seed = from; seed < from + seeds; seed++) {
	const result = await simulate(seed, { ...(profile ? { profile } : {}), ...(mutant ? { mutant } : {}) });
	tasks += result.tasks;
	scans += result.shadows.scans.size;
	for (const { kind, outcome, key } of result.observations) {
		count(kind === "redrive" && outcome === "ok" ? "redriven" : null);
		count(outcome === "scan_expired" ? "reads of expired scans" : null);
		count(key !== null ? "requests under a key" : null);
	}
	if (args.includes("--trace")) for (const event of result.history.events) say(lineOf(event));
	const [first] = result.violations;
	if (one !== undefined)
		say(
			`seed ${seed} (${result.plan.profile}): ${result.end}, ${result.tasks} tasks, digest ${result.history.digest()}`,
		);
	if (!first) continue;
	failed += 1;
	const options = `${profile ? ` --profile ${profile}` : ""}${mutant ? ` --mutant "${mutant.name}"` : ""}`;
	say(
		`FAIL ${first.invariant}: ${first.text}\n     npm run simulate -- --seed ${seed}${options} --trace   (${result.plan.profile})`,
	);
}
const seconds = (performance.now() - startedMs) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const cpuSeconds = (user + system) / 1e6;
say(
	`${seeds} seeds, ${failed} failed, ${scans} scans, ${tasks} steps in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(1)} seeds/s; ${(seeds / cpuSeconds).toFixed(1)} per second of processor`,
);
say([...counts].map(([what, times]) => `${times} ${what}`).join(", "));
process.exitCode = failed > 0 ? 1 : 0;
