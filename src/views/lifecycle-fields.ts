import type { Phase, ScanContext } from "../../machines/types.ts";
import { PHASES } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { NewEntry } from "../store/write-contract.ts";
import { currentStatus, phaseView } from "./phases.ts";
import { endedAtMs, isFinal, positionOf } from "./words.ts";

const isPhase = (word: unknown): word is Phase => (PHASES as readonly unknown[]).includes(word);

/** The phase that a journal entry changes, or null. */
function phaseOf(entry: NewEntry): Phase | null {
	switch (entry.type) {
		case "scan.claimed":
			return "started";
		case "portfolio.fetched":
			return "portfolio_fetch";
		case "assets.discovered":
			return "asset_discovery";
		case "strategies.resolved":
		case "strategy.started":
		case "strategy.retried":
		case "strategy.row_found":
		case "strategy.settled":
			return "strategies_scan";
		case "ranking.completed":
			return "ranking";
		case "scan.completed":
			return "completed";
		case "scan.failed":
			return "failed";
		case "scan.cancelled":
			return "cancelled";
		case "phase.started":
		case "phase.completed":
		case "phase.failed":
			if (isPhase(entry.payload.phase)) return entry.payload.phase;
			return isPhase(entry.phase) ? entry.phase : null;
		default:
			return null;
	}
}

/** Phases that still stood open when the scan ended and were closed by its end. */
function closedByEnd(context: ScanContext): Phase[] {
	const ended = endedAtMs(context);
	if (ended === null) return [];
	return PHASES.filter((phase) => {
		const span = context.phases[phase];
		return span && (span.ended_at_ms === null || span.ended_at_ms === ended);
	});
}

/** Each changed phase with the moment of its last change, in phase order. */
function changedPhases(
	before: ScanContext | null,
	context: ScanContext,
	entries: readonly NewEntry[],
): Map<Phase, number> {
	const changed = new Map<Phase, number>();
	const lastAtMs = entries.at(-1)?.at_ms ?? context.now_ms;
	if (before === null) {
		for (const phase of PHASES) {
			const span = context.phases[phase];
			if (span) changed.set(phase, span.ended_at_ms ?? span.started_at_ms);
		}
		const position = positionOf(context);
		if (position !== "queued" && isFinal(position)) changed.set(position, endedAtMs(context) ?? lastAtMs);
	}
	for (const entry of entries) {
		const phase = phaseOf(entry);
		if (phase) changed.set(phase, entry.at_ms);
	}
	for (const phase of closedByEnd(context)) if (!changed.has(phase)) changed.set(phase, lastAtMs);
	return changed;
}

/**
 * Fields of the hash `scan_lifecycle:{id}` that `entries` changed, to be
 * written in their commit. Pure and idempotent: derived from the context after the transition.
 * `before` null projects everything the context holds.
 */
export function lifecycleFields(
	before: ScanContext | null,
	context: ScanContext,
	entries: readonly NewEntry[],
): Record<string, string> {
	const position = positionOf(context);
	const fields: Record<string, string> = {
		current_phase: position,
		current_status: currentStatus(context, position),
		last_updated: isoOf(entries.at(-1)?.at_ms ?? context.now_ms),
	};
	for (const [phase, atMs] of changedPhases(before, context, entries)) {
		const view = phaseView(context, phase, atMs);
		if (view) fields[phase] = JSON.stringify(view);
	}
	return fields;
}
