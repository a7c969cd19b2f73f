import type { ScanEvent } from "../../machines/events.ts";
import type { ScanInput } from "../../machines/types.ts";
import type { Logger } from "../log.ts";
import type { ScanReader } from "../store/contract.ts";
import type { Commit, NewScan, ScanWriter } from "../store/write-contract.ts";
import { type InspectionMessage, messagesOf, type ScanState } from "./messages.ts";

/** Commits that wait to be told; beyond it the oldest are left out, because no scan waits for a watcher. */
const WAITING_MAX = 500;
/** Scans of which the watchers were told the last state. */
const KNOWN_MAX = 50;

interface CommitWatchParts {
	reader: Pick<ScanReader, "read" | "events">;
	/** The state right after entry `seq`, made anew from the recorded events; null: they do not reach it. */
	replay: (
		input: ScanInput,
		recorded: readonly { seq: number; events: readonly ScanEvent[] }[],
		seq: number,
	) => ScanState | null;
	watchers(): number;
	send(message: InspectionMessage): void;
	log: Pick<Logger, "warn">;
}

export interface CommitWatch {
	/** The same writer; each commit that was written is told afterwards. */
	writer: ScanWriter;
	/** Forgets what was told, so that a new watcher hears of every scan from its machine on. */
	anew(): void;
	/** Resolves when everything that waits has been told. */
	settled(): Promise<void>;
}

type Written = Pick<Commit, "scan_id" | "base_seq"> & { seq: number };

/**
 * Tells watchers what this process commits, from what was committed. Only scans of administrators: they may
 * diagnose any scan, while a loopback port is open to every account of the machine and asks for no login.
 */
export function watchCommits(writer: ScanWriter, parts: CommitWatchParts): CommitWatch {
	const known = new Map<string, ScanState>();
	let waiting: Written[] = [];
	let telling: Promise<void> | null = null;

	async function tell({ scan_id, base_seq, seq }: Written): Promise<void> {
		const record = await parts.reader.read(scan_id);
		if (record?.context.input.profile.role !== "admin" || record.migrated_from) return;
		const recorded = await parts.reader.events(scan_id, seq);
		const after = parts.replay(record.context.input, recorded, seq);
		if (!after) return;
		// As they were read: a commit holds reports in the short form of the journal.
		const taken = recorded.filter((found) => found.seq > base_seq).flatMap(({ events }) => events);
		for (const message of messagesOf(known.get(scan_id) ?? null, after, taken)) parts.send(message);
		known.delete(scan_id);
		if (!after.ended) known.set(scan_id, after);
		for (const oldest of [...known.keys()].slice(0, -KNOWN_MAX)) known.delete(oldest);
	}

	async function tellAll(): Promise<void> {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			await tell(next).catch((error: unknown) => parts.log.warn({ err: error }, "an inspection event was left out"));
		}
		telling = null;
	}

	const written = (one: Written): void => {
		if (parts.watchers() === 0) return;
		waiting.push(one);
		waiting = waiting.slice(-WAITING_MAX);
		telling ??= tellAll();
	};

	/** A scan that is made as claimed has had an event or two with its record, which can be read once it is accepted. */
	const made = new Map<string, Written>();
	const note = ({ scan_id, taken }: NewScan): void => {
		if (!taken || parts.watchers() === 0) return;
		made.set(scan_id, { scan_id, base_seq: 1, seq: taken.seq });
		for (const oldest of [...made.keys()].slice(0, -WAITING_MAX)) made.delete(oldest);
	};

	const accepted = (scanId: string): void => {
		const first = made.get(scanId);
		made.delete(scanId);
		if (first) written(first);
	};

	return {
		writer: {
			...writer,
			async commit(commit, told) {
				const result = await writer.commit(commit, told);
				const { scan_id, base_seq, entries } = commit;
				// Its start may not have been told that the scan is accepted.
				if (result === "ok" || result === "duplicate") accepted(scan_id);
				if (result === "ok") written({ scan_id, base_seq, seq: base_seq + entries.length });
				return result;
			},
			create(scan) {
				note(scan);
				return writer.create(scan);
			},
			begin(scan, claim) {
				note(scan);
				return writer.begin(scan, claim);
			},
			async accept(scanId, begun) {
				const isAccepted = await writer.accept(scanId, begun);
				if (isAccepted) accepted(scanId);
				return isAccepted;
			},
			drop(scanId) {
				made.delete(scanId);
				return writer.drop(scanId);
			},
		},
		anew: () => known.clear(),
		settled: async () => {
			await telling;
		},
	};
}
