import type { JournalEvent } from "../../lib/events.ts";

/** What the journal alone tells of a scan up to one of its entries. */
export interface StrategyRun {
	strategy_id: string;
	name: string;
	state: "queued" | "evaluating" | "retrying" | "settled";
	verdict: string | null;
	attempt: number;
	rows: number;
	/** States it passed, the present one last. */
	path: string[];
}

export interface PhaseSpan {
	phase: string;
	started_at: string;
	ended_at: string | null;
	failed: boolean;
}

/** A change of the scan machine's state, with the journal types its commit wrote. */
export interface Step {
	from: string;
	to: string;
	types: ReadonlySet<string>;
}

export interface Folded {
	position: string;
	worker_id: string | null;
	attempt: number;
	phases: Map<string, PhaseSpan>;
	strategies: Map<string, StrategyRun>;
	steps: Step[];
	rows_found: number;
}

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

function strategyOf(folded: Folded, id: string): StrategyRun {
	const known = folded.strategies.get(id);
	if (known) return known;
	const fresh: StrategyRun = {
		strategy_id: id,
		name: id,
		state: "queued",
		verdict: null,
		attempt: 0,
		rows: 0,
		path: ["queued"],
	};
	folded.strategies.set(id, fresh);
	return fresh;
}

function applyStrategy(folded: Folded, { type, strategy_id, attempt, payload }: JournalEvent): void {
	if (strategy_id === null) return;
	const run = strategyOf(folded, strategy_id);
	run.attempt = attempt ?? run.attempt;
	if (type === "strategy.started") enter(run, "evaluating");
	if (type === "strategy.retried") enter(run, "retrying");
	if (type === "strategy.row_found") {
		run.rows += 1;
		folded.rows_found += 1;
	}
	if (type === "strategy.settled") {
		run.name = text(payload.strategy_name) ?? run.name;
		run.verdict = text(payload.verdict);
		enter(run, "settled", run.verdict ?? "settled");
	}
}

function enter(run: StrategyRun, state: StrategyRun["state"], shown: string = state): void {
	run.state = state;
	run.path.push(shown);
}

function applyPhase(folded: Folded, { type, at, payload }: JournalEvent): void {
	const phase = text(payload.phase);
	if (phase === null) return;
	const held = folded.phases.get(phase);
	if (type === "phase.started" && !held) {
		folded.phases.set(phase, { phase, started_at: at, ended_at: null, failed: false });
	} else if (held && (type === "phase.completed" || type === "phase.failed")) {
		folded.phases.set(phase, { ...held, ended_at: at, failed: type === "phase.failed" });
	}
}

/** Everything up to and including entry `seq`; entries come in the order of their numbers. */
export function foldTo(entries: readonly JournalEvent[], seq: number): Folded {
	const folded: Folded = {
		position: "queued",
		worker_id: null,
		attempt: 0,
		phases: new Map(),
		strategies: new Map(),
		steps: [],
		rows_found: 0,
	};
	const typesOf = new Map<number, Set<string>>();
	for (const entry of entries) {
		if (entry.seq > seq) break;
		const types = typesOf.get(entry.revision) ?? new Set<string>();
		typesOf.set(entry.revision, types.add(entry.type));
		if (entry.phase !== folded.position) {
			folded.steps.push({ from: folded.position, to: entry.phase, types });
			folded.position = entry.phase;
		}
		if (entry.type === "scan.claimed" || entry.type === "scan.resumed") {
			folded.worker_id = text(entry.payload.worker_id);
			folded.attempt += 1;
		}
		if (entry.type === "strategies.resolved" && Array.isArray(entry.payload.strategy_ids)) {
			for (const id of entry.payload.strategy_ids) strategyOf(folded, String(id));
		}
		if (entry.type.startsWith("phase.")) applyPhase(folded, entry);
		if (entry.type.startsWith("strategy.")) applyStrategy(folded, entry);
	}
	return folded;
}

/** Names of strategies as the whole journal tells them, by id. */
export const namesIn = (entries: readonly JournalEvent[]): Map<string, string> =>
	new Map([...foldTo(entries, Number.POSITIVE_INFINITY).strategies.values()].map((run) => [run.strategy_id, run.name]));
