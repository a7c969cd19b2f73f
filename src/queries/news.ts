import type { ScanReader } from "../store/contract.ts";

/** A wait ends after this at the latest, ms; whoever waits then looks itself. */
const WAIT_MS = 1_000;

/** Wakes the watchers of a scan together. */
export interface ScanNews {
	/** Calls `wake` once: at the scan's next commit, or when it is time to look again. */
	next(scanId: string, wake: () => void): void;
}

/**
 * One wait for each scan that is watched, whatever the number of its watchers: they wake at the same moment, so
 * that they can share what is read then.
 * @param before is called before anybody is woken: what was read until then may be older than the news
 */
export function createScanNews(reader: Pick<ScanReader, "nextCommit">, before: (scanId: string) => void): ScanNews {
	const waiting = new Map<string, (() => void)[]>();

	async function wait(scanId: string): Promise<void> {
		await reader.nextCommit(scanId, WAIT_MS, new AbortController().signal).catch(() => false);
		const woken = waiting.get(scanId) ?? [];
		waiting.delete(scanId);
		before(scanId);
		for (const wake of woken) wake();
	}

	return {
		next(scanId, wake) {
			const held = waiting.get(scanId);
			if (held) return void held.push(wake);
			waiting.set(scanId, [wake]);
			void wait(scanId);
		},
	};
}
