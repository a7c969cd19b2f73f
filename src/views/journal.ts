import { isoOf } from "../clock.ts";
import type { JournalEntry } from "../store/contract.ts";
import { spliceJson } from "./json.ts";
import { strategyName } from "./words.ts";

/** What an entry refers to and its readers get whole. */
export interface EntryParts {
	/** The row that `strategy.row_found` names, compact JSON; null when it is gone. */
	row: string | null;
	/** The status body that a terminal entry implies, compact JSON. */
	status: string | null;
}

const TERMINAL = new Set(["scan.completed", "scan.failed", "scan.cancelled"]);
export const isTerminalEntry = (entry: Pick<JournalEntry, "type">): boolean => TERMINAL.has(entry.type);

/** The id of the row an entry announces, or null. */
export const rowIdOf = ({ type, payload }: Pick<JournalEntry, "type" | "payload">): string | null =>
	type === "strategy.row_found" && typeof payload.opportunity_id === "string" ? payload.opportunity_id : null;

/** One journal entry as every reader sees it, compact JSON: page, event stream and export are the same text. */
export function journalEntryView(entry: JournalEntry, { row, status }: EntryParts): string {
	const { seq, at_ms, type, phase, strategy_id, attempt, revision } = entry;
	const fields = { seq, at: isoOf(at_ms), type, phase, strategy_id, attempt, revision };
	return spliceJson(fields, { payload: payloadText(entry, row, status) });
}

function payloadText(entry: JournalEntry, row: string | null, status: string | null): string {
	const payload = namedPayload(entry);
	if (row !== null) return spliceJson(payload, { opportunity: row });
	if (status === null) return JSON.stringify(payload);
	return JSON.stringify({ ...(JSON.parse(status) as object), ...payload });
}

function namedPayload({ type, payload }: JournalEntry): Record<string, unknown> {
	if (type !== "strategy.settled" || typeof payload.strategy_id !== "string") return payload;
	const { strategy_id, ...rest } = payload;
	return { strategy_id, strategy_name: strategyName(strategy_id), ...rest };
}
