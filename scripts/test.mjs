/**
 * Runs the tests: `node scripts/test.mjs [part of a path]...`, all of test/ without arguments.
 *
 * A process per file, so that a file that hangs, crashes or leaks takes no other with it. Each has a time
 * limit; they share a temporary folder that goes at the end. Ends with the one line `N passed, N failed`, followed by
 * `, N skipped` when suites were left out; the exit code tells whether everything passed.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { tallyOf } from "./uvu-summary.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const settingOf = (name, fallback) => Number(process.env[name] || fallback);
const PARALLEL = settingOf("TEST_PARALLEL", 3);
const FILE_LIMIT_MS = settingOf("TEST_FILE_LIMIT_MS", 180_000);
const TOTAL_LIMIT_MS = settingOf("TEST_TOTAL_LIMIT_MS", 350_000);
/** What a file may print before the rest is cut, characters. */
const OUTPUT_MAX = 400_000;

function testFiles(folder) {
	if (!existsSync(folder)) return [];
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return testFiles(path);
		return entry.name.endsWith(".test.ts") ? [path] : [];
	});
}

/**
 * Whole clusters of processes that are killed, frozen and cut off, and browsers: minutes that would take the rest of
 * the tests over their limit. They run when they are named: `npm run test:system`, `npm run test:web`.
 */
const BY_NAME_ONLY = /^test\/(chaos\/(chaos|outage|recovery)|web\/.+)\.test\.ts$/;

/**
 * Many seeds, whole histories, every cut of them. They run last, as long as there is time to begin one; what is left
 * is told as skipped and runs with `npm run test:long`.
 */
const LONG =
	/^test\/(stuck\/processes|strategies\/(warm-up|price-units|damaged-views|knows-no-future|rows-explain|gates|micro-seeds|pairs-discoveries|.*placebo.*|.*measured.*|look-ahead|every-strategy))/;
const BEGIN_LONG_BEFORE_MS = settingOf("TEST_BEGIN_LONG_BEFORE_MS", 200_000);

const patterns = process.argv.slice(2);
const nameOf = (file) => relative(ROOT, file).split(sep).join("/");
const isLong = (file) => Number(patterns.length === 0 && LONG.test(nameOf(file)));
const chosen = testFiles(join(ROOT, "test"))
	.filter((file) =>
		patterns.length === 0
			? !BY_NAME_ONLY.test(nameOf(file))
			: patterns.some((pattern) => nameOf(file).includes(pattern)),
	)
	.sort((a, b) => isLong(a) - isLong(b) || (a < b ? -1 : 1));
const startedAt = performance.now();
const temporary = mkdtempSync(join(tmpdir(), "lt-"));
const running = new Set();
const total = { passed: 0, failed: 0, skipped: 0 };

function killTree(child) {
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		child.kill("SIGKILL");
	}
}

/** Runs one file in a process group of its own, so that what it started ends with it. */
function runFile(file) {
	const limit = Math.max(1, Math.min(FILE_LIMIT_MS, TOTAL_LIMIT_MS - (performance.now() - startedAt)));
	const beganAt = performance.now();
	return new Promise((resolve) => {
		const child = spawn(process.execPath, ["--import", "tsx", file], {
			cwd: ROOT,
			// One folder for all: what tsx has compiled for one file serves the next, and everything goes at the end.
			env: { ...process.env, TMPDIR: temporary, NODE_ENV: "test", FORCE_COLOR: "0", NO_COLOR: "1" },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		running.add(child);
		let output = "";
		let timedOut = false;
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding("utf8").on("data", (text) => {
				if (output.length < OUTPUT_MAX) output += text;
			});
		}
		const timer = setTimeout(() => {
			timedOut = true;
			killTree(child);
		}, limit);
		child.on("exit", () => {
			clearTimeout(timer);
			// Whatever the file left behind would hold its output open for ever.
			killTree(child);
		});
		child.on("close", (code) => {
			running.delete(child);
			resolve({ code, output, limit: timedOut ? limit : null, tookMs: performance.now() - beganAt });
		});
	});
}

function report(file, { code, output, limit, tookMs }) {
	const seconds = (tookMs / 1000).toFixed(1);
	const tally = tallyOf(output, code, limit);
	total.passed += tally.passed;
	total.failed += tally.failed;
	total.skipped += tally.skipped;
	const name = nameOf(file);
	if (tally.problem === null) {
		const told = output.split("\n").filter((line) => /^skip(?!ped:\s*\d+$)/i.test(line.trim()));
		const skips = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
		console.log(`ok    ${name} (${tally.passed} passed${skips}) ${seconds} s`);
		for (const line of told) console.log(`      ${line.trim()}`);
	} else {
		console.log(`FAIL  ${name}: ${tally.problem}`);
		console.log(output.trimEnd());
	}
}

async function runAll() {
	let next = 0;
	const lane = async () => {
		while (next < chosen.length) {
			const index = next++;
			if (isLong(chosen[index]) && performance.now() - startedAt > BEGIN_LONG_BEFORE_MS) {
				total.skipped += 1;
				console.log(
					`      skipped: ${nameOf(chosen[index])}, no time left to begin it; it runs with npm run test:long`,
				);
				continue;
			}
			report(chosen[index], await runFile(chosen[index]));
		}
	};
	await Promise.all(Array.from({ length: PARALLEL }, lane));
}

for (const signal of ["SIGINT", "SIGTERM"]) {
	process.once(signal, () => {
		for (const child of running) killTree(child);
		rmSync(temporary, { recursive: true, force: true });
		process.exit(1);
	});
}

await runAll();
if (patterns.length === 0) {
	for (const file of testFiles(join(ROOT, "test"))
		.map(nameOf)
		.filter((name) => BY_NAME_ONLY.test(name))) {
		total.skipped += 1;
		console.log(
			`      skipped: ${file}; it runs with npm run ${file.startsWith("test/web/") ? "test:web" : "test:system"}`,
		);
	}
}
rmSync(temporary, { recursive: true, force: true });
if (chosen.length === 0) {
	console.log(`FAIL  no test file matches ${patterns.join(" ") || "test/**/*.test.ts"}`);
	total.failed += 1;
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(`\n${chosen.length} files in ${seconds} s`);
const skips = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skips}`);
process.exitCode = total.failed > 0 ? 1 : 0;
