import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CrashPoint, type SimulationResult, simulate } from "./simulate.ts";

/**
 * I6: a worker dies at each commit in turn, and at store calls in between, before and after they took effect.
 * Another one goes on, the result is that of the undisturbed scan, and what was settled is not run again.
 * CRASH_POINTS=all visits every store call instead of a part of them.
 */
const crashes = suite("simulation: a crash at every commit");

const SEED = 7;
/** Of all store calls every so-manieth is visited here. */
const STRIDE = process.env["CRASH_POINTS"] === "all" ? 1 : 9;

const evaluations = ({ history }: SimulationResult): Map<string, number> => {
	const runs = new Map<string, number>();
	for (const { type, strategy_id } of history.events)
		if (type === "evaluate") runs.set(String(strategy_id), (runs.get(String(strategy_id)) ?? 0) + 1);
	return runs;
};

/** Judges one crash; that settled strategies stay settled and the result is the same is judged by the run itself. */
async function survives(crash: CrashPoint): Promise<void> {
	const result = await simulate(SEED, { profile: "calm", crash });
	const name = `${crash.when} ${crash.at} ${crash.nth}`;
	assert.equal(result.violations, [], name);
	const died = result.history.events.filter(({ type }) => type === "crash").length;
	assert.is(died, 1, `${name}: one worker died`);
	const [scan] = result.shadows.scans.values();
	assert.is(scan?.facts.position, "completed", name);
	for (const [strategy, runs] of evaluations(result)) assert.ok(runs <= 2, `${name}: ${strategy} ran ${runs} times`);
}

crashes("after and before each commit", async () => {
	const undisturbed = await simulate(SEED, { profile: "calm", crash: { at: "commit", nth: 0, when: "after" } });
	assert.equal(undisturbed.violations, []);
	assert.is(undisturbed.shadows.scans.size, 1);
	assert.ok(undisturbed.crashCalls >= 6, `${undisturbed.crashCalls} commits`);
	for (const [strategy, runs] of evaluations(undisturbed)) assert.is(runs, 1, `${strategy} ran once`);
	for (let nth = 1; nth <= undisturbed.crashCalls; nth++) {
		await survives({ at: "commit", nth, when: "before" });
		// After the last commit the scan has ended: there is nothing left to take over but its booking.
		await survives({ at: "commit", nth, when: "after" });
	}
	process.stdout.write(`  ${2 * undisturbed.crashCalls} crashes at commits survived\n`);
});

crashes("before and after store calls", async () => {
	const { crashCalls } = await simulate(SEED, { profile: "calm", crash: { at: "call", nth: 0, when: "after" } });
	let visited = 0;
	for (let nth = 1; nth <= crashCalls; nth += STRIDE) {
		await survives({ at: "call", nth, when: visited % 2 === 0 ? "before" : "after" });
		if (STRIDE === 1) await survives({ at: "call", nth, when: visited % 2 === 0 ? "after" : "before" });
		visited += 1;
	}
	process.stdout.write(`  crashes at ${visited} of ${crashCalls} store calls survived\n`);
});

crashes.run();
