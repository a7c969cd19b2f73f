import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasRedisServer } from "../support/redis-process.ts";
import { startCluster } from "./cluster.ts";
import { measureKills, P95_MS_MAX, quantile, SLOW_MARKET, summaryOf } from "./recovery.ts";

const test = suite("recovery after twenty times SIGKILL");
const KILLS = 20;

const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: twenty kills of real processes, no redis-server on PATH\n");

withServer("at default settings work goes on within 15 s, 95th percentile", async () => {
	const cluster = await startCluster({ apis: 1, workers: 2, env: SLOW_MARKET });
	try {
		const took = await measureKills(cluster, KILLS, () => undefined);
		const told = summaryOf(took);
		process.stdout.write(`${told}\n`);
		assert.is(took.length, KILLS);
		assert.ok(quantile(took, 0.95) <= P95_MS_MAX, told);
	} finally {
		await cluster.close();
	}
});

test.run();
