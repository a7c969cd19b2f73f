/**
 * `npm run recovery -- --kills 20`: kills the worker that holds a scan again and again and measures how long
 * the scan stands still, with every setting of liveness at its default; `--lease 2000` sets LEASE_MS.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUILT, FROM_SOURCE } from "../support/program.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { startCluster } from "./cluster.ts";
import { measureKills, P95_MS_MAX, quantile, SLOW_MARKET, summaryOf } from "./recovery.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
	options: { kills: { type: "string", default: "20" }, lease: { type: "string" } },
});

async function main(): Promise<void> {
	if (!hasRedisServer()) {
		say("skipped: recovery, no redis-server on PATH");
		return;
	}
	const kills = Number(values.kills);
	if (!Number.isInteger(kills) || kills < 1) throw new Error("--kills is a whole number above 0");
	const lease: Record<string, string> = values.lease ? { LEASE_MS: values.lease } : {};
	const entry = existsSync("dist/src/main.js") ? BUILT : FROM_SOURCE;
	const cluster = await startCluster({
		apis: 1,
		workers: 2,
		env: { ...SLOW_MARKET, ...lease },
		entry,
		ownSessions: true,
	});
	try {
		let count = 0;
		const took = await measureKills(cluster, kills, (ms) => say(`kill ${String(++count).padStart(3)}: ${ms} ms`));
		say(`LEASE_MS ${values.lease ?? "at its default"}, ${summaryOf(took)}`);
		process.exitCode = quantile(took, 0.95) <= P95_MS_MAX ? 0 : 1;
	} finally {
		await cluster.close();
	}
}

await main();
