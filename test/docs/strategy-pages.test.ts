import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blocksIn, markdownTable, withBlocks } from "../../bench/docs/blocks.ts";
import { indexTable, pageOf, STRATEGY_IDS, staticBlocks } from "../../bench/docs/tables.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";

/** Tables of the documents are those of the running definitions: `npm run docs:strategies` brings them up to date. */
const test = suite("pages of the strategies");
const DOCS = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "docs");
const read = (path: string): string => readFileSync(join(DOCS, path), "utf8");
const STALE = "is out of date: npm run docs:strategies";

test("every built strategy has a page, and every page a strategy", () => {
	assert.equal([...STRATEGY_IDS].sort(), builtStrategyIds().sort());
	const pages = readdirSync(join(DOCS, "strategies")).filter((name) => name !== "README.md");
	assert.equal(pages.sort(), STRATEGY_IDS.map(pageOf).sort());
});

for (const id of STRATEGY_IDS) {
	test(`${id}: inputs, gates and thresholds are those of the running strategy`, () => {
		const text = read(`strategies/${pageOf(id)}`);
		const blocks = blocksIn(text);
		for (const [name, content] of Object.entries(staticBlocks(id))) {
			assert.is(blocks.get(name), content.trim(), `${pageOf(id)}: ${name} ${STALE}`);
		}
		assert.ok((blocks.get("evidence") ?? "").startsWith("Recorded set as of "), "no measured evidence");
		for (const part of ["looks for", "Inputs", "Formula", "Gates", "empty result", "Measured evidence", "Limits"])
			assert.ok(new RegExp(`^## .*${part}`, "m").test(text), `no part about ${part}`);
	});
}

test("the index lists every page", () => {
	assert.is(blocksIn(read("strategies/README.md")).get("index"), indexTable().trim(), `the index ${STALE}`);
});

test("links between documents lead somewhere", () => {
	for (const path of ["calibration.md", ...readdirSync(join(DOCS, "strategies")).map((name) => `strategies/${name}`)]) {
		for (const [, target = ""] of read(path).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
			assert.ok(existsSync(join(DOCS, dirname(path), target)), `${path} links to ${target}`);
		}
	}
});

test("only what stands between the comments is rewritten, and a missing part is an error", () => {
	const text =
		"a\n<!-- generated: x -->\nold\n<!-- /generated -->\nb\n<!-- generated: y -->\nkept\n<!-- /generated -->\n";
	const written = withBlocks(text, { x: "new" });
	assert.is(written, text.replace("old", "new"));
	assert.is(withBlocks(written, { x: "new" }), written, "writing twice changes nothing");
	assert.throws(() => withBlocks(text, { z: "?" }), /no part/);
	assert.is(markdownTable(["a"], [["x|y"]]), "| a |\n| --- |\n| x\\|y |");
});

test.run();
