import { setTimeout as pause } from "node:timers/promises";
import { entriesOf } from "../../src/store/journal-codec.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { ADMIN, type Cluster, startCluster } from "./cluster.ts";
import { BOUNDS, type Bounds, checkHistory, isWhole } from "./history.ts";
import { type Load, makeUsers, startLoad, type Told } from "./load.ts";
import { sharedMs, watchMachine } from "./machine-load.ts";
import { startNemesis } from "./nemesis.ts";
import type { History, JournalLine, Observation, ScanEndSeen, Violation } from "./observations.ts";
import { type Fault, makeSchedule } from "./schedule.ts";

export interface ChaosOptions {
	seconds: number;
	seed: number;
	say: (line: string) => void;
	users?: number;
	perUser?: number;
	symbolSets?: number;
	workers?: number;
	fsync?: "always" | "everysec";
	entry?: readonly string[];
	ownSessions?: boolean;
	env?: Record<string, string>;
	bounds?: Bounds;
	/** What is done to the cluster; absent: a schedule from the seed. */
	schedule?: readonly Fault[];
	/** How far apart faults come on average. */
	gapMs?: number;
}

export interface ChaosReport {
	violations: Violation[];
	struck: Record<string, number>;
	/** Ids that were told to somebody. */
	scans: number;
	ends: Record<string, number>;
	/** Scans that went from one worker to another. */
	resumed: number;
	/** Completed scans that were compared with an undisturbed one of the same filters. */
	compared: number;
	answers: Record<string, number>;
	/** How long the machine was busy with other things, in sum. */
	held_up_ms: number;
	slowest_answer_ms: number;
	/** From the end of the last fault until every API process says that it is ready again. */
	ready_after_ms: number;
}

/** Short leases make many take-overs; the budget lets deadlines come into play. */
const SETTINGS = {
	MARKET: "simulated:1",
	MARKET_LATENCY_MS: "150",
	MARKET_AS_OF: "2026-03-19T19:00:00Z",
	LEASE_MS: "2000",
	SCAN_BUDGET_MS: "30000",
	MAX_RESUMES: "5",
	FORCE_JOIN_MS: "1000",
	RESULT_FRESH_MS: "3000",
};

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
	const { seconds, seed, say } = options;
	const sizes = { apis: 2, workers: options.workers ?? 3 };
	const bounds = options.bounds ?? BOUNDS;
	const schedule = options.schedule ?? makeSchedule(seed, seconds, sizes, options.gapMs);
	const cluster = await startCluster({
		...sizes,
		env: { ...SETTINGS, ...options.env },
		...(options.fsync ? { fsync: options.fsync } : {}),
		...(options.entry ? { entry: options.entry } : {}),
		ownSessions: options.ownSessions ?? false,
	});
	const machine = watchMachine(cluster.redis.admin);
	try {
		const observations: Observation[] = [];
		const note = (seen: Observation) => void observations.push(seen);
		const users = await makeUsers(cluster.urls, ADMIN, options.users ?? 3, note);
		const load = startLoad(users, options.perUser ?? 2, seed, options.symbolSets ?? 35);
		const nemesis = startNemesis(cluster, schedule, say);
		await Promise.all([nemesis.done, pause(seconds * 1000)]);
		const ready_after_ms = await untilReady(cluster, bounds.ready_ms);
		await load.stop();
		const { outages } = nemesis;
		const seen = await readAll(cluster, load, say);
		const history: History = { observations, outages, held_up: machine.heldUp(outages), ...seen };
		const violations = checkHistory(history, bounds);
		if (ready_after_ms > bounds.ready_ms) {
			violations.push({ rule: "recovers by itself", scan_id: "", detail: `not ready after ${ready_after_ms} ms` });
		}
		return { violations, struck: Object.fromEntries(nemesis.struck), ready_after_ms, ...summary(history) };
	} finally {
		await machine.stop();
		await cluster.close();
	}
}

