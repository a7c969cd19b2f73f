import fc from "fast-check";
import type { ScanEvent, StrategyReport } from "../../machines/events.ts";
import { emptyTally } from "../../machines/strategy-rules.ts";
import type { Failure, StrategyEntry, Tally } from "../../machines/types.ts";
import { isoOf } from "../../src/clock.ts";
import { begin, type HostState, step, takeDue } from "../../src/runtime/scan-host.ts";
import type { JournalEntry, ScanRecord } from "../../src/store/contract.ts";
import type { NewEntry } from "../../src/store/write-contract.ts";
import { debugFields } from "../../src/views/debug-fields.ts";
import { lifecycleFields } from "../../src/views/lifecycle-fields.ts";
import { SCAN_ID, sampleAssets, samplePortfolio, sampleRecord, sampleRow, sampleUnproven, USER_ID } from "./records.ts";
import { limits, planned, scanInput, T0 } from "./scan-input.ts";

/** One committed revision of a scan that the real machine went through. */
export interface Revision {
	record: ScanRecord;
	entries: JournalEntry[];
	/** The hashes as they stand after the commit. */
	lifecycle: Record<string, string>;
	debug: Record<string, string>;
}

export interface Move {
	/** What happens, read against the state in hand; see `eventOf`. */
	dice: number;
	pick: number;
	rows: number;
	ms: number;
}

/** The highest throws are mishaps; the rest is a scan's ordinary course. */
const DICE_MAX = 499;

export const moves = fc.array(
	fc.record({ dice: fc.nat(DICE_MAX), pick: fc.nat(99), rows: fc.nat(4), ms: fc.nat(2_500) }),
	{ maxLength: 40, size: "max" },
);

const failure = (retryable: boolean): Failure => ({
	code: "fetch_failed",
	message: "The source did not answer",
	retryable,
});

/** Rows, unproven rows and rejections that sum to what was evaluated. */
function tallyOf(entry: StrategyEntry, rows: number): Tally {
	const name = (kind: string, n: number) => `${kind}_${entry.index}_${n}`;
	const row_ids = Array.from({ length: rows }, (_, n) => name("row", n));
	const unproven_ids = rows % 2 === 1 ? [name("unproven", 0)] : [];
	const evaluated = 8;
	return {
		...emptyTally(),
		candidates_total: 9,
		evaluated,
		row_ids,
		unproven_ids,
		rejected: { no_trigger: evaluated - row_ids.length - unproven_ids.length },
		near_misses: [{ symbol: "ETH/USDT", reason: "no_trigger", value: 0.4, threshold: 0.5, distance: 0.1 }],
		data_as_of: isoOf(T0),
		data_age_seconds: 0,
	};
}

function reportOf(entry: StrategyEntry, move: Move): StrategyReport {
	const base = { strategy_id: entry.strategy_id, attempt: entry.attempt };
	const tally = tallyOf(entry, move.rows);
	const kind = move.dice % 6;
	if (kind === 0) return { ...base, kind: "progressed", tally };
	if (kind === 1) return { ...base, kind: "finished", tally, degraded: failure(true) };
	if (kind === 2) return { ...base, kind: "failed", error: failure(move.pick % 2 === 0), reason: null, tally: null };
	if (kind === 3) return { ...base, kind: "skipped", reason: "no_symbols", tally: emptyTally() };
	return { ...base, kind: "finished", tally, degraded: null };
}

