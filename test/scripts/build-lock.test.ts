import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { within } from "../support/wait.ts";

const buildLock = suite("scripts/build-lock");

const MODULE = resolve(import.meta.dirname, "../../scripts/build-lock.mjs");
const TURNS = 400;
let folder: string;

buildLock.before.each(() => {
	folder = mkdtempSync(join(tmpdir(), "lookout-lock-"));
});
buildLock.after.each(() => rmSync(folder, { recursive: true, force: true }));

/** Takes the lock again and again; while it is held, a file of its own must not be there already. */
const CONTENDER = `
	import { rmSync, writeFileSync } from "node:fs";
	import { lock } from ${JSON.stringify(MODULE)};
	const [path, turns] = process.argv.slice(1);
	for (let turn = 0; turn < Number(turns); turn++) {
		const unlock = lock(path, { poll_ms: 0.1 });
		writeFileSync(path + ".inside", "", { flag: "wx" });
		rmSync(path + ".inside");
		unlock();
	}
`;

/** @returns what the process said, "" when all went well */
const contend = (path: string, turns: number): Promise<string> =>
	within(
		new Promise((done) => {
			const args = ["--input-type=module", "--eval", CONTENDER, path, String(turns)];
			const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
			let text = "";
			child.stderr.on("data", (chunk) => (text += String(chunk)));
			child.on("close", (code) => done(code === 0 ? "" : `code ${code}: ${text}`));
		}),
		"turns of the lock",
		60_000,
	);

buildLock("many that want it at once have it one at a time, and none fails because another gave it back", async () => {
	const path = join(folder, "lock");
	const ends = await Promise.all([contend(path, TURNS), contend(path, TURNS), contend(path, TURNS)]);
	assert.equal(ends, ["", "", ""]);
	assert.equal(readdirSync(folder), []);
});

buildLock("one of a dead process goes to one of those that wait for it", async () => {
	const path = join(folder, "lock");
	writeFileSync(path, "999999999");
	const ends = await Promise.all([contend(path, 20), contend(path, 20), contend(path, 20)]);
	assert.equal(ends, ["", "", ""]);
	assert.not.ok(existsSync(path));
});

buildLock("one of a living process is waited for, and then the process is named", async () => {
	const { lock } = (await import(MODULE)) as {
		lock(path: string, limits: { wait_ms: number; poll_ms: number }): () => void;
	};
	const path = join(folder, "lock");
	writeFileSync(path, String(process.pid));
	assert.throws(
		() => lock(path, { wait_ms: 5, poll_ms: 1 }),
		new RegExp(`another build \\(process ${process.pid}\\) does not end`),
	);
	assert.ok(existsSync(path));
});

buildLock.run();
