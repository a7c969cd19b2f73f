import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasRedisServer } from "../support/redis-process.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { adminOf, holderOf, killAndMeasure, P95_MS_MAX, quantile, SLOW_MARKET, startHeldScan } from "./recovery.ts";

const test = suite("recovery after SIGKILL");
const SHORT_LEASE_MS = 2_000;

test("quantiles are nearest-rank", () => {
	const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
	assert.equal([quantile(hundred, 0.5), quantile(hundred, 0.95), quantile([7], 0.95)], [50, 95, 7]);
});

const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: recovery of real processes, no redis-server on PATH\n");

withServer("work goes on within 15 s of each kill at default settings, sooner with a shorter lease", async () => {
	const cluster: Cluster = await startCluster({ apis: 1, workers: 2, env: SLOW_MARKET });
	try {
		const caller = await adminOf(cluster);
		const first = await startHeldScan(cluster, caller);
		const byDefault = [await killAndMeasure(cluster, first)];
		await caller.cancel(first.scan_id);

		const short = { LEASE_MS: String(SHORT_LEASE_MS) };
		const shortOnes = await Promise.all([cluster.addWorker(short), cluster.addWorker(short)]);
		const next = await startHeldScan(cluster, caller);
		if (!shortOnes.includes(next.holder)) {
			byDefault.push(await killAndMeasure(cluster, next));
			next.holder = await holderOf(cluster, next.scan_id);
		}
		assert.ok(shortOnes.includes(next.holder));
		const shorter = await killAndMeasure(cluster, next);
		const told = `recovered after ${byDefault.join(" and ")} ms, with LEASE_MS=${SHORT_LEASE_MS} after ${shorter} ms`;
		process.stdout.write(`${told}\n`);
		for (const tookMs of byDefault) assert.ok(tookMs <= P95_MS_MAX, told);
		assert.ok(shorter < Math.min(...byDefault), told);
	} finally {
		await cluster.close();
	}
});

test.run();
