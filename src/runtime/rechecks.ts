import type { Clock } from "../clock.ts";

/** Scans that this process has asked for in vain and does not ask for again for a while; others may. */
export interface Rechecks {
	/** Is it too early to ask again? */
	waits(scanId: string): boolean;
	later(scanId: string): void;
	/** How many are waited for. */
	readonly size: number;
}

export function createRechecks(clock: Clock, everyMs: number, max: number): Rechecks {
	const untilMs = new Map<string, number>();
	const forget = (): void => {
		for (const [scanId, atMs] of untilMs) {
			// Noted in the order of time, so the rest is younger.
			if (atMs > clock.now() && untilMs.size <= max) return;
			untilMs.delete(scanId);
		}
	};
	return {
		waits(scanId) {
			forget();
			return untilMs.has(scanId);
		},
		later(scanId) {
			untilMs.delete(scanId);
			untilMs.set(scanId, clock.now() + everyMs);
			forget();
		},
		get size() {
			forget();
			return untilMs.size;
		},
	};
}
