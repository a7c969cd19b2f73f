import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasRedisServer } from "../support/redis-process.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { adminOf, holderOf, killAndMeasure, quantile, SLOW_MARKET, startHeldScan } from "./recovery.ts";

const test = suite("recovery after SIGKILL");
const RECOVERED_MS_MAX = 15_000;
const SHORT_LEASE_MS = 2_000;

test("quantiles are nearest-rank", () => {
	const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
	assert.equal([quantile(hundred, 0.5), quantile(hundred, 0.95), quantile([7], 0.95)], [50, 95, 7]);
});

const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: recovery of real processes, no redis-server on PATH\n");

withServer("work goes on within 15 s of each kill at default settings, sooner with a shorter lease", async () => {
	// One scan serves all kills: how often it may change hands has no influence on how soon it does.
	const env = { ...SLOW_MARKET, MAX_RESUMES: "5" };
	const cluster: Cluster = await startCluster({ apis: 1, workers: 2, env });
	try {
		const caller = await adminOf(cluster);
		const first = await startHeldScan(cluster, caller);
		const holder = () => holderOf(cluster, first.scan_id);
		const once = await killAndMeasure(cluster, first);
		// The successors start while the scan waits for the lease of the last default worker to run out.
		const short = { LEASE_MS: String(SHORT_LEASE_MS) };
		const second = { ...first, holder: await holder() };
		const [twice] = await Promise.all([
			killAndMeasure(cluster, second),
			cluster.addWorker(short),
			cluster.addWorker(short),
		]);
		for (const tookMs of [once, twice]) assert.ok(tookMs <= RECOVERED_MS_MAX, `${tookMs} ms`);
		const shorter = await killAndMeasure(cluster, { ...first, holder: await holder() });
		process.stdout.write(
			`recovered after ${once} and ${twice} ms, with LEASE_MS=${SHORT_LEASE_MS} after ${shorter} ms\n`,
		);
		assert.ok(shorter < Math.min(once, twice), `${shorter} ms is not less than ${once} and ${twice} ms`);
	} finally {
		await cluster.close();
	}
});

test.run();
