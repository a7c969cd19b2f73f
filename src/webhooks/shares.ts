import { ATTEMPT_LIMIT_MS } from "./send.ts";

/**
 * Attempts of one process at the same moment. Receivers are strangers: one that never answers holds each attempt as
 * long as it is waited for, so nobody may have more than a share of them.
 */
export interface Shares {
	/** A place for an attempt of a user at a host, or when to ask again. */
	take(userId: string, host: string): Place | { pause_ms: number };
}

export interface Place {
	/** How long this host is waited for, ms. */
	limit_ms: number;
	/** The attempt is over; `timedOut`: the host did not answer in that time. */
	release(timedOut: boolean): void;
}

/** Attempts under way at once, in one process. */
export const USER_ATTEMPTS_MAX = 2;
export const HOST_ATTEMPTS_MAX = 4;
/** For so long after it gave no answer in time a host is waited for SHORT_LIMIT_MS only. */
const SLOW_MS = 60_000;
export const SHORT_LIMIT_MS = 3_000;
/** Between the turns of what waits for one share: half of what its last attempt took, within these bounds. */
const TURN_LEAST_MS = 50;
const TURN_MOST_MS = 5_000;
/** Nothing waits longer before it asks again. */
const PAUSE_MAX_MS = 60_000;
/** What an attempt is thought to take while none has ended. */
const FIRST_TOOK_MS = 200;
/** Users, and hosts, that are remembered; beyond it those with nothing under way are forgotten. */
const SHARES_KEPT = 1_000;

interface Share {
	active: number;
	/** Of the last attempt that has ended, ms. */
	took_ms: number;
	/** Turn of what was sent away last, ms of the clock. */
	turn_ms: number;
	/** When its host last gave no answer in time; null: not lately. */
	slow_ms: number | null;
}

/** @param now a clock that only has to be the same throughout, ms. */
export function createShares(now: () => number): Shares {
	const users = new Map<string, Share>();
	const hosts = new Map<string, Share>();
	return {
		take(userId, host) {
			const began = now();
			const [user, at] = [shareOf(users, userId, began), shareOf(hosts, host, began)];
			if (user.active >= USER_ATTEMPTS_MAX) return { pause_ms: nextTurn(user, began) };
			if (at.active >= HOST_ATTEMPTS_MAX) return { pause_ms: nextTurn(at, began) };
			for (const share of [user, at]) share.active += 1;
			const slow = isSlow(at, began);
			return {
				limit_ms: slow ? SHORT_LIMIT_MS : ATTEMPT_LIMIT_MS,
				release(timedOut) {
					const ended = now();
					for (const share of [user, at]) {
						share.active -= 1;
						share.took_ms = ended - began;
					}
					// A short wait that fails does not prove it slow: the host may need a little longer than that.
					if (timedOut && !slow) at.slow_ms = ended;
					else if (!timedOut) at.slow_ms = null;
				},
			};
		},
	};
}

function shareOf(shares: Map<string, Share>, name: string, nowMs: number): Share {
	const known = shares.get(name);
	if (known) return known;
	if (shares.size >= SHARES_KEPT) for (const [other, share] of shares) if (isIdle(share, nowMs)) shares.delete(other);
	const fresh: Share = { active: 0, took_ms: FIRST_TOOK_MS, turn_ms: 0, slow_ms: null };
	shares.set(name, fresh);
	return fresh;
}

const isSlow = ({ slow_ms }: Share, nowMs: number): boolean => slow_ms !== null && nowMs - slow_ms < SLOW_MS;
const isIdle = (share: Share, nowMs: number): boolean =>
	share.active === 0 && share.turn_ms <= nowMs && !isSlow(share, nowMs);

/** One after the other, so that a thousand that wait are not looked at every second. */
function nextTurn(share: Share, nowMs: number): number {
	const apart = Math.min(TURN_MOST_MS, Math.max(TURN_LEAST_MS, share.took_ms / 2));
	share.turn_ms = Math.min(nowMs + PAUSE_MAX_MS, Math.max(nowMs, share.turn_ms) + apart);
	return share.turn_ms - nowMs;
}
