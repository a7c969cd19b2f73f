import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { thresholdsOf } from "../../bench/docs/tables.ts";
import { REASON_CODES } from "../../src/api/schemas/reason-codes.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, gatesOf } from "../../src/strategies/registry.ts";
import { PLACES, requestAt } from "../support/places.ts";
import { readSource } from "../tidy/source.ts";

/** What strategies declare about their gates is what they do: the documentation is made of it. */
const test = suite("declared gates");
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const KNOWN = new Set<string>(REASON_CODES);

/** The file that exports a strategy and everything of the strategies that it imports. */
async function sourcesOf(id: string): Promise<string> {
	for (const { target } of readSource(ROOT, "src/strategies/registry.ts").imports) {
		if (!target || target.includes("/gates/") || target.endsWith("/contract.ts")) continue;
		const exported = Object.values((await import(join(ROOT, target))) as Record<string, { id?: unknown }>);
		if (exported.some((value) => value?.id === id)) return [...closure([target]).values()].join("\n");
	}
	throw new Error(`no file exports ${id}`);
}

/** Texts by path of the files and of all that they import, types apart. */
function closure(entries: readonly string[]): Map<string, string> {
	const texts = new Map<string, string>();
	const open = [...entries];
	for (let path = open.pop(); path !== undefined; path = open.pop()) {
		if (texts.has(path) || !path.startsWith("src/strategies/")) continue;
		texts.set(path, readFileSync(join(ROOT, path), "utf8"));
		for (const { target, typeOnly } of readSource(ROOT, path).imports) if (target && !typeOnly) open.push(target);
	}
	return texts;
}

for (const id of builtStrategyIds()) {
	test(`${id}: every reason is a known code that its sources can give, every threshold a stated one`, async () => {
		const gates = gatesOf(id);
		const text = await sourcesOf(id);
		const stated = thresholdsOf(id);
		for (const { reason, asks, thresholds = [] } of gates) {
			assert.ok(KNOWN.has(reason), reason);
			assert.ok(text.includes(`"${reason}"`), `nothing in its sources gives ${reason}`);
			assert.ok(asks.length > 10, reason);
			for (const name of thresholds) assert.ok(name in stated, `${name} is not stated`);
		}
	});
}

test("every reason that was given in the places was declared", async () => {
	// Markets of minutes are slow to make: their reasons are held to the declaration in damaged-views.test.ts.
	const slow = ["ai_market_making", "ai_scalping_strategy"];
	for (const [id, { publishes, silent }] of Object.entries(PLACES)) {
		if (slow.includes(id)) continue;
		const declared = new Set(gatesOf(id).map(({ reason }) => reason));
		for (const place of [publishes, silent]) {
			const { rejected, unproven } = evaluate(await requestAt(id, place));
			for (const { reason } of rejected) assert.ok(declared.has(reason), `${id} gave ${reason}`);
			for (const { unproven_reason: reason } of unproven) assert.ok(declared.has(reason ?? ""), `${id} gave ${reason}`);
		}
	}
});

test("a strategy that declares nothing is an error", () => {
	assert.throws(() => gatesOf("ai_unknown"), /declares no gates/);
});

test.run();
