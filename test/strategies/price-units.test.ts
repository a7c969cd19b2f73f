import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import { scaledRequest } from "../support/micro.ts";
import { PLACES, requestAt } from "../support/places.ts";
import { alike, saidBy } from "../support/verdicts.ts";

/** Whether a coin is quoted for one unit or for a thousand is a convention: it must decide nothing. */
const test = suite("the unit of prices decides nothing");
const FACTORS = [1 / 1024, 1024];
const ROUNDING = 1e-9;

for (const id of builtStrategyIds()) {
	test(`${id}: prices times k and quantities over k give the same verdicts, odds, money and levels times k`, async () => {
		const place = PLACES[id]?.publishes;
		if (!place) throw new Error(`${id} has no place`);
		const request = await requestAt(id, place);
		/** Ticks and steps are left out on both sides. */
		const said = evaluate(scaledRequest(request, 1));
		assert.ok(said.published.length + said.unproven.length > 0);
		for (const factor of FACTORS) {
			const scaled = evaluate(scaledRequest(request, factor));
			const [a, b] = [saidBy(scaled), saidBy(said)];
			assert.equal(a.rejected, b.rejected);
			alike(
				a.rows.map((row) => ratesOf(row)),
				b.rows.map((row) => ratesOf(row)),
				ROUNDING,
			);
			for (const [i, row] of a.rows.entries()) {
				const ratio = (row.entry_price ?? 1) / (b.rows[i]?.entry_price ?? 1);
				// The price of a pair is y / x^b, whose unit moves by another power.
				if (row.entry_price !== null && id !== "ai_pairs_trading") {
					assert.ok(Math.abs(ratio / factor - 1) < ROUNDING, `${row.symbol}: ${ratio}`);
				}
			}
		}
	});
}

/** What a row says without a price in it. */
const ratesOf = ({ metadata, ...row }: ReturnType<typeof saidBy>["rows"][number]) => ({
	...row,
	entry_price: null,
	exit_price: null,
	stop_price: null,
	target_price: null,
	strength: metadata.signal_strength,
	structure: metadata.structure,
	notional_usd: metadata.notional_usd,
	max_risk_usd: metadata.max_risk_usd,
	profit_at_target_usd: metadata.profit_at_target_usd,
	position_size_percent: metadata.position_size_percent,
});

test.run();
