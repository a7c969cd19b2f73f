import { spawn } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { within } from "../support/wait.ts";

const build = suite("scripts/build");

const ROOT = resolve(import.meta.dirname, "../..");
let copy: string;

build.before(() => {
	copy = mkdtempSync(join(tmpdir(), "lookout-build-"));
	mkdirSync(join(copy, "src"));
	cpSync(join(ROOT, "scripts"), join(copy, "scripts"), { recursive: true });
	for (const file of ["package.json", "tsconfig.json", "tsconfig.build.json"])
		cpSync(join(ROOT, file), join(copy, file));
	symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
	writeFileSync(join(copy, "src/a.ts"), "export const a: number = 1;\n");
});
build.after(() => rmSync(copy, { recursive: true, force: true }));

const run = (): Promise<{ code: number | null; text: string }> =>
	within(
		new Promise((done) => {
			const child = spawn(process.execPath, ["scripts/build.mjs"], { cwd: copy });
			let text = "";
			for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
			child.on("exit", (code) => done({ code, text }));
		}),
		"a build",
		60_000,
	);

build("builds that start together end with one whole build", async () => {
	const ends = await Promise.all([run(), run(), run()]);
	assert.equal(
		ends.map(({ code }) => code),
		[0, 0, 0],
		JSON.stringify(ends),
	);
	assert.is(ends.filter(({ text }) => text.includes("built dist/")).length, 1);
	assert.ok(readFileSync(join(copy, "dist/src/a.js"), "utf8").includes("export const a = 1"));
	assert.equal(
		readdirSync(copy).filter((name) => name.includes("draft") || name.includes("lock")),
		[],
	);
});

build("the lock of a build that was killed is taken over", async () => {
	writeFileSync(join(copy, "src/b.ts"), "export const b = 2;\n");
	writeFileSync(join(copy, ".build-lock"), "999999999");
	assert.is((await run()).code, 0);
	assert.ok(existsSync(join(copy, "dist/src/b.js")));
});

build("a build that fails leaves the last good one", async () => {
	writeFileSync(join(copy, "src/b.ts"), 'export const b: number = "no";\n');
	const { code } = await run();
	assert.is.not(code, 0);
	assert.ok(existsSync(join(copy, "dist/src/a.js")));
	assert.not.ok(existsSync(join(copy, ".build-lock")));
});

build.run();
