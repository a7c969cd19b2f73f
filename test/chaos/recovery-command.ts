/**
 * `npm run recovery -- --kills 20`: kills the worker that holds a scan again and again and measures how long
 * the scan stands still, with every setting of liveness at its default; `--lease 2000` sets LEASE_MS.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUILT, FROM_SOURCE } from "../support/program.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { startCluster } from "./cluster.ts";
import { adminOf, killAndMeasure, quantile, SLOW_MARKET, startHeldScan } from "./recovery.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
	options: { kills: { type: "string", default: "20" }, lease: { type: "string" } },
});
const P95_MS_MAX = 15_000;

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
	const took: number[] = [];
	try {
		const caller = await adminOf(cluster);
		for (let i = 0; i < kills; i++) {
			const held = await startHeldScan(cluster, caller);
			const tookMs = await killAndMeasure(cluster, held);
			took.push(tookMs);
			say(`kill ${String(i + 1).padStart(3)}: ${tookMs} ms`);
			await caller.cancel(held.scan_id);
			// The other worker has read next to nothing before the cancel, so its next scan is a slow one as well.
			while (!(await cluster.start(held.holder)));
		}
	} finally {
		await cluster.close();
	}
	const p95 = quantile(took, 0.95);
	say(
		`${took.length} kills with LEASE_MS ${values.lease ?? "at its default"}: min ${Math.min(...took)} ms, median ${quantile(took, 0.5)} ms, p95 ${p95} ms, max ${Math.max(...took)} ms`,
	);
	process.exitCode = p95 <= P95_MS_MAX ? 0 : 1;
}

await main();
