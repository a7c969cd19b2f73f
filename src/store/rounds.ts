import type { Redis } from "ioredis";
import { createEndLedger, type EndLedger } from "./end-ledger.ts";
import { gathering, type Pace } from "./gathering.ts";
import { globalKeys } from "./keys.ts";
import { enterAll, unlist } from "./scan-index.ts";
import type { Script } from "./scripts.ts";
import { TOTAL } from "./totals.ts";

/**
 * The small writes about scans that this process does for many of them together: their counts, and their marks in the
 * indexes of all. What returns nothing is waited for by nobody: what a killed process leaves of it the sweeper does, but
 * for its last counts of starts.
 */
export interface Rounds extends EndLedger {
	/** A scan was started. */
	started(): void;
	/** Takes it off the list of those that wait for a worker. */
	claimed(scanId: string): void;
	/** Takes it off all lists of scans that run. */
	ended(scanId: string): void;
	/** Does it when the next round begins: what many send then leaves in one packet. */
	inNext<T>(act: () => Promise<T>): Promise<T>;
	/** Notes when a tombstone is over; the first note stands. */
	buried(note: [overAtMs: number, note: string]): Promise<void>;
	/** What is under way from now on, for `settle`. */
	noted<T>(work: Promise<T>): Promise<T>;
	/** Does at once what rests, and resolves when nothing of it is under way any more. */
	settle(): Promise<void>;
}

interface RoundsDeps {
	redis: Redis;
	run: (script: Script, args: (string | number)[]) => Promise<unknown>;
	retentionMs: number;
	/** Absent: nothing rests. */
	pace?: Pace | undefined;
}

/**
 * Each thing that is done for many scans together is done once in this time, unless a whole round waits: on a busy server
 * that saves a tenth of what a scan costs. A scan that ends or starts alone waits for nothing.
 */
export const ROUNDS_EVERY_MS = 25;
/** What many ask for at once is done for this many together. */
const TOGETHER_MAX = 100;

export function createRounds({ redis, run, retentionMs, pace }: RoundsDeps): Rounds {
	const together = <T>(act: (items: T[]) => Promise<unknown>) => gathering<T>(TOGETHER_MAX, act, pace);
	const started = together<void>(({ length }) => redis.hincrby(globalKeys.totals, TOTAL.started, length));
	// How many wait there decides whether starts are refused, so this does not rest.
	const claimed = gathering<string>(TOGETHER_MAX, (scanIds) => redis.zrem(globalKeys.unclaimed, ...scanIds));
	const ended = together<string>((scanIds) => unlist(redis, scanIds));
	const next = together<void>(async () => {});
	const underWay = new Set<Promise<unknown>>();
	const noted = <T>(work: Promise<T>): Promise<T> => {
		const over = () => void underWay.delete(work);
		underWay.add(work);
		work.then(over, over);
		return work;
	};
	const aside = (work: Promise<unknown>): void => void noted(work);
	return {
		...createEndLedger({ redis, run, retentionMs, pace }),
		started: () => aside(started()),
		claimed: (scanId) => aside(claimed(scanId)),
		ended: (scanId) => aside(ended(scanId)),
		inNext: (act) => next().then(act),
		noted,
		buried: together((notes) => enterAll(redis, globalKeys.tombstones, notes)),
		async settle() {
			pace?.end();
			while (underWay.size > 0) await Promise.allSettled(underWay);
		},
	};
}
