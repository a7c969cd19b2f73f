/** What the README takes from the program must be what the program says. */
import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { environmentSchema } from "../../src/config/settings.ts";
import { settingsTable } from "../../src/config/table.ts";
import { machineGraphs } from "../../src/views/machine-graph.ts";
import { mermaidOf } from "../../src/views/machine-pictures.ts";

const test = suite("readme");
const fileOf = (name: string): URL => new URL(`../../${name}`, import.meta.url);
const readme = readFileSync(fileOf("README.md"), "utf8");

test("the table of settings is the schema's", () => {
	assert.ok(readme.includes(`\n${settingsTable()}\n`), "run settingsTable() of src/config/table.ts and paste it");
	assert.is(settingsTable().split("\n").length, Object.keys(environmentSchema.shape).length + 2);
});

test("the picture of the scan machine is that of the definition", () => {
	const scan = machineGraphs().find(({ machine_id }) => machine_id === "scan");
	assert.ok(scan && readme.includes(`\`\`\`mermaid\n${mermaidOf(scan)}\`\`\``), "npm run machines");
});

test("its commands are those of package.json, and its links lead somewhere", () => {
	const { scripts } = JSON.parse(readFileSync(fileOf("package.json"), "utf8"));
	for (const [, name = ""] of readme.matchAll(/npm run ([\w:-]+)/g)) assert.ok(scripts[name], name);
	for (const name of ["start", "test"]) assert.ok(scripts[name]);
	for (const page of ["README.md", "ARCHITECTURE.md"]) {
		const text = readFileSync(fileOf(page), "utf8");
		for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
			assert.ok(existsSync(fileOf(target)), target);
	}
});

test("it names no setting that does not exist", () => {
	const known = new Set([...Object.keys(environmentSchema.shape), "REDIS_PASSWORD"]);
	for (const page of ["README.md", "ARCHITECTURE.md", "compose.yaml", "Dockerfile"]) {
		const text = readFileSync(fileOf(page), "utf8");
		for (const [, name = ""] of text.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`/g))
			assert.ok(known.has(name), `${page}: ${name}`);
	}
});

test.run();
