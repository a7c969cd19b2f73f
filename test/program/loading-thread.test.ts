import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { build } from "../support/program.ts";

const loading = suite("program: a process that ends while a thread of it loads");

const POOL = pathToFileURL(resolve(import.meta.dirname, "../../dist/src/worker-pool.js")).href;
const NAMES = 20_000;
const FILES = 50;

let dir = "";
/** As the start command has them: some may not be told to a thread. */
let flags: string[] = [];

/** ES modules that take most of a second to link: many names, each looked for through many files. */
loading.before(async () => {
	await build();
	const { scripts } = JSON.parse(await readFile(resolve(import.meta.dirname, "../../package.json"), "utf8"));
	flags = String(scripts.start).match(/--[\w-]+(=\S+)?/g) ?? [];
	assert.ok(flags.length > 0);
	dir = await mkdtemp(join(tmpdir(), "lt-"));
	const names = Array.from({ length: NAMES }, (_, index) => `n${index}`);
	await writeFile(join(dir, "m0.mjs"), names.map((name) => `export const ${name} = 0;`).join("\n"));
	for (let file = 1; file < FILES; file += 1)
		await writeFile(join(dir, `m${file}.mjs`), `export * from "./m${file - 1}.mjs";`);
	const imports = `import { ${names.join(", ")} } from "./m${FILES - 1}.mjs";`;
	const says = `import { writeSync } from "node:fs";\nwriteSync(1, "loaded");`;
	await writeFile(join(dir, "thread.mjs"), `${imports}\n${says}\nexport default () => n0;`);
});

loading.after(() => rm(dir, { recursive: true, force: true }));

/** How a process ends that has begun a pool whose thread has that to load, and does that with it. */
async function processThat(does: string) {
	const child = spawn(
		process.execPath,
		[
			...flags,
			"--input-type=module",
			"-e",
			`import { openWorkerPool } from ${JSON.stringify(POOL)};
			const pool = openWorkerPool({ filename: ${JSON.stringify(pathToFileURL(join(dir, "thread.mjs")).href)}, minThreads: 1 }, (error) => error);
			${does}`,
		],
		{ stdio: ["ignore", "pipe", "pipe"] },
	);
	let text = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (chunk: string) => {
			text += chunk;
		});
	const [code, signal] = await once(child, "close");
	return { end: [code, signal], text };
}

loading("ends with the code it chose, at any moment of it", async () => {
	const texts: string[] = [];
	for (const delayMs of [100, 200, 300, 400, 500]) {
		const { end, text } = await processThat(`setTimeout(() => process.exit(1), ${delayMs})`);
		assert.equal(end, [1, null], `after ${delayMs} ms: ${text.slice(-2_000)}`);
		texts.push(text);
	}
	assert.ok(
		texts.some((text) => !text.includes("loaded")),
		"one at least had not loaded",
	);
});

loading("has its answers when it waits for them", async () => {
	const { end, text } = await processThat(
		"const answer = await pool.run({}); console.log(' answer', answer); process.exit(0);",
	);
	assert.equal([end, text], [[0, null], "loaded answer 0\n"]);
});

loading.run();
