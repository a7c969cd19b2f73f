import type { Redis } from "ioredis";
import type { EndedScan, ScanRecord } from "./contract.ts";
import { gathering, type Pace } from "./gathering.ts";
import { dayKeys, globalKeys, totalsGuardKey } from "./keys.ts";
import { whenFull } from "./scan-index.ts";
import * as scripts from "./scripts.ts";
import { addAmounts, frontCoded } from "./totals.ts";

/**
 * Counts ended scans in the statistics of their day and in the running totals, each once however often it is booked.
 * Scans that end while a count is under way are counted together by the next one, so that a busy server counts many
 * with the commands of one; a lone scan waits for nothing.
 */
export interface EndLedger {
	/** Resolves when the scan is counted; rejects when it may not be, and may then be asked for again. */
	count(record: ScanRecord, ended: CountedEnd): Promise<void>;
}

export type CountedEnd = EndedScan & { timeouts: number; failed: boolean };

interface Waiting {
	record: ScanRecord;
	ended: CountedEnd;
}

interface LedgerDeps {
	redis: Redis;
	run: (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;
	retentionMs: number;
	pace?: Pace | undefined;
}

const TOGETHER_MAX = 100;
const DAY_S = 86_400;
const STATISTICS_TTL_S = 7 * DAY_S;
const RECENT_KEPT = 200;

/** What is retained can be booked again, by a redrive or a clear, and must still be known then. */
export const guardTtlS = (retentionMs: number): number =>
	Math.max(STATISTICS_TTL_S, Math.ceil(retentionMs / 1_000) + DAY_S);

type DayKeys = ReturnType<typeof dayKeys>;

export function createEndLedger(deps: LedgerDeps): EndLedger {
	const count = gathering<Waiting>(TOGETHER_MAX, (together) => countTogether(deps, together), deps.pace);
	return { count: (record, ended) => count({ record, ended }) };
}

async function countTogether(deps: LedgerDeps, together: readonly Waiting[]): Promise<void> {
	// Who cancels a scan and who runs it both book its end, often at the same moment.
	const distinct = new Map(together.map((one) => [one.ended.scan_id, one]));
	const byDay = new Map<string, Waiting[]>();
	for (const one of distinct.values()) {
		const day = one.ended.timestamp.slice(0, 10);
		byDay.set(day, [...(byDay.get(day) ?? []), one]);
	}
	await Promise.all([...byDay].flatMap(([day, scans]) => [countDay(deps, day, scans), countTotals(deps, day, scans)]));
}

async function countDay({ redis, run, retentionMs }: LedgerDeps, date: string, scans: readonly Waiting[]) {
	const day = dayKeys(date);
	const figures = scans.flatMap(({ ended }) => [
		ended.scan_id,
		ended.success ? 1 : 0,
		ended.opportunities_discovered,
		ended.strategies_scanned,
		ended.execution_time_ms,
		ended.timeouts,
	]);
	const ttls = [STATISTICS_TTL_S, guardTtlS(retentionMs)];
	const counted = await run(scripts.COUNT, [day.stats, day.counted, day.timeouts, ...ttls, ...figures]);
	const fresh = new Set(counted as string[]);
	const texts = scans
		.filter(({ ended }) => fresh.has(ended.scan_id))
		.map(({ ended: { timeouts: _, failed: __, ...latest } }) => JSON.stringify(latest));
	if (texts.length > 0) listRecent({ redis, run, retentionMs }, texts);
	await countErrors(run, day, scans, ttls);
}

async function countErrors(
	run: LedgerDeps["run"],
	day: DayKeys,
	scans: readonly Waiting[],
	ttls: readonly number[],
): Promise<void> {
	const failed = scans.flatMap(({ ended }) => (ended.failed ? [ended.scan_id] : []));
	if (failed.length > 0) await run(scripts.COUNT_ERRORS, [day.errors, day.errorsCounted, ...ttls, ...failed]);
}

/**
 * Nothing is decided by these lists and nobody waits for them: a process that dies here lacks these scans in them. All
 * on one connection and in this order; what a full server refuses is sent as a script that it has to take.
 * @param texts oldest end first, one at least
 */
function listRecent({ redis, run, retentionMs }: LedgerDeps, texts: readonly string[]): void {
	const { latest, recent } = globalKeys;
	const newest = texts.at(-1) as string;
	Promise.all([
		redis
			.set(latest, newest, "PX", retentionMs)
			.catch(whenFull(() => run(scripts.LATEST, [latest, newest, retentionMs]))),
		redis.lpush(recent, ...texts).catch(whenFull(() => run(scripts.RECENT, [recent, RECENT_KEPT, ...texts]))),
		redis.ltrim(recent, 0, RECENT_KEPT - 1),
	]).catch(() => undefined);
}

/** The script adds a sum for all of its scans or for none: those that were counted before are left out and it is asked again. */
async function countTotals({ run, retentionMs }: LedgerDeps, date: string, scans: readonly Waiting[]): Promise<void> {
	for (let left = scans; left.length > 0; ) {
		const sums = new Map<string, number>();
		for (const { record } of left) addAmounts(sums, record);
		const ids = left.map(({ ended }) => ended.scan_id);
		const args = [globalKeys.totals, totalsGuardKey(date), guardTtlS(retentionMs), ids.length, ...ids];
		args.push(...frontCoded(sums));
		const known = (await run(scripts.COUNT_TOTALS, args)) as string[];
		if (known.length === 0) return;
		left = left.filter(({ ended }) => !known.includes(ended.scan_id));
	}
}
