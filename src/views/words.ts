import type { Phase, ScanContext, ScanPosition } from "../../machines/types.ts";
import { PHASES } from "../../machines/types.ts";
import { CATALOGUE } from "../catalogue.ts";
import { isoOf } from "../clock.ts";

/** Coarse word for clients that poll for ever on words they do not know. */
export type StatusWord = "scanning" | "complete" | "failed";
/** Exact word. */
export type StateWord = "queued" | "running" | "complete" | "failed" | "cancelled";

export function stateOf(position: ScanPosition): StateWord {
	if (position === "completed") return "complete";
	if (position === "queued" || position === "failed" || position === "cancelled") return position;
	return "running";
}

export function statusOf(position: ScanPosition): StatusWord {
	if (position === "completed") return "complete";
	return position === "failed" || position === "cancelled" ? "failed" : "scanning";
}

export const FINAL_PHASES = ["completed", "failed", "cancelled"] as const satisfies readonly Phase[];
export const isFinal = (position: ScanPosition): boolean => (FINAL_PHASES as readonly string[]).includes(position);

/** The last phase before the end that has begun; null before the first claim. */
export function lastWorkingPhase(context: ScanContext): Exclude<Phase, "completed" | "failed" | "cancelled"> | null {
	const begun = PHASES.filter((phase) => !isFinal(phase) && context.phases[phase] !== undefined);
	return (begun.at(-1) ?? null) as Exclude<Phase, "completed" | "failed" | "cancelled"> | null;
}

/** Where a context stands, told by what it holds: the end first, then the furthest phase begun. */
export function positionOf(context: ScanContext): ScanPosition {
	const { end, phases } = context;
	if (end?.error || phases.failed) return "failed";
	if (end?.reason || phases.cancelled) return "cancelled";
	if (end || phases.completed) return "completed";
	return lastWorkingPhase(context) ?? "queued";
}

/** When the scan ended, epoch ms; null while it runs. */
export function endedAtMs(context: ScanContext): number | null {
	if (context.end) return context.end.at_ms;
	const final = context.phases.completed ?? context.phases.failed ?? context.phases.cancelled;
	return final?.started_at_ms ?? null;
}

/** completed_at - accepted_at in ms; null while the scan runs. */
export function executionTimeMs(context: ScanContext): number | null {
	const ended = endedAtMs(context);
	return ended === null ? null : ended - context.input.accepted_at_ms;
}

export const isoOrNull = (ms: number | null | undefined): string | null =>
	ms === null || ms === undefined ? null : isoOf(ms);

const names = new Map(CATALOGUE.map((entry) => [entry.id, entry.name]));
/** Display name; the id itself for an id that left the catalogue while its scans are retained. */
export const strategyName = (strategyId: string): string => names.get(strategyId) ?? strategyId;

const BASE = "/api/v1/opportunities";
export const pollUrl = (scanId: string): string => `${BASE}/status/${scanId}`;
export const resultsUrl = (scanId: string): string => `${BASE}/results/${scanId}`;
export const eventsUrl = (scanId: string): string => `${BASE}/scans/${scanId}/events`;

/** Keys an operator may look up; the braces are part of the key. */
export const lifecycleKey = (scanId: string): string => `scan_lifecycle:{${scanId}}`;
export const resultsKey = (scanId: string): string => `scan_results:{${scanId}}`;

/** `a`, `a and b`, `a, b and c`; beyond `shown` words the rest is counted. */
export function listWords(words: readonly string[], shown = 14): string {
	const head = words.slice(0, shown);
	if (words.length > shown) head.push(`${words.length - shown} more`);
	if (head.length < 2) return head.join("");
	return `${head.slice(0, -1).join(", ")} and ${head.at(-1)}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
