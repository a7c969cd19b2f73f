import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PROFILES } from "./faults.ts";
import { lineOf } from "./history.ts";
import { simulate } from "./simulate.ts";

/**
 * The whole system from seeds, bounded in time; `npm run simulate -- --seeds N` for more. A failing seed prints
 * the line that reproduces it.
 */
const simulation = suite("simulation: seeds");

/** Processor time for seeds here, so that a loaded machine runs fewer of them and not longer. */
const SEEDS_MS = 8_000;
/** And never longer than this by the clock. */
const WALL_MS = 40_000;
/** Every profile is run at least this often, however slow the machine is. */
const ROUNDS_MIN = 1;

const processorMs = (): number => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
};

simulation("the same seed gives the same history to the byte", async () => {
	const [first, again, other] = [await simulate(42), await simulate(42), await simulate(43)];
	assert.is(first.history.events.map(lineOf).join("\n"), again.history.events.map(lineOf).join("\n"));
	assert.is(first.history.digest(), again.history.digest());
	assert.is.not(first.history.digest(), other.history.digest());
});

simulation("no seed violates an invariant", async () => {
	const startedMs = processorMs();
	const beganMs = performance.now();
	let seeds = 0;
	let scans = 0;
	const goesOn = () => processorMs() - startedMs < SEEDS_MS && performance.now() - beganMs < WALL_MS;
	for (let round = 0; round < ROUNDS_MIN || goesOn(); round++) {
		for (const profile of PROFILES) {
			const seed = 1 + round;
			const { violations, shadows } = await simulate(seed, { profile });
			const [first] = violations;
			const reproduce = `npm run simulate -- --seed ${seed} --profile ${profile} --trace`;
			assert.is(first, undefined, `${first?.invariant}: ${first?.text}\n${reproduce}`);
			seeds += 1;
			scans += shadows.scans.size;
		}
	}
	const perSecond = (1_000 * seeds) / (processorMs() - startedMs);
	process.stdout.write(`  ${seeds} seeds, ${scans} scans, ${perSecond.toFixed(1)} seeds per second of processor\n`);
});

simulation("a start that stands still until its record was cleared away still tells an id that is known", async () => {
	const standstill = { script: "CREATE", forMs: 15_000 };
	for (let seed = 1; seed <= 3; seed++) {
		const { violations, history } = await simulate(seed, { profile: "freezes", standstill, plain: true });
		assert.equal(violations, [], `seed ${seed}`);
		assert.ok(history.events.length > 0);
	}
});

simulation("a creation that arrives after its start was given up leaves nothing for ever", async () => {
	assert.equal((await simulate(14, { profile: "lying", plain: true })).violations, []);
});

simulation("a start ends what its half-made predecessor should have ended", async () => {
	assert.equal((await simulate(4, { profile: "everything", plain: true })).violations, []);
});

simulation("a creation that is slow to arrive is not cleared away while its start goes on", async () => {
	const { violations, history } = await simulate(30_075, { profile: "slow", plain: true });
	assert.equal(violations, []);
	assert.is(history.events.filter(({ type }) => type === "start").length > 0, true);
});

simulation.run();
