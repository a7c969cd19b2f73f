import type { Json } from "./json.ts";

/** What is needed of a journal entry. */
export interface LiveEvent {
	type: string;
	at: string;
	phase: string;
	payload: Json;
}

export interface LiveStrategy {
	id: string;
	/** Known from its end on; before that the catalogue's. */
	name: string | null;
	/** pending, running, retrying, or the verdict. */
	state: string;
	reason: string | null;
	error: string | null;
	attempt: number;
	/** Epoch ms on the server's clock. */
	startedAtMs: number | null;
	durationMs: number | null;
	found: number;
	unproven: number;
}

/** What the events of one scan add up to. Fed in order; figures of progress never fall. */
export class LiveModel {
	phase = "queued";
	readonly phases = new Map<string, { startedAtMs: number; durationMs: number | null; failed: boolean }>();
	readonly strategies = new Map<string, LiveStrategy>();
	readonly rows = new Map<string, Json>();
	percentage = 0;
	completed = 0;
	total = 0;
	found = 0;
	assets: number | null = null;
	cancelRequested = false;
	ended = false;
	version = 0;

	apply({ type, at, phase, payload }: LiveEvent): void {
		const atMs = Date.parse(at);
		this.version += 1;
		if (type === "phase.started")
			this.phases.set(payload.phase, { startedAtMs: atMs, durationMs: null, failed: false });
		if (type === "phase.completed" || type === "phase.failed") {
			const begun = this.phases.get(payload.phase) ?? { startedAtMs: atMs, durationMs: null, failed: false };
			begun.durationMs = payload.duration_ms ?? atMs - begun.startedAtMs;
			begun.failed = type === "phase.failed";
			this.phases.set(payload.phase, begun);
		}
		if (type === "assets.discovered") this.assets = payload.total_assets;
		if (type === "strategies.resolved") for (const id of payload.strategy_ids) this.#strategy(id);
		if (type.startsWith("strategy.")) this.#ofStrategy(type, atMs, payload);
		if (type === "scan.cancel_requested") this.cancelRequested = true;
		if (type === "scan.completed" || type === "scan.failed" || type === "scan.cancelled") {
			this.ended = true;
			if (payload.progress) this.advance(payload.progress);
		}
		this.phase = phase;
		this.#count();
	}

	/** Progress that the server told by another way. */
	advance({ strategies_completed, total_strategies, opportunities_found_so_far, percentage }: Json): void {
		this.completed = Math.max(this.completed, strategies_completed ?? 0);
		this.total = Math.max(this.total, total_strategies ?? 0);
		this.found = Math.max(this.found, opportunities_found_so_far ?? 0);
		this.percentage = Math.max(this.percentage, percentage ?? 0);
		this.version += 1;
	}

	#strategy(id: string): LiveStrategy {
		const known = this.strategies.get(id);
		if (known) return known;
		const fresh = { id, name: null, state: "pending", reason: null, error: null, attempt: 0 };
		const made = { ...fresh, startedAtMs: null, durationMs: null, found: 0, unproven: 0 };
		this.strategies.set(id, made);
		return made;
	}

	#ofStrategy(type: string, atMs: number, payload: Json): void {
		const strategy = this.#strategy(payload.strategy_id);
		if (type === "strategy.started") {
			strategy.state = "running";
			strategy.attempt = payload.attempt;
			strategy.startedAtMs ??= atMs;
		} else if (type === "strategy.retried") {
			strategy.state = "retrying";
		} else if (type === "strategy.row_found") {
			if (payload.opportunity && !this.rows.has(payload.opportunity_id)) {
				this.rows.set(payload.opportunity_id, payload.opportunity);
				strategy.found += 1;
			}
		} else if (type === "strategy.settled") {
			strategy.state = payload.verdict;
			strategy.name = payload.strategy_name ?? null;
			strategy.reason = payload.reason;
			strategy.error = payload.error?.message ?? null;
			strategy.durationMs = payload.duration_ms;
			strategy.found = payload.published;
			strategy.unproven = payload.unproven;
			if (payload.progress) this.advance(payload.progress);
		}
	}

	#count(): void {
		const settled = [...this.strategies.values()].filter(({ state }) => !OPEN.has(state)).length;
		this.total = Math.max(this.total, this.strategies.size);
		this.completed = Math.max(this.completed, settled);
		this.found = Math.max(this.found, this.rows.size);
		if (this.total > 0) {
			this.percentage = Math.max(this.percentage, Math.min(99, Math.floor((100 * this.completed) / this.total)));
		}
	}
}

const OPEN = new Set(["pending", "running", "retrying"]);
