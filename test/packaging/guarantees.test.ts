import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const ROOT = join(import.meta.dirname, "../..");
const text = readFileSync(join(ROOT, "docs/guarantees.md"), "utf8");

/** Every `file › name` of the page; a name may be shortened at its end. */
const named = [...text.matchAll(/`([a-z-]+\/[a-z-]+) › ([^`]+)`/g)].map(([, file = "", name = ""]) => ({ file, name }));

const guarantees = suite("docs/guarantees.md");

guarantees("every test that it names exists", () => {
	assert.ok(named.length >= 30, `${named.length} tests are named`);
	const missing = named.filter(({ file, name }) => {
		const path = join(ROOT, "test", `${file}.test.ts`);
		return !existsSync(path) || !readFileSync(path, "utf8").includes(`"${name}`);
	});
	assert.equal(missing, []);
});

guarantees("every row of a guarantee names a test", () => {
	const rows = text.split("\n").filter((line) => /^\| (?!scenario|-)/.test(line) && !/^\|-/.test(line));
	assert.ok(rows.length >= 30);
	assert.equal(
		rows.filter((row) => !/`[a-z-]+\/[a-z-]+ › [^`]+` \|$/.test(row)),
		[],
	);
});

guarantees("what is not guaranteed is said: memory, power cuts, lagging replicas, clocks, eviction", () => {
	const [, not = ""] = text.split("## What is not guaranteed");
	for (const word of ["in-memory", "everysec", "replica", "clock of Redis", "noeviction", "At least once"])
		assert.ok(not.toLowerCase().includes(word.toLowerCase()), word);
});

guarantees.run();
