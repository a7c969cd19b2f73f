import type { Clock } from "../../clock.ts";
import { abortable } from "../abortable.ts";
import { REQUEST_LIMIT_MS, underSignal } from "./requests.ts";

/** Reading what many calls share may take this long; it belongs to none of them, so none's signal ends it. */
const SHARED_LIMIT_MS = 3 * REQUEST_LIMIT_MS;

/**
 * A value that many calls need: read once for all that ask while it is under way or younger than `freshMs`. A
 * failure is told to those who waited for it and not kept.
 */
export function shared<T>(clock: Clock, freshMs: number, read: () => Promise<T>): (signal: AbortSignal) => Promise<T> {
	let kept: { readAtMs: number; value: T } | null = null;
	let reading: Promise<T> | null = null;
	const start = (): Promise<T> => {
		const own = underSignal(AbortSignal.timeout(SHARED_LIMIT_MS), read);
		const end = () => {
			if (reading === own) reading = null;
		};
		reading = own;
		own
			.then((value) => {
				kept = { readAtMs: clock.now(), value };
			}, end)
			.finally(end);
		return own;
	};
	return async (signal) => {
		signal.throwIfAborted();
		if (kept !== null && clock.now() - kept.readAtMs < freshMs) return kept.value;
		return abortable(reading ?? start(), signal);
	};
}
