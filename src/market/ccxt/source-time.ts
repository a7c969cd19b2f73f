import { LIVE_SLICE_MS } from "../live-rules.ts";
import type { ServerClock } from "./server-clock.ts";

/** Clocks of exchanges that are further apart contradict each other, ms. */
export const CLOCKS_APART_MS_MAX = 5 * 60_000;

/** An exchange and what its clock says. */
export interface Timed {
	name: string;
	time: Pick<ServerClock, "now" | "standing">;
}

/**
 * The venues whose clocks are believed, of those that have told the time: all that are near the middle one. Of two in the
 * middle that counts which is nearer to `ownMs`, our own time, which does not count otherwise: in a replay all clocks
 * stand in the past.
 */
export function believed<V extends Timed>(venues: readonly V[], ownMs: number): V[] {
	const told = venues.flatMap((venue) => {
		const at_ms = venue.time.now();
		return at_ms === null ? [] : [{ venue, at_ms }];
	});
	const times = told.map(({ at_ms }) => at_ms).sort((a, b) => a - b);
	const [low = 0, high = 0] = [times[(times.length - 1) >> 1], times[times.length >> 1]];
	const middle = Math.abs(ownMs - low) < Math.abs(ownMs - high) ? low : high;
	return told.filter(({ at_ms }) => Math.abs(at_ms - middle) <= CLOCKS_APART_MS_MAX).map(({ venue }) => venue);
}

/** Whether the clock of a venue contradicts those of the others. */
export const isDoubted = (name: string, venues: readonly Timed[], ownMs: number): boolean =>
	venues.some((venue) => venue.name === name && venue.time.now() !== null) &&
	!believed(venues, ownMs).some((venue) => venue.name === name);

/**
 * The slowest believed exchange's time so long ago: a bar that has closed by it has closed everywhere. `ownMs` while none
 * has told the time.
 */
export function slowestTime(venues: readonly Timed[], ownMs: number, agoMs: number): number {
	let time = ownMs;
	let standing = false;
	for (const [i, venue] of believed(venues, ownMs).entries()) {
		const at_ms = venue.time.now() ?? ownMs;
		if (i > 0 && at_ms >= time) continue;
		time = at_ms;
		standing = venue.time.standing();
	}
	return standing ? time : Math.floor((time - agoMs) / LIVE_SLICE_MS) * LIVE_SLICE_MS;
}
