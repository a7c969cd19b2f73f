/** The rules about the source, held against the source. That each rule works is shown in tidy/rules.test.ts. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bannedCalls, needlessAllowances, unfinishedMarks } from "./tidy/calls.ts";
import { deadFiles, importDirection, machineImports, singleMakers } from "./tidy/imports.ts";
import { accountsOnlyRead, portOnlyReads, reachOf, scanReach } from "./tidy/reach.ts";
import { forbiddenTexts } from "./tidy/repository.ts";
import { longFiles, longFunctions, slackRatchet, suitesNotRun, unversionedMachines } from "./tidy/shape.ts";
import { type Finding, filesUnder, readSource } from "./tidy/source.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BINARY = /\.(png|jpg|ico|woff2?|gz|zip|snap)$/;
const paths = filesUnder(ROOT);
const sources = paths
	.filter((path) => /^(src|machines|test|bench)\/.*\.ts$/.test(path))
	.map((path) => readSource(ROOT, path));
/** The rules' own examples break the rules. */
const judged = sources.filter(({ path }) => path !== "test/tidy/rules.test.ts");

const test = suite("tidy");

const none = (findings: Finding[]): void => {
	const lines = findings.map(({ path, line, message }) => `${path}${line > 0 ? `:${line}` : ""} ${message}`);
	assert.is(lines.join("\n"), "");
};

test("there is something to judge", () => assert.ok(sources.length > 20));
test("imports point one way", () => none(importDirection(judged)));
test("machines import nothing but machines and xstate", () => none(machineImports(judged)));
test("clients, queues and transitions are made in one place", () => none(singleMakers(judged)));
test("nothing that a scan can reach could place an order", () => {
	const reached = reachOf(judged);
	for (const area of ["strategies", "effects", "market", "runtime", "queue"])
		assert.ok(
			reached.some(({ path }) => path.startsWith(`src/${area}/`)),
			`a scan reaches no ${area}`,
		);
	assert.ok(reached.some(({ path }) => path.startsWith("machines/")));
	// Every strategy is in reach, so every strategy is judged.
	assert.equal(
		judged
			.filter(({ path }) => /^src\/strategies\/[\w-]+\.ts$/.test(path) && !reached.some((file) => file.path === path))
			.map(({ path }) => path)
			.filter((path) => !path.endsWith("contract.ts")),
		[],
	);
	none([...scanReach(judged), ...portOnlyReads(judged), ...accountsOnlyRead(judged)]);
});
test("no file is dead", () => none(deadFiles(judged)));
test("time, randomness, output and types come from where they should; nothing trades", () => none(bannedCalls(judged)));
test("no allowance outlives its need", () => assert.equal(needlessAllowances(sources), []));
test("nothing is left unfinished", () => none(unfinishedMarks(judged)));
test("files and functions have a readable length", () => none([...longFiles(judged), ...longFunctions(judged)]));
test("the list of exceptions to length only shrinks", () => assert.equal(slackRatchet(judged), []));
test("every suite is run", () => none(suitesNotRun(judged)));
test("machine ids carry a version", () => none(unversionedMachines(judged)));
test("no path, host or credential of a machine stands in any file", () => {
	const texts = paths
		.filter((path) => !BINARY.test(path) && path !== "package-lock.json" && path !== "test/tidy/rules.test.ts")
		.map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
	none(forbiddenTexts(texts));
});

test.run();
