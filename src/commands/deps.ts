import type { ScanLimits, UserProfile } from "../../machines/types.ts";
import type { Place } from "../queue/dispatch.ts";
import type { ApplyDeps } from "../runtime/runtime.ts";
import type { Projections } from "../runtime/scan-commit.ts";
import type { Account, AccountReader, PolicyReader, PortfolioStore } from "../services.ts";
import type { ScanReader, ScanRecord } from "../store/contract.ts";
import type { ScanWriter } from "../store/write-contract.ts";
import type { StartMemory } from "./start-memory.ts";

export interface CommandSettings {
	limits: ScanLimits;
	force_join_ms: number;
	fresh_ms: number;
	/** Waiting scans before a start is refused as overloaded. */
	queue_max: number;
}

export interface CommandDeps {
	writer: ScanWriter;
	reader: ScanReader;
	projections: Projections;
	apply: ApplyDeps;
	accounts: AccountReader;
	portfolios: PortfolioStore;
	policies: PolicyReader;
	/** Pure: tier, limits and fingerprint from what the account owns. */
	profileOf: (account: Account, portfolioVersion: number) => UserProfile;
	/** Strategies this build can run. */
	available: ReadonlySet<string>;
	enqueue: (scanId: string, userId: string) => Promise<void>;
	/** A place in this process for a scan that is about to be made, asked for when nothing waits; absent: it runs none. */
	reserve?: (scanId: string, userId: string) => Place | null;
	/** Scans that nobody has claimed. */
	queued: () => Promise<number>;
	/** Scans that wait in the queue, told soon or refused; absent: this process runs none, so it does not matter. */
	waiting?: () => Promise<number>;
	/** Absent: every start asks. */
	memory?: StartMemory;
	newScanId: () => string;
	book: (record: ScanRecord) => Promise<void>;
	settings: CommandSettings;
}

/** What ending and finishing a start need. */
export type StartDeps = Pick<CommandDeps, "writer" | "reader" | "apply" | "enqueue" | "book">;
