import { sha256Hex } from "../canonical.ts";
import { isoOf } from "../clock.ts";
import type { ScanRecord } from "../store/contract.ts";
import { listedScan } from "../views/scan-list.ts";
import type { WebhookEvent } from "./contract.ts";

/** What receivers are sent. Small: rows in full stand behind the links. */

/** Of one body; lists of rows are cut until it fits. */
export const BODY_BYTES_MAX = 32 * 1024;
const ROWS_MAX = 50;
/** Members of a row that say what it is and what it is worth. */
const ROW_MEMBERS = [
	"opportunity_id",
	"strategy_id",
	"strategy_name",
	"opportunity_type",
	"symbol",
	"exchange",
	"side",
	"profit_potential_usd",
	"confidence_score",
	"risk_level",
	"required_capital_usd",
	"estimated_timeframe",
	"entry_price",
	"stop_price",
	"target_price",
	"as_of",
] as const;

type Json = Record<string, unknown>;

/** The same for the same news, however often they are written: a repetition finds what the first one kept. */
export const deliveryIdOf = (
	scanId: string,
	event: WebhookEvent,
	webhookId: string,
	scheduleId: string | null,
): string => `delivery_${sha256Hex(`${scanId}|${event}|${webhookId}|${scheduleId ?? ""}`).slice(0, 32)}`;

export interface News {
	event: WebhookEvent;
	scan_id: string;
	/** End of the scan. */
	at_ms: number;
	data: Json;
	/** The schedule whose scans were compared (scan.changed). */
	schedule_id: string | null;
}

export function bodyOf({ event, scan_id, at_ms, data }: News, delivery_id: string): string {
	return JSON.stringify({ event, delivery_id, scan_id, at: isoOf(at_ms), data });
}

export const endedMs = (record: ScanRecord): number => record.context.end?.at_ms ?? record.progress_at_ms;

/** How the scan ended, as a list of scans shows it. */
export function endNews(record: ScanRecord): News | null {
	const { position, context, scan_id } = record;
	if (position !== "completed" && position !== "failed" && position !== "cancelled") return null;
	const { item } = listedScan(record, []);
	const whole = {
		...item,
		error: context.end?.error ?? null,
		schedule_id: context.input.schedule_id,
		truncated: false,
	};
	// Only filters have no small bound of their own.
	const data =
		Buffer.byteLength(JSON.stringify(whole)) > BODY_BYTES_MAX / 2
			? { ...whole, filters: null, truncated: true }
			: whole;
	return { event: `scan.${position}`, scan_id, at_ms: endedMs(record), data, schedule_id: null };
}

/** What a scan shows that the scans before it do not, and the other way round. */
export interface Comparison {
	added: Json[];
	removed: Json[];
	changed: Json[];
	/** Of strategies that did not end well where these rows are missing. */
	unknown: { added: Json[]; removed: Json[] };
}

/** Null: nothing changed, as far as can be known. */
export function changeNews(
	record: ScanRecord,
	scheduleId: string,
	previousId: string,
	{ added, removed, changed, unknown }: Comparison,
): News | null {
	if (added.length + removed.length + changed.length === 0) return null;
	const unsure = [...unknown.removed, ...unknown.added];
	const data = (rows: number): Json => ({
		schedule_id: scheduleId,
		previous_scan_id: previousId,
		outcome: record.context.outcome,
		counts: { added: added.length, removed: removed.length, changed: changed.length, unknown: unsure.length },
		opportunities: {
			added: added.slice(0, rows).map(shortRow),
			removed: removed.slice(0, rows).map(shortRow),
			changed: changed.slice(0, rows),
		},
		unknown: record.context.strategies.flatMap(({ strategy_id, verdict }) => {
			const count = unsure.filter((row) => row.strategy_id === strategy_id).length;
			return count === 0 ? [] : { strategy_id, verdict, opportunities: count };
		}),
		truncated: Math.max(added.length, removed.length, changed.length) > rows,
		diff_url: `/api/v1/scan-diagnostics/scan-diff?a=${previousId}&b=${record.scan_id}`,
	});
	const news = (rows: number): News => {
		const scheduled = { scan_id: record.scan_id, at_ms: endedMs(record), schedule_id: scheduleId };
		return { event: "scan.changed", data: data(rows), ...scheduled };
	};
	const id = deliveryIdOf(record.scan_id, "scan.changed", "", scheduleId);
	for (let rows = ROWS_MAX; rows > 0; rows = Math.floor(rows / 2)) {
		const fitting = news(rows);
		if (Buffer.byteLength(bodyOf(fitting, id)) <= BODY_BYTES_MAX) return fitting;
	}
	return news(0);
}

const shortRow = (row: Json): Json => Object.fromEntries(ROW_MEMBERS.map((name) => [name, row[name] ?? null]));
