import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulate.ts";

/** A checker that never complains proves nothing: each fault planted in the program must be seen within some seeds. */
const planted = suite("simulation: planted faults are caught");

const MUTANT_SEEDS_MAX = 25;

for (const mutant of MUTANTS) {
	planted(mutant.name, async () => {
		const seedsMax = mutant.seedsMax ?? MUTANT_SEEDS_MAX;
		for (let seed = 1; seed <= seedsMax; seed++) {
			const profile = mutant.profile ?? "everything";
			const [first] = (await simulate(seed, { mutant, profile })).violations;
			if (!first) continue;
			process.stdout.write(`  ${mutant.name}: seed ${seed}, ${first.invariant}\n`);
			assert.ok(mutant.caughtBy.includes(first.invariant), `seed ${seed}: ${first.invariant}: ${first.text}`);
			return;
		}
		assert.unreachable(`not caught within ${seedsMax} seeds`);
	});
}

planted.run();
