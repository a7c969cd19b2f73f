import type { Redis } from "ioredis";
import type { EndedScan, ScanRecord } from "./contract.ts";
import { dayKeys, globalKeys, totalsGuardKey } from "./keys.ts";
import * as scripts from "./scripts.ts";
import { amountsOf, type Totals } from "./totals.ts";

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
	ended: CountedEnd;
	amounts: Totals;
	done: () => void;
	broken: (error: unknown) => void;
}

interface LedgerDeps {
	redis: Redis;
	run: (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;
	retentionMs: number;
}

const TOGETHER_MAX = 100;
const DAY_S = 86_400;
const STATISTICS_TTL_S = 7 * DAY_S;
const RECENT_KEPT = 200;

export function createEndLedger(deps: LedgerDeps): EndLedger {
	const waiting: Waiting[] = [];
	let counting = false;
	async function countWaiting(): Promise<void> {
		if (counting) return;
		counting = true;
		while (waiting.length > 0) {
			const together = waiting.splice(0, TOGETHER_MAX);
			try {
				await countTogether(deps, together);
				for (const { done } of together) done();
			} catch (error) {
				for (const { broken } of together) broken(error);
			}
		}
		counting = false;
	}
	return {
		count: (record, ended) =>
			new Promise((done, broken) => {
				waiting.push({ ended, amounts: amountsOf(record), done, broken });
				void countWaiting();
			}),
	};
}

async function countTogether(deps: LedgerDeps, together: readonly Waiting[]): Promise<void> {
	const byDay = new Map<string, Waiting[]>();
	for (const one of together) {
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
	const counted = await run(scripts.COUNT, [day.stats, day.counted, day.timeouts, STATISTICS_TTL_S, ...figures]);
	const fresh = new Set(counted as string[]);
	for (const { ended } of scans) {
		if (ended.failed) await run(scripts.COUNT_ERROR, [day.errors, day.errorsCounted, ended.scan_id, STATISTICS_TTL_S]);
	}
	const texts = scans
		.filter(({ ended }) => fresh.has(ended.scan_id))
		.map(({ ended: { timeouts: _, failed: __, ...latest } }) => JSON.stringify(latest));
	const newest = texts.at(-1);
	if (newest === undefined) return;
	// On one connection and in this order. Nothing is decided by them and nobody waits: a process that dies here, or a
	// full server, lacks these scans in them.
	Promise.all([
		redis.set(globalKeys.latest, newest, "PX", retentionMs),
		redis.lpush(globalKeys.recent, ...texts),
		redis.ltrim(globalKeys.recent, 0, RECENT_KEPT - 1),
	]).catch(() => undefined);
}

/** The script adds a sum for all of its scans or for none: those that were counted before are left out and it is asked again. */
async function countTotals({ run }: LedgerDeps, date: string, scans: readonly Waiting[]): Promise<void> {
	for (let left = scans; left.length > 0; ) {
		const sums: Totals = {};
		for (const { amounts } of left) {
			for (const field in amounts) sums[field] = (sums[field] ?? 0) + (amounts[field] as number);
		}
		const ids = left.map(({ ended }) => ended.scan_id);
		const args = [globalKeys.totals, totalsGuardKey(date), STATISTICS_TTL_S, ids.length, ...ids];
		for (const field in sums) args.push(field, sums[field] as number);
		const known = (await run(scripts.COUNT_TOTALS, args)) as string[];
		if (known.length === 0) return;
		left = left.filter(({ ended }) => !known.includes(ended.scan_id));
	}
}
