/**
 * Runs the tests: `node scripts/test.mjs [part of a path]...`, all of test/ without arguments.
 *
 * Files that start processes have a process each, so that one that hangs, crashes or leaks takes no other with it;
 * files that only compute share a process by the dozen, because loading the program is most of their time. Each
 * process has a time limit; they share a temporary folder that goes at the end. Ends with the one line
 * `N passed, N failed`, followed by `, N skipped` when suites were left out; the exit code tells whether everything
 * passed.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { resultsOf, tallyOf } from "./uvu-summary.mjs";

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
const BY_NAME_ONLY = /^test\/(chaos\/(chaos|outage|recovery.*|live-.+)|web\/.+)\.test\.ts$/;

/**
 * Many seeds, whole histories, every cut of them. They run last, in this order, as long as there is time to begin one;
 * what is left is told as skipped and runs with `npm run test:long`.
 */
const LONG = [
	/^test\/stuck\/processes/,
	/^test\/strategies\/(.*placebo.*|.*measured.*|look-ahead|every-strategy)/,
	/^test\/strategies\/(warm-up|price-units|damaged-views|knows-no-future|rows-explain|gates|micro-seeds|pairs-discoveries)/,
	/^test\/record\/record/,
	/^test\/bench\/(calibration|timing)/,
	/^test\/market\/replay-real/,
];
const BEGIN_LONG_BEFORE_MS = settingOf("TEST_BEGIN_LONG_BEFORE_MS", 300_000);
/** On a machine that is too slow for all of them, what cannot end in time is not begun, and told. */
const BEGIN_BEFORE_MS = settingOf("TEST_BEGIN_BEFORE_MS", 0.85 * TOTAL_LIMIT_MS);
/** Those that start whole programs wait more than they compute: begun first, the others fill their waits. */
const FIRST = /^test\/(program|tidy|packaging)/;

/** Files that start no process of the program and change nothing of their own process. */
const SHARES_A_PROCESS =
	/^test\/(accounts|api|cli|commands|config|docs|effects|exchange|inspect|machines|market|metrics|process|queries|queue|runtime|schedules|store|strategies|views|webhooks)\/|^test\/(?!tidy)[^/]+$/;
const SHARING_MAX = 12;
/** Long ones are begun one by one as long as there is time, so few may share. */
const LONG_SHARING_MAX = 2;

const patterns = process.argv.slice(2);
const nameOf = (file) => relative(ROOT, file).split(sep).join("/");
/** 0 for a file that is not long, else its place in the order of long ones, from 1. */
const longRank = (file) => (patterns.length === 0 ? LONG.findIndex((part) => part.test(nameOf(file))) + 1 : 0);
const isFirst = (file) => Number(FIRST.test(nameOf(file)));
const chosen = testFiles(join(ROOT, "test"))
	.filter((file) =>
		patterns.length === 0
			? !BY_NAME_ONLY.test(nameOf(file))
			: patterns.some((pattern) => nameOf(file).includes(pattern)),
	)
	.sort((a, b) => longRank(a) - longRank(b) || isFirst(b) - isFirst(a) || (a < b ? -1 : 1));
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

/** Files in the order of running, those of one process together. */
function processesOf(files) {
	const processes = [];
	for (const file of files) {
		const folder = SHARES_A_PROCESS.test(nameOf(file)) ? dirname(file) : null;
		const long = longRank(file) > 0;
		const last = processes.at(-1);
		const room = last && last.files.length < (long ? LONG_SHARING_MAX : SHARING_MAX);
		if (folder !== null && room && last.folder === folder && last.long === long) last.files.push(file);
		else processes.push({ folder, long, files: [file] });
	}
	return processes;
}

/** Runs the files in a process group of their own, so that what they started ends with them. */
function runFiles(files) {
	const limit = Math.max(1, Math.min(FILE_LIMIT_MS, TOTAL_LIMIT_MS - (performance.now() - startedAt)));
	return new Promise((resolve) => {
		const child = spawn(process.execPath, ["--import", "tsx", join(ROOT, "scripts/test-files.mjs"), ...files], {
			cwd: ROOT,
			// One folder for all: what tsx has compiled for one process serves the next, and everything goes at the end.
			env: { ...process.env, TMPDIR: temporary, NODE_ENV: "test", FORCE_COLOR: "0", NO_COLOR: "1" },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		running.add(child);
		let output = "";
		let timedOut = false;
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding("utf8").on("data", (text) => {
				if (output.length < OUTPUT_MAX * files.length) output += text;
			});
		}
		const timer = setTimeout(() => {
			timedOut = true;
			killTree(child);
		}, limit);
		child.on("exit", () => {
			clearTimeout(timer);
			// Whatever the files left behind would hold their output open for ever.
			killTree(child);
		});
		child.on("close", (code) => {
			running.delete(child);
			resolve(resultsOf(files, output, code, timedOut ? limit : null));
		});
	});
}

function report({ file, code, output, limitMs, tookMs }) {
	const tally = tallyOf(output, code, limitMs);
	total.passed += tally.passed;
	total.failed += tally.failed;
	total.skipped += tally.skipped;
	const name = nameOf(file);
	if (tally.problem === null) {
		const told = output.split("\n").filter((line) => /^skip(?!ped:\s*\d+$)/i.test(line.trim()));
		const skips = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
		console.log(`ok    ${name} (${tally.passed} passed${skips}) ${(tookMs / 1000).toFixed(1)} s`);
		for (const line of told) console.log(`      ${line.trim()}`);
	} else {
		console.log(`FAIL  ${name}: ${tally.problem}`);
		console.log(output.trimEnd());
	}
}

async function runAll() {
	const processes = processesOf(chosen);
	const lane = async () => {
		for (let next = processes.shift(); next; next = processes.shift()) {
			if (performance.now() - startedAt > (next.long ? BEGIN_LONG_BEFORE_MS : BEGIN_BEFORE_MS)) {
				for (const file of next.files) {
					total.skipped += 1;
					console.log(`      skipped: ${nameOf(file)}, no time left to begin it; it runs with npm run test:long`);
				}
				continue;
			}
			for (const result of await runFiles(next.files)) report(result);
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
