import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import { PLACES, type Place, requestAt } from "../support/places.ts";

const table = suite("a place where each strategy publishes, and one where it does not");

/** No strategy can be silent for ever, and none always finds something. These have tables of their own (fires-options, micro-seeds). */
const ELSEWHERE = ["ai_complex_strategy", "ai_options_trade", "ai_market_making", "ai_scalping_strategy"];

table("every registered strategy stands in a table", () => {
	assert.equal(Object.keys(PLACES).sort(), builtStrategyIds().sort());
});

const publishedAt = async (id: string, where: Place): Promise<number> =>
	evaluate(await requestAt(id, where)).published.length;

for (const [id, { publishes, silent }] of Object.entries(PLACES)) {
	if (ELSEWHERE.includes(id)) continue;
	table(`${id} publishes on simulated:${publishes.seed} at ${publishes.at}`, async () => {
		assert.ok((await publishedAt(id, publishes)) > 0);
	});
	table(`${id} is silent on simulated:${silent.seed} at ${silent.at}`, async () => {
		assert.is(await publishedAt(id, silent), 0);
	});
}

table.run();
