import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { built } from "../../bench/orchestration/build.ts";
import { LOOKOUT_FLAGS } from "../../bench/orchestration/sides.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** In the project, where its packages are found. */
const BUILT = join(ROOT, "dist", "bench", `young-scans-${process.pid}.mjs`);

const WARM_UP = 600;
const COUNTED = 800;
const LIMIT_MS = 90_000;

/** What a scan leaves to the garbage collector: a figure without a clock, since what lives on is copied twice. */
const young = suite("what a scan leaves among old objects");

let redis: TestRedis;
young.before(async () => {
	redis = await startTestRedis();
	await built(join(ROOT, "test", "support", "young-scans.ts"), BUILT);
});
young.after(async () => {
	await redis.close();
	await rm(BUILT, { force: true });
});

young("the benchmark runs the program as its start command does", () => {
	const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
	assert.is(scripts.start, ["node", ...LOOKOUT_FLAGS, "dist/src/main.js"].join(" "));
});

young("nearly nothing: no scan lives on by one that came before it, or by a hidden class of its own", async () => {
	if (redis.kind === "memory") {
		process.stdout.write("  skipped: the embedded server runs fewer scans at once\n");
		return;
	}
	const args = [...LOOKOUT_FLAGS, BUILT, JSON.stringify(redis.connection), String(WARM_UP), String(COUNTED)];
	const { stdout } = await run(process.execPath, args, {
		timeout: LIMIT_MS,
		env: { ...process.env, NODE_OPTIONS: "" },
	});
	const { old_bytes } = JSON.parse(stdout);
	// A whole scan is more than 80 KB. What is left are compiled code and the few that were in hand twice.
	assert.ok(old_bytes > 0 && old_bytes < 16 * 1024, `${Math.round(old_bytes)} bytes a scan`);
});

young.run();
