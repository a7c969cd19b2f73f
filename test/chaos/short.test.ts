/** A few seconds of chaos among real processes with every run of the tests; `npm run chaos` goes on for longer. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasRedisServer } from "../support/redis-process.ts";
import { BOUNDS } from "./history.ts";
import { runChaos } from "./run.ts";
import type { Fault } from "./schedule.ts";

const test = suite("chaos, a short run");

/** Each sort of fault once: a worker dies, one stands still past its lease, Redis dies, and a link lies and breaks. */
const FAULTS: Fault[] = [
	{ at_ms: 300, kind: "worker_freeze", target: 1, for_ms: 2_600 },
	{ at_ms: 700, kind: "link_lose_replies", target: 1, for_ms: 500 },
	{ at_ms: 1_200, kind: "worker_kill", target: 0, for_ms: 300 },
	{ at_ms: 1_900, kind: "clients_kill", target: 0, for_ms: 0 },
	{ at_ms: 2_500, kind: "api_kill", target: 1, for_ms: 100 },
	{ at_ms: 3_000, kind: "redis_kill", target: 0, for_ms: 400 },
	{ at_ms: 3_600, kind: "link_half_open", target: 0, for_ms: 600 },
];
const SECONDS = 4;
const SEED = 11;

/** How quick the machine is proves nothing here: what must never happen is looked for, however late it is. */
const UNHURRIED = { ...BOUNDS, end_grace_ms: 60_000, answer_ms: 60_000, ready_ms: 60_000 };

const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: chaos among real processes, no redis-server on PATH\n");

withServer("killed, frozen, lied to and cut off: no scan is lost, none lies, each ends once", async () => {
	const lines: string[] = [];
	const report = await runChaos({
		seconds: SECONDS,
		seed: SEED,
		schedule: FAULTS,
		users: 2,
		workers: 2,
		symbolSets: 3,
		env: { MARKET_LATENCY_MS: "30" },
		bounds: UNHURRIED,
		say: (line) => void lines.push(line),
	});
	const facts = `${lines.join("\n")}\n${JSON.stringify(report, null, 1)}`;
	assert.equal(report.violations, [], facts);
	assert.ok(report.scans >= 2, facts);
	assert.ok(Object.keys(report.struck).length >= 5, facts);
	const ended = Object.values(report.ends).reduce((sum, count) => sum + count, 0);
	assert.ok(ended >= report.scans, facts);
	process.stdout.write(`  ${report.scans} scans under ${Object.values(report.struck).length} sorts of faults\n`);
});

test.run();
