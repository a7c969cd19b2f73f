import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Span } from "./observations.ts";

/**
 * When the machine itself was the reason that something took long: measured in the process that observes, which
 * gets its turns from the same processors as the program, and at Redis past every proxy, whose disk is the same.
 */
export interface MachineLoad {
	/** Spans in which this process or Redis was held up, but for those in which Redis was away on purpose. */
	heldUp(outages: readonly Span[]): Span[];
	stop(): Promise<void>;
}

const TICK_MS = 20;
/** A timer that comes this much late says that somebody else had the processor. */
const LATE_TICK_MS = 10;
const PING_EVERY_MS = 100;
/** A ping takes a fraction of a millisecond; what takes longer waited for the processor or the disk. */
const LATE_PING_MS = 20;

export function watchMachine(redis: Redis): MachineLoad {
	const ownTurns: Span[] = [];
	const pings: Span[] = [];
	const stopped = new AbortController();
	const { signal } = stopped;
	const isOver = () => signal.aborted;

	async function watchOwnTurns(): Promise<void> {
		while (!isOver()) {
			const dueMs = Date.now() + TICK_MS;
			await pause(TICK_MS);
			if (Date.now() - dueMs > LATE_TICK_MS) ownTurns.push([dueMs, Date.now()]);
		}
	}
	async function watchRedis(): Promise<void> {
		while (!isOver()) {
			const sentMs = Date.now();
			const answered = await redis.ping().then(
				() => true,
				() => false,
			);
			if (answered && Date.now() - sentMs > LATE_PING_MS) pings.push([sentMs, Date.now()]);
			await pause(PING_EVERY_MS);
		}
	}
	const watching = Promise.all([watchOwnTurns(), watchRedis()]);
	return {
		heldUp: (outages) => [...ownTurns, ...pings.filter((span) => sharedMs(outages, span) === 0)],
		async stop() {
			stopped.abort();
			await watching;
		},
	};
}

/** How much of a span lies in any of `spans`, ms; what overlaps counts once. */
export function sharedMs(spans: readonly Span[], [from, to]: Span): number {
	let covered = 0;
	let reached = from;
	for (const [begin, end] of [...spans].sort((a, b) => a[0] - b[0])) {
		const start = Math.max(begin, reached);
		const stop = Math.min(end, to);
		if (stop <= start) continue;
		covered += stop - start;
		reached = stop;
	}
	return covered;
}
