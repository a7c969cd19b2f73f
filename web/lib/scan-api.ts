import { get, type Json, post } from "./api.ts";
import { person } from "./session.ts";

export interface Started {
	scanId: string;
	joined: boolean;
	fromCache: boolean;
}

export async function startScan(filters: Json, force: boolean): Promise<Started> {
	const { body } = await post("/opportunities/discover", { ...filters, force_refresh: force });
	return { scanId: body.scan_id, joined: body.joined, fromCache: body.from_cache };
}

const path = (scanId: string, act: string): string => `/opportunities/scans/${encodeURIComponent(scanId)}/${act}`;

export const cancelScan = (scanId: string) => post(path(scanId, "cancel"));

/** Runs strategies of an ended scan again; without ids those that did not answer in full. */
export async function redriveScan(scanId: string, strategyIds: readonly string[]): Promise<string> {
	const { body } = await post(path(scanId, "redrive"), strategyIds.length > 0 ? { strategy_ids: strategyIds } : {});
	return body.scan_id;
}

/** What a scan's end left: the results of a complete one, or what a failed or cancelled one had found. */
export interface Results {
	complete: boolean;
	body: Json;
}

const KEPT_MAX = 5;
/** Ended scans never change; a few are kept so that a look at a row and back asks nothing. */
const kept = new Map<string, Promise<Results>>();

/** Throws ApiProblem for a scan that is not there; null while it runs. */
export async function resultsOf(scanId: string): Promise<Results | null> {
	const key = `${person.value?.user_id} ${scanId}`;
	const held = kept.get(key);
	if (held) return held;
	const reply = await get(`/opportunities/results/${encodeURIComponent(scanId)}`, { accept: [409] });
	if (reply.status === 202) return null;
	const results = { complete: reply.status === 200, body: reply.body };
	kept.set(key, Promise.resolve(results));
	for (const oldest of [...kept.keys()].slice(0, -KEPT_MAX)) kept.delete(oldest);
	return results;
}

export async function statusOf(scanId: string): Promise<{ body: Json; serverNowMs: number }> {
	const { body, headers } = await get(`/opportunities/status/${encodeURIComponent(scanId)}`);
	return { body, serverNowMs: Date.parse(headers.get("date") ?? "") || Date.now() };
}

/** Rows that are not among the others, by id. */
export function rowsWithout(rows: readonly Json[], others: readonly Json[]): Json[] {
	const ids = new Set(others.map(({ opportunity_id }) => opportunity_id));
	return rows.filter(({ opportunity_id }) => !ids.has(opportunity_id));
}
