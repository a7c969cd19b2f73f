import { systemClock } from "../../src/clock.ts";
import { createQueries, type Queries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { probes } from "./probes.ts";

/** The read side of a store, with a memory of its own. */
export const queriesOn = (
	{ reader, statistics }: Pick<ScanStore, "reader" | "statistics">,
	overrides: Partial<Parameters<typeof createQueries>[0]> = {},
): Queries =>
	createQueries({
		reader,
		statistics,
		clock: systemClock,
		probes,
		earnedCredits: async () => 0,
		stuckAfterMs: 120_000,
		replay,
		streamsMax: 10,
		...overrides,
	});
