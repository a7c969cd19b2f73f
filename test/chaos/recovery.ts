import { setTimeout as pause } from "node:timers/promises";
import { entriesOf } from "../../src/store/journal-codec.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { Caller } from "./caller.ts";
import { ADMIN, type Cluster, type Member } from "./cluster.ts";
import { STRATEGIES } from "./load.ts";

/** How long a scan stands still when the worker that holds it is killed: from SIGKILL to the next journal entry. */

/** A market so slow that a scan of a worker that has read nothing yet lasts longer than any recovery. */
export const SLOW_MARKET = {
	MARKET: "simulated:1",
	MARKET_LATENCY_MS: "4000",
	MARKET_AS_OF: "2026-03-19T19:00:00Z",
};

export async function adminOf(cluster: Cluster): Promise<Caller> {
	const caller = new Caller(cluster.urls, () => undefined);
	if (!(await caller.login(ADMIN.email, ADMIN.password))) throw new Error("the admin cannot log in");
	return caller;
}

export interface Held {
	scan_id: string;
	holder: Member;
}

/** Starts a scan that nobody has asked for before, and waits until a worker is in the middle of it. */
export async function startHeldScan(cluster: Cluster, caller: Caller): Promise<Held> {
	const request = { strategy_ids: STRATEGIES, force_refresh: true };
	const started = await caller.start(ADMIN.email, request);
	if (!started) throw new Error("the scan was not started");
	return { scan_id: started.scan_id, holder: await holderOf(cluster, started.scan_id) };
}

export async function holderOf(cluster: Cluster, scanId: string): Promise<Member> {
	const giveUpAt = performance.now() + 30_000;
	while (performance.now() < giveUpAt) {
		const [worker, position] = await cluster.redis.admin.hmget(scanKeys(scanId).scan, "worker", "position");
		const pid = worker?.split("-")[1];
		const holder = cluster.workers.find(({ program }) => String(program?.process.pid) === pid);
		if (holder && position !== "queued" && position !== "started") return holder;
		await pause(20);
	}
	throw new Error(`no worker holds ${scanId}`);
}

const lastSeq = async (cluster: Cluster, scanId: string): Promise<number> => {
	const [newest] = await cluster.redis.admin.xrevrange(scanKeys(scanId).journal, "+", "-", "COUNT", 1);
	return Number(newest?.[0].split("-", 1)[0] ?? 0);
};

/** Longer than this nobody waits for another worker. */
const GIVE_UP_MS = 40_000;

/** Kills the holder. Milliseconds until another worker has written to the scan's journal. */
export async function killAndMeasure(cluster: Cluster, { scan_id, holder }: Held): Promise<number> {
	const killedAt = performance.now();
	holder.program?.kill("SIGKILL");
	holder.program = null;
	const before = await lastSeq(cluster, scan_id);
	// What the killed process had already sent may still arrive; its successor begins with scan.resumed.
	while (performance.now() - killedAt < GIVE_UP_MS) {
		const entries = await cluster.redis.admin.xrange(scanKeys(scan_id).journal, `${before + 1}-0`, "+");
		if (entries.flatMap(entriesOf).some(({ type }) => type === "scan.resumed"))
			return Math.round(performance.now() - killedAt);
		await pause(20);
	}
	throw new Error(`nobody went on with ${scan_id} within ${GIVE_UP_MS} ms`);
}

/**
 * Kills the worker that holds a scan `kills` times, each time with a new scan and after the victim's place was taken
 * again. Milliseconds of each; `see` is told of them as they come.
 */
export async function measureKills(cluster: Cluster, kills: number, see: (tookMs: number) => void): Promise<number[]> {
	const caller = await adminOf(cluster);
	const took: number[] = [];
	for (let i = 0; i < kills; i++) {
		const held = await startHeldScan(cluster, caller);
		took.push(await killAndMeasure(cluster, held));
		see(took[i] ?? Number.NaN);
		await caller.cancel(held.scan_id);
		// The other worker has read next to nothing before the cancel, so its next scan is a slow one as well.
		while (!(await cluster.start(held.holder)));
	}
	return took;
}

/** What kills came to, in one line. */
export const summaryOf = (took: readonly number[]): string =>
	`${took.length} kills: min ${Math.min(...took)} ms, median ${quantile(took, 0.5)} ms, ` +
	`p95 ${quantile(took, 0.95)} ms, max ${Math.max(...took)} ms`;

/** Work goes on within this time at default settings, 95th percentile. */
export const P95_MS_MAX = 15_000;

/** Nearest-rank quantile of at least one value. */
export function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
