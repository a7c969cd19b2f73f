import type { Clock } from "../clock.ts";
import type { StatisticsReader } from "../store/contract.ts";
import type { DurationSample } from "../views/estimates.ts";

/** Estimates need no newer history than this. */
const SAMPLES_TTL_MS = 5_000;

/** Recent durations, read at most once per TTL whatever the number of polls. */
export function createSamples(statistics: Pick<StatisticsReader, "recentDurations">, clock: Pick<Clock, "now">) {
	let held: { readAtMs: number; samples: Promise<readonly DurationSample[]> } | null = null;
	return (): Promise<readonly DurationSample[]> => {
		const nowMs = clock.now();
		if (held && nowMs - held.readAtMs < SAMPLES_TTL_MS && nowMs >= held.readAtMs) return held.samples;
		const samples = statistics.recentDurations();
		const mine = { readAtMs: nowMs, samples };
		held = mine;
		// A failed read is told to who asked and not remembered.
		samples.catch(() => {
			if (held === mine) held = null;
		});
		return samples;
	};
}