function eventOf(state: HostState, move: Move, at_ms: number): ScanEvent | null {
	const { position, context } = state;
	if (move.dice === DICE_MAX)
		return { type: "scan.cancel_requested", at_ms, by: USER_ID, reason: "superseded", superseded_by: SCAN_ID };
	if (move.dice === DICE_MAX - 1)
		return { type: "scan.abandoned", at_ms, code: "worker_lost", message: "Nobody answers for the scan" };
	if (move.dice > DICE_MAX - 8 && position !== "queued") {
		return {
			type: "scan.resumed",
			at_ms,
			worker_id: "worker-2",
			lease_expires_at_ms: at_ms + 6_000,
			lost_lease: move.dice % 2 === 0,
			idle_ms: move.pick * 100,
		};
	}
	const bad = move.dice > DICE_MAX - 14;
	switch (position) {
		case "queued":
			return { type: "scan.claimed", at_ms, worker_id: "worker-1", lease_expires_at_ms: at_ms + 6_000 };
		case "portfolio_fetch":
			return bad
				? { type: "portfolio.failed", at_ms, error: failure(move.pick % 2 === 0) }
				: { type: "portfolio.fetched", at_ms, portfolio: samplePortfolio() };
		case "asset_discovery":
			return bad
				? { type: "assets.failed", at_ms, error: failure(move.pick % 2 === 0) }
				: { type: "assets.discovered", at_ms, assets: sampleAssets() };
		case "ranking": {
			if (bad) return { type: "ranking.failed", at_ms, error: failure(move.pick % 2 === 0) };
			const ids = context.strategies.flatMap((entry) => entry.tally.row_ids);
			const unproven = context.strategies.flatMap((entry) => entry.tally.unproven_ids);
			const ranking = { ranked_count: ids.length, unproven_count: unproven.length, cut: {}, recommendations_count: 0 };
			return { type: "ranking.completed", at_ms, ranking: { ...ranking, recommendations: "skipped", duration_ms: 1 } };
		}
		default: {
			const running = context.strategies.filter((entry) => entry.state === "evaluating");
			const entry = running[move.pick % Math.max(1, running.length)];
			return entry ? { type: "strategies.reported", at_ms, reports: [reportOf(entry, move)] } : null;
		}
	}
}

/**
 * Plays moves on the real machine, deadlines included, committing as the runtime does. The last of the
 * planned strategies is skipped, so a scan of one has nothing to run.
 */
export function play(list: readonly Move[], strategies = 1 + ((list[0]?.pick ?? 4) % 5)): Revision[] {
	const held = limits({ strategy_concurrency: 3, strategy_timeout_ms: 20_000, budget_ms: 60_000 });
	const plans = planned(strategies).map((plan, i) =>
		i === strategies - 1 ? { ...plan, skip: "not_available" as const } : plan,
	);
	const input = scanInput({ scan_id: SCAN_ID, user_id: USER_ID, limits: held, strategies: plans });
	const revisions: Revision[] = [];
	let before: HostState | null = null;
	const keep = ({ state, entries }: { state: HostState; entries: NewEntry[] }) => {
		// Without an entry there is no commit: the change travels with the next one.
		if (entries.length === 0) return state;
		const last = revisions.at(-1);
		const seq = last?.record.revision ?? 0;
		const journal = entries.map((entry, i) => ({ ...entry, seq: seq + i + 1, revision: seq + entries.length }));
		const previous = before?.context ?? null;
		revisions.push({
			record: sampleRecord({
				context: state.context,
				position: state.position,
				revision: seq + journal.length,
				terminal: state.ended,
				last_event_type: journal.at(-1)?.type ?? "scan.created",
			}),
			entries: journal,
			lifecycle: { ...last?.lifecycle, ...lifecycleFields(previous, state.context, journal) },
			debug: { ...last?.debug, ...debugFields(previous, state.context, journal) },
		});
		before = state;
		return state;
	};
	let state = keep(begin(input));
	let nowMs = T0;
	for (const move of list) {
		nowMs += move.ms;
		for (let due = takeDue(state, nowMs); due && !state.ended; due = takeDue(state, nowMs)) {
			state = due.state;
			const woken = step(state, due.event);
			if (woken) state = keep(woken);
		}
		const event = state.ended ? null : eventOf(state, move, nowMs);
		const next = event ? step(state, event) : null;
		if (next) state = keep(next);
	}
	return revisions;
}

/** The stored texts that belong to a record, rows in the order of their ids. */
export function textsOf(record: ScanRecord): { rows: string[]; unproven: string[] } {
	const rows: string[] = [];
	const unproven: string[] = [];
	for (const { strategy_id, tally } of record.context.strategies) {
		rows.push(...tally.row_ids.map((id) => JSON.stringify(sampleRow(id, { strategy_id }))));
		unproven.push(...tally.unproven_ids.map((id) => JSON.stringify(sampleUnproven(id, { strategy_id }))));
	}
	return { rows, unproven };
}
