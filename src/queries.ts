import type { Clock } from "./clock.ts";
import { createBodies } from "./queries/bodies.ts";
import { createDiagnosticsQueries, type DiagnosticsQueries } from "./queries/diagnostics.ts";
import { createEventQueries, type EventQueries } from "./queries/events.ts";
import { createJournalQueries, type JournalQueries, type Replay } from "./queries/journal.ts";
import { createLookup, type ScanLookup } from "./queries/lookup.ts";
import { createMachineQueries, type MachineQueries } from "./queries/machines.ts";
import type { SystemProbes } from "./queries/probes.ts";
import { createSamples } from "./queries/samples.ts";
import { createScanDiff, type ScanDiff } from "./queries/scan-diff.ts";
import { createScanExport, type ScanExport } from "./queries/scan-export.ts";
import { createScanList, type ScanList } from "./queries/scan-list.ts";
import { createScanQueries, type ScanQueries } from "./queries/scans.ts";
import { createValuationQueries, type ValuationQueries } from "./queries/valuation.ts";
import type { Account } from "./services.ts";
import type { ScanReader, StatisticsReader } from "./store/contract.ts";
import { type EarnedCredits, userStatusView } from "./views/user-status.ts";

/**
 * The read side. Everything is read from what was committed: no actor, no queue, no memory of this
 * process decides what a client is shown.
 */
export interface Queries {
	lookup: ScanLookup;
	scans: ScanQueries;
	diagnostics: DiagnosticsQueries;
	machines: MachineQueries;
	journal: JournalQueries;
	events: EventQueries;
	scanList: ScanList;
	scanDiff: ScanDiff;
	scanExport: ScanExport;
	valuations: ValuationQueries;
	userStatus(account: Account): Promise<object>;
}

export interface QueryDependencies {
	reader: ScanReader;
	statistics: StatisticsReader;
	/** Measures waits and the age of estimates; moments of scans come from the store's clock. */
	clock: Clock;
	probes: SystemProbes;
	/** Earned credits of a user, null when there is no credit account. */
	earnedCredits(userId: string): Promise<EarnedCredits>;
	/** Runs a journal's events again; the runtime's own stepping, so that a state then is the state it was. */
	replay: Replay;
	/** SSE_LIMIT: event streams at once in this process. */
	streamsMax: number;
	/** STUCK_AFTER_MS */
	stuckAfterMs: number;
}

export function createQueries(dependencies: QueryDependencies): Queries {
	const { reader, statistics, clock, probes, stuckAfterMs, replay, streamsMax } = dependencies;
	const lookup = createLookup(reader);
	const samples = createSamples(statistics, clock);
	const bodies = createBodies(reader);
	const journal = createJournalQueries({ reader, lookup, bodies, replay });
	return {
		lookup,
		scans: createScanQueries({ reader, clock, lookup, bodies, samples }),
		machines: createMachineQueries(),
		journal,
		events: createEventQueries({ reader, lookup, journal, streamsMax }),
		scanList: createScanList(reader, bodies),
		scanDiff: createScanDiff(lookup, bodies),
		valuations: createValuationQueries(lookup, reader),
		scanExport: createScanExport({ reader, bodies, journal }),
		diagnostics: createDiagnosticsQueries({ reader, statistics, clock, lookup, probes, stuckAfterMs }),
		async userStatus(account) {
			const [earned, last] = await Promise.all([
				dependencies.earnedCredits(account.user_id),
				lookup.latest(account.user_id),
			]);
			return userStatusView(account, earned, last, reader.now());
		},
	};
}
