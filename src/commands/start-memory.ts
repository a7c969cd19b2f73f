import type { Clock } from "../clock.ts";

/**
 * What a process that runs scans knows about a start without asking. What a start asks before it makes a record tells
 * only that none is needed (it joins another scan, a recent result answers it, it is refused) or that others wait.
 * The claim decides the former by itself, so where none of it is to be expected the start begins at once: one wait less.
 */
export interface StartMemory {
	/** A moment ago nobody waited, nobody has come to this process since, and it has seen no like start lately. */
	mayBegin(userId: string, filterKey: string): boolean;
	/** Such a start was made here. */
	note(userId: string, filterKey: string): void;
	/** @param quiet nothing waits in the queue and no start need be refused, at `asked_at_ms` */
	learn(quiet: boolean, asked_at_ms: number): void;
	now(): number;
}

interface StartMemoryDeps {
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
	let heard = { quiet: false, at_ms: 0 };
	/** A clock that was set back makes nothing younger. */
	const isWithin = (at_ms: number, ms: number): boolean => {
		const age_ms = clock.now() - at_ms;
		return age_ms >= 0 && age_ms < ms;
	};
	const keyOf = (userId: string, filterKey: string): string => `${userId} ${filterKey}`;
	return {
		mayBegin(userId, filterKey) {
			if (!heard.quiet || !isWithin(heard.at_ms, QUIET_MS) || !idle()) return false;
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
			// Answers may overtake one another; that nothing waits is not to be believed against a newer one.
			if (!quiet || asked_at_ms >= heard.at_ms) heard = { quiet, at_ms: asked_at_ms };
		},
		now: () => clock.now(),
	};
}