/** Asks each API process until it is ready, which needs Redis, a worker and a fresh sweep. */
async function untilReady(cluster: Cluster, limitMs: number): Promise<number> {
	const beganAt = performance.now();
	const isReady = async (url: string): Promise<boolean> => {
		const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3_000) }).catch(() => null);
		const body = (await answer?.json().catch(() => null)) as { status?: string } | null;
		return body?.status === "ready";
	};
	for (;;) {
		const urls = cluster.urls();
		const ready = await Promise.all(urls.map(isReady));
		const took = performance.now() - beganAt;
		if ((urls.length === cluster.apis.length && !ready.includes(false)) || took > limitMs) return Math.round(took);
		await pause(100);
	}
}

/** Reads the end and the journal of every scan that was told, then runs each set of filters undisturbed. */
async function readAll(
	cluster: Cluster,
	load: Load,
	say: (line: string) => void,
): Promise<Pick<History, "ends" | "journals" | "undisturbed">> {
	const ends = new Map<string, ScanEndSeen>();
	const journals = new Map<string, JournalLine[]>();
	const undisturbed = new Map<string, ScanEndSeen>();
	await inLanes([...load.told], 6, async ([scanId, told]) => {
		const end = await untilEnded(told, scanId);
		if (end) ends.set(scanId, end);
		else say(`no end: ${scanId}`);
		journals.set(scanId, await journalOf(cluster, scanId));
	});
	const compared = [...load.told].filter(([scanId]) => {
		const end = ends.get(scanId);
		return end !== undefined && isWhole(end);
	});
	const samples = new Map(compared.map(([, told]) => [told.filters, told]));
	await inLanes([...samples], 6, async ([filters, told]) => {
		const caller = told.user.caller(0);
		const started = await caller.start(told.user.name, { ...told.request, force_refresh: true });
		const end = started && (await untilEnded(told, started.scan_id));
		if (!started || !end) return say(`no undisturbed scan of ${filters}`);
		undisturbed.set(filters, end);
		ends.set(started.scan_id, end);
		journals.set(started.scan_id, await journalOf(cluster, started.scan_id));
	});
	return { ends, journals, undisturbed };
}

/** Longer than any scan may run. */
const END_WAIT_MS = 60_000;

async function untilEnded(told: Told, scanId: string): Promise<ScanEndSeen | null> {
	const caller = told.user.caller(1);
	const giveUpAt = performance.now() + END_WAIT_MS;
	while (performance.now() < giveUpAt) {
		const body = await caller.status(scanId, 1);
		const end = body?.ended_at_ms ? await caller.results(scanId) : null;
		if (end) return end;
	}
	return null;
}

/** From Redis itself: what is there, and not what some process says of it. */
async function journalOf(cluster: Cluster, scanId: string): Promise<JournalLine[]> {
	const entries = await cluster.redis.admin.xrange(scanKeys(scanId).journal, "-", "+");
	return entries.flatMap(entriesOf);
}

async function inLanes<T>(items: T[], lanes: number, each: (item: T) => Promise<void>): Promise<void> {
	const work = async () => {
		for (let item = items.shift(); item !== undefined; item = items.shift()) await each(item);
	};
	await Promise.all(Array.from({ length: lanes }, work));
}

const tally = (words: Iterable<string>): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
	return counts;
};

function summary({ observations, ends, journals, undisturbed, held_up }: History) {
	const starts = observations.filter((seen) => seen.kind === "start");
	const answers = observations.filter((seen) => seen.kind === "answer");
	const filtersOf = new Map(starts.map(({ scan_id, filters }) => [scan_id, filters]));
	const word = (end: ScanEndSeen) =>
		end.state === "complete" ? (isWhole(end) ? "complete" : "complete with gaps") : `${end.state} (${end.reason})`;
	return {
		scans: filtersOf.size,
		ends: tally([...ends.values()].map(word)),
		resumed: [...journals.values()].filter((lines) => lines.some(({ type }) => type === "scan.resumed")).length,
		held_up_ms: sharedMs(held_up, [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]),
		compared: [...ends].filter(([scanId, end]) => isWhole(end) && undisturbed.has(filtersOf.get(scanId) ?? "")).length,
		answers: tally(answers.map(({ http }) => (http === 0 ? "no connection" : String(http)))),
		slowest_answer_ms: Math.max(
			0,
			...answers.filter(({ http }) => http > 0).map((a) => a.done_ms - a.sent_ms - a.wait_ms),
		),
	};
}
