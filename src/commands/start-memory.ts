import type { Clock } from "../clock.ts";

/**
 * What a process that runs scans knows about a start without asking. What a start asks before it makes a record tells
 * only that none is needed (it joins another scan, a recent result answers it, it is refused) or that others wait.
 * The claim decides the former by itself, so where none of it is to be expected the start begins at once: one wait less.
 */
export interface StartMemory {
	/** Nobody waited a moment ago, nothing of the queue is in hand here, and no like start was made here lately. */
	mayBegin(userId: string, filterKey: string): boolean;
	/** Such a start was made here. */
	note(userId: string, filterKey: string): void;
	/** @param quiet nothing waits in the queue and no start need be refused, at `asked_at_ms` */
	learn(quiet: boolean, asked_at_ms: number): void;
	now(): number;
}

interface StartMemoryDeps {
	/** Its time never goes back. */
	clock: Pick<Clock, "now">;
	/** This process waits for jobs of the queue and has a place left: what came into the queue would have come here. */
	idle(): boolean;
	/** So long a start is likely to meet the scan or the result of a like one, ms. */
	like_ms: number;
}

/** How long an answer about the queue is believed while this process is idle: its connection to the queue may be broken. */
const QUIET_MS = 1_000;
const LIKES_MAX = 10_000;

export function createStartMemory({ clock, idle, like_ms }: StartMemoryDeps): StartMemory {
	/** By user and filters: when the newest start was, the oldest first. */
	const likes = new Map<string, number>();
	/** When the newest answers of either kind were asked for. */
	let quietAtMs = Number.NEGATIVE_INFINITY;
	let busyAtMs = Number.NEGATIVE_INFINITY;
	const keyOf = (userId: string, filterKey: string): string => `${userId} ${filterKey}`;
	return {
		mayBegin(userId, filterKey) {
			if (busyAtMs >= quietAtMs || clock.now() - quietAtMs >= QUIET_MS || !idle()) return false;
			const like = likes.get(keyOf(userId, filterKey));
			return like === undefined || clock.now() - like >= like_ms;
		},
		note(userId, filterKey) {
			const key = keyOf(userId, filterKey);
			likes.delete(key);
			likes.set(key, clock.now());
			const [oldest] = likes.size > LIKES_MAX ? likes.keys() : [];
			if (oldest !== undefined) likes.delete(oldest);
		},
		learn(quiet, asked_at_ms) {
			// Answers may overtake one another.
			if (quiet) quietAtMs = Math.max(quietAtMs, asked_at_ms);
			else busyAtMs = Math.max(busyAtMs, asked_at_ms);
		},
		now: () => clock.now(),
	};
}
