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
