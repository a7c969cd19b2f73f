/** What one user may take of the calls that the accounts of all users share. */
import type { Clock } from "../clock.ts";
import { createSlots, type Slots } from "../market/slots.ts";
import { WeightWindow } from "../market/weight-window.ts";

/** Of the calls at once. Four users whose exchanges hang leave room for others. */
export const CALLS_OF_ONE_MAX = 6;
/** Every account of a user may be read and asked about at once. */
const WAITING_OF_ONE_MAX = 64;
/** Keys that a user may try out, of which each costs the exchange's budget a reading. */
export const TRIES = { weight_max: 40, window_ms: 60_000 } as const;
/** Users whose tries are remembered; more are forgotten all at once. */
const USERS_MAX = 10_000;

/** Runs within the share of a user first, then within what all have. */
export function createShares(all: Slots, full: () => Error) {
	const shares = new Map<string, Slots>();
	return async <T>(userId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
		const own = shares.get(userId) ?? createSlots(CALLS_OF_ONE_MAX, WAITING_OF_ONE_MAX, full);
		shares.set(userId, own);
		try {
			return await own.run(signal, () => all.run(signal, work));
		} finally {
			if (own.running === 0 && shares.get(userId) === own) shares.delete(userId);
		}
	};
}

/** Counts a key that a user tries out. 0: it may be tried; else there is room for it after so many ms. */
export function createTries(clock: Clock): (userId: string) => number {
	const windows = new Map<string, WeightWindow>();
	return (userId) => {
		if (windows.size > USERS_MAX) windows.clear();
		const own = windows.get(userId) ?? new WeightWindow(TRIES);
		windows.set(userId, own);
		return own.take(1, clock.now());
	};
}
