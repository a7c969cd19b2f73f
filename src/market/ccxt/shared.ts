import type { Clock } from "../../clock.ts";
import { abortable } from "../abortable.ts";
import { begunIn, keptFor, REQUEST_LIMIT_MS, underSignal } from "./requests.ts";

/** Reading what many calls share may take this long; it belongs to none of them, so none's signal ends it. */
const SHARED_LIMIT_MS = 3 * REQUEST_LIMIT_MS;

/**
 * A value that many calls need: read once for all that ask while it is under way or was younger than `freshMs` when they
 * began, and once by all processes where they share. A failure is told to those who waited for it and not kept.
 */
export function shared<T>(clock: Clock, freshMs: number, read: () => Promise<T>): (signal: AbortSignal) => Promise<T> {
	let kept: { readAtMs: number; value: T } | null = null;
	let reading: Promise<T> | null = null;
	const start = (): Promise<T> => {
		const reads = underSignal(AbortSignal.timeout(SHARED_LIMIT_MS), () => keptFor(freshMs, read));
		const own = reads.then(({ value, age_ms }) => {
			kept = { readAtMs: clock.now() - age_ms, value };
			return value;
		});
		const end = () => {
			if (reading === own) reading = null;
		};
		reading = own;
		own.then(end, end);
		return own;
	};
	return async (signal) => {
		for (;;) {
			signal.throwIfAborted();
			if (kept !== null && begunIn(clock) - kept.readAtMs < freshMs) return kept.value;
			if (reading === null) return abortable(start(), signal);
			// Started by somebody who may have begun earlier, and for whom an older one was fresh.
			await abortable(reading, signal);
		}
	};
}

/** While a value cannot be read again its last good one is given at once for this time, without another look. */
const LOOK_AGAIN_MS = 60_000;

/** The same value where it is known by, and not shown: when it cannot be read its last good one serves for `keptMs`. */
export function orLastGood<T>(
	clock: Clock,
	keptMs: number,
	read: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
	let good: { atMs: number; value: T } | null = null;
	let failedAtMs = Number.NEGATIVE_INFINITY;
	const stillGood = () => (good !== null && clock.now() - good.atMs < keptMs ? good : null);
	return async (signal) => {
		signal.throwIfAborted();
		const last = stillGood();
		if (last && clock.now() - failedAtMs < LOOK_AGAIN_MS) return last.value;
		try {
			const value = await read(signal);
			good = { atMs: clock.now(), value };
			return value;
		} catch (error) {
			signal.throwIfAborted();
			failedAtMs = clock.now();
			const instead = stillGood();
			if (instead === null) throw error;
			return instead.value;
		}
	};
}
