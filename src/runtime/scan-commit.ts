import type { ScanEvent } from "../../machines/events.ts";
import type { ScanContext } from "../../machines/types.ts";
import type { Attachments } from "../effects/contract.ts";
import type { Pattern } from "../field-patterns.ts";
import type { ScanRecord } from "../store/contract.ts";
import { encodeContext } from "../store/scan-codec.ts";
import { encodeDeadlines } from "../store/snapshot-codec.ts";
import type { Commit, MachineEvent, NewEntry } from "../store/write-contract.ts";
import type { HostState } from "./scan-host.ts";

/** Pure projections for operators, written in the same commit as the state. */
export interface Projections {
	lifecycleFields(
		before: ScanContext | null,
		context: ScanContext,
		entries: readonly NewEntry[],
	): Record<string, string>;
	debugFields(before: ScanContext | null, context: ScanContext, entries: readonly NewEntry[]): Record<string, string>;
	/** The same, with what its fields have in common told once. */
	debugChanges(
		before: ScanContext | null,
		context: ScanContext,
		entries: readonly NewEntry[],
	): { fields: Record<string, string>; patterns: Pattern[] };
}

/** What has happened since the last commit. */
export interface Pending {
	entries: NewEntry[];
	events: MachineEvent[];
	/** By opportunity_id; what the machine cuts or refuses is never written. */
	rows: Map<string, object>;
	documents: Map<string, string>;
	/** Stored fields of an older version in their newer form; null: nothing to bring up to date. */
	upgrade: Readonly<Record<string, string>> | null;
	/** The scan was made as claimed and its start may have failed since: what runs can be read, too. */
	accepts: boolean;
	/** Id of the newest inbox entry that was turned into an event, null: none since the last commit. */
	inbox: string | null;
}

/** @param record as claimed: the first commit of a claim brings an older snapshot up to date. */
export const nothingPending = (record?: Pick<ScanRecord, "upgrade">, accepts = false): Pending => ({
	upgrade: record?.upgrade ?? null,
	accepts,
	entries: [],
	events: [],
	rows: new Map(),
	documents: new Map(),
	inbox: null,
});

export function attach(pending: Pending, attachments: Attachments): void {
	for (const [id, row] of attachments.rows ?? []) pending.rows.set(id, row);
	for (const [name, document] of Object.entries(attachments.documents ?? {})) {
		pending.documents.set(name, JSON.stringify(document));
	}
	if (attachments.portfolio) pending.documents.set("portfolio", JSON.stringify(attachments.portfolio));
}

/** Results fields of documents, by their names. */
export function addDocuments(results: Map<string, string>, documents: ReadonlyMap<string, string>): void {
	for (const [name, document] of documents) results.set(`d:${name}`, document);
}

export const rowField = (opportunityId: string): string => `r:${opportunityId}`;

/** Rows the machine has accepted; what it cut or refused is never stored. */
function acceptedRows(context: ScanContext, rows: ReadonlyMap<string, object>): Map<string, string> {
	const fields = new Map<string, string>();
	if (rows.size === 0) return fields;
	for (const { tally } of context.strategies) {
		for (const ids of [tally.row_ids, tally.unproven_ids]) {
			for (const id of ids) {
				const row = rows.get(id);
				if (row !== undefined) fields.set(rowField(id), JSON.stringify(row));
			}
		}
	}
	return fields;
}

/** Fields of the scan hash besides context and bookkeeping. */
export function stateFields(
	before: HostState | null,
	state: HostState,
	entries: readonly NewEntry[],
): Record<string, string> {
	const fields = encodeContext(before?.context ?? null, state.context);
	if (before?.position !== state.position) fields.position = state.position;
	if (before?.deadlines !== state.deadlines) fields.deadlines = encodeDeadlines(state.deadlines);
	const last = entries.at(-1);
	if (last) fields.last_type = last.type;
	return fields;
}

/**
 * State that one commit may write, bytes: room for the ids of as many rows as the largest ROWS_LIMIT keeps.
 * Rows themselves lie elsewhere and count against ROWS_LIMIT.
 */
export const STATE_BYTES_MAX = 4 * 1024 * 1024;

export const stateBytes = ({ scan }: Pick<Commit, "scan">): number => {
	let bytes = 0;
	for (const name in scan) bytes += Buffer.byteLength(scan[name] as string);
	return bytes;
};

/**
 * Is there more than one commit may write? Not of a scan that failed or was cancelled: it must end, and holds what was
 * committed before. A character takes three bytes at most, so that what is short need not be measured.
 */
export function isOversized({ scan }: Pick<Commit, "scan">, { ended, position }: HostState): boolean {
	if (ended && position !== "completed") return false;
	let characters = 0;
	for (const name in scan) characters += (scan[name] as string).length;
	return 3 * characters > STATE_BYTES_MAX && stateBytes({ scan }) > STATE_BYTES_MAX;
}

export const oversized = (bytes: number, at_ms: number): ScanEvent => ({
	type: "scan.abandoned",
	at_ms,
	code: "internal_error",
	message: `The state of the scan would take ${bytes} bytes in one commit, more than ${STATE_BYTES_MAX}`,
});

export function buildCommit(
	envelope: { scan_id: string; epoch: number; base_seq: number; lease_ms: number },
	before: HostState,
	state: HostState,
	pending: Pending,
	projections: Projections,
): Commit {
	const { entries } = pending;
	const results = acceptedRows(state.context, pending.rows);
	addDocuments(results, pending.documents);
	const scan = stateFields(before, state, entries);
	const { upgrade } = pending;
	if (upgrade !== null) for (const name of Object.keys(upgrade)) scan[name] ??= upgrade[name] as string;
	if (pending.inbox !== null) scan.inbox = pending.inbox;
	const debug = projections.debugChanges(before.context, state.context, entries);
	// Not spread: members that are added to a copy give every commit a hidden class of its own.
	const { scan_id, epoch, base_seq, lease_ms } = envelope;
	return {
		scan_id,
		epoch,
		base_seq,
		lease_ms,
		scan,
		lifecycle: projections.lifecycleFields(before.context, state.context, entries),
		debug: debug.fields,
		debugPatterns: debug.patterns,
		results,
		entries: pending.entries,
		events: pending.events,
		ended: state.ended,
		accepts: pending.accepts,
	};
}
