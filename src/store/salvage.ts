import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, ScanContext, ScanInput, ScanPosition, StrategyEntry } from "../../machines/types.ts";
import { wholeInput } from "./input-codec.ts";
import { CLAIM, LEFT_OUT, wholeDeadlines, wholeSnapshot } from "./snapshot-codec.ts";
import { begunEntry, decodeEntry, SETTLED, settledEntries } from "./strategy-codec.ts";

/**
 * Reads what a damaged scan record still holds. A field that is not JSON, or not of the shape that every
 * reader relies on, is replaced by what the other fields say and named, so that one poisoned record can be
 * shown, listed and ended, and never breaks the process that meets it. Nothing is written here.
 */

export type Dynamic = Omit<ScanContext, "input" | "strategies">;

/**
 * What a phase leaves behind, each in a field of its own that is written once. They stood in the snapshot before, and
 * a snapshot that still has them is read as well.
 */
export const SUMMARIES = ["portfolio", "assets", "ranking"] as const satisfies (keyof Dynamic)[];
type Summaries = Pick<Dynamic, (typeof SUMMARIES)[number]>;

/** Its name in the scan hash. */
export const summaryField = (name: keyof Summaries): string => `k:${name}`;

/** The field of strategies that have begun together. */
export const BEGUN = "s:begun";

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
	typeof value === "object" && value !== null && !Array.isArray(value);

function objectIn(text: string | undefined): Json | null {
	try {
		const value: unknown = JSON.parse(text ?? "");
		return isObject(value) ? value : null;
	} catch {
		return null;
	}
}

const isInput = (value: Json): boolean =>
	typeof value.deadline_at_ms === "number" &&
	typeof value.accepted_at_ms === "number" &&
	isObject(value.limits) &&
	isObject(value.profile) &&
	isObject(value.filters) &&
	Array.isArray(value.strategies);

const isDynamic = (value: Json): boolean => typeof value.now_ms === "number" && isObject(value.phases);

const isSpan = (value: unknown): boolean =>
	isObject(value) &&
	Number.isFinite(value.started_at_ms) &&
	(value.ended_at_ms === null || Number.isFinite(value.ended_at_ms));

const isOwnDynamic = (value: Json): boolean => isDynamic(value) && Object.values(value.phases as Json).every(isSpan);

const isClaim = (value: Json): boolean => typeof value.attempt === "number" && typeof value.resumes === "number";

const isEntry = (value: Json): boolean =>
	typeof value.strategy_id === "string" &&
	isObject(value.tally) &&
	Array.isArray(value.tally.row_ids) &&
	Array.isArray(value.tally.unproven_ids) &&
	isObject(value.tally.rejected);

const isBegun = (value: Json): boolean =>
	Array.isArray(value.places) && typeof value.started_at_ms === "number" && typeof value.deadline_at_ms === "number";

const isDeadlines = (value: Json): boolean =>
	Object.values(value).every((armed) => isObject(armed) && typeof armed.at_ms === "number" && isObject(armed.event));

/** Collects the names of fields that could not be read. */
export class Damage {
	readonly fields: string[] = [];
	private readonly current: string;

	/** @param current the machine version that this build writes */
	constructor(current: string) {
		this.current = current;
	}

	take<T>(
		name: string,
		text: string | undefined,
		fits: (value: Json) => boolean,
		whole: (value: Json) => Json = (value) => value,
	): T | null {
		const held = objectIn(text);
		const value = held && whole(held);
		if (value && fits(value)) return value as T;
		this.fields.push(name);
		return null;
	}

	input(scanId: string, fields: Record<string, string>): ScanInput {
		try {
			const held = wholeInput(fields.input ?? "");
			if (isObject(held) && isInput(held)) return held as unknown as ScanInput;
		} catch {
			// As one that was read and is none.
		}
		this.fields.push("input");
		return barestInput(scanId, fields);
	}

	dynamic(fields: Record<string, string>, input: ScanInput): Dynamic {
		const own = fields.machine === this.current;
		const held = this.take<Dynamic>("snapshot", fields.snapshot, own ? isOwnDynamic : isDynamic, wholeSnapshot);
		if (!held) return barestDynamic(fields, input);
		// Another version's snapshot may lack what this one reads; its own lacks what a new scan has too.
		const dynamic = { ...(own ? LEFT_OUT : barestDynamic(fields, input)), ...held };
		const claim = fields[CLAIM] === undefined ? null : this.take<Partial<Dynamic>>(CLAIM, fields[CLAIM], isClaim);
		return { ...dynamic, ...claim, ...this.summaries(fields, dynamic) };
	}

	private summaries(fields: Record<string, string>, held: Partial<Summaries>): Summaries {
		const taken: Partial<Record<keyof Summaries, unknown>> = {};
		for (const name of SUMMARIES) {
			const text = fields[summaryField(name)];
			taken[name] = text === undefined ? (held[name] ?? null) : this.take(summaryField(name), text, () => true);
		}
		return taken as Summaries;
	}

	strategies(fields: Record<string, string>, { strategies: planned }: ScanInput): StrategyEntry[] {
		const entries: StrategyEntry[] = [];
		const begun = fields[BEGUN] === undefined ? null : this.take<Json>(BEGUN, fields[BEGUN], isBegun);
		const settled = this.settled(fields, planned);
		for (let position = 0; ; position++) {
			const name = `s:${position}`;
			const plan = planned[position];
			const whole = (held: Json) => decodeEntry(held, plan, position);
			const own = fields[name] === undefined ? null : this.take<Json>(name, fields[name], isEntry, whole);
			const ended = settled.get(position);
			// An entry's own field was written after that of all that began together, and before that of all that were
			// settled together, unless it is settled itself: then ranking has cut something of it.
			const told = ended !== undefined && typeof own?.verdict !== "string" ? ended : own;
			if (told) {
				entries.push(told as unknown as StrategyEntry);
				continue;
			}
			const changed = begun && plan && fields[name] === undefined ? begunEntry(begun, plan, position) : null;
			if (changed) entries.push(whole(changed) as unknown as StrategyEntry);
			else if (fields[name] === undefined) return entries;
			else if (plan) entries.push(newEntry(plan));
		}
	}

	/** What fields of strategies that were settled together say of each of them, by place. */
	private settled(fields: Record<string, string>, planned: readonly PlannedStrategy[]): Map<number, Json> {
		const told = new Map<number, Json>();
		for (const name in fields) {
			if (!name.startsWith(SETTLED)) continue;
			for (const [place, entry] of this.settledBy(name, fields[name], planned)) told.set(place, entry);
		}
		return told;
	}

	private settledBy(
		name: string,
		text: string | undefined,
		planned: readonly PlannedStrategy[],
	): [place: number, entry: Json][] {
		try {
			return settledEntries(objectIn(text) ?? {}).map(([place, changed]): [number, Json] => {
				const entry = decodeEntry(changed, planned[place], place);
				if (!Number.isInteger(place) || !isEntry(entry)) throw new Error(`no entry at ${place}`);
				return [place, entry];
			});
		} catch {
			this.fields.push(name);
			return [];
		}
	}

	deadlines<T>(fields: Record<string, string>): T {
		return this.take<T>("deadlines", fields.deadlines ?? "{}", isDeadlines, wholeDeadlines) ?? ({} as T);
	}
}

const NO_LIMITS: ScanInput["limits"] = {
	budget_ms: 0,
	ranking_reserve_ms: 0,
	portfolio_timeout_ms: 0,
	discovery_timeout_ms: 0,
	strategy_timeout_ms: 0,
	strategy_concurrency: 1,
	strategy_attempts_max: 1,
	retry_backoff_ms: 0,
	resumes_max: 0,
	rows_max: 0,
};

/** Owner and times stand in fields of their own; everything else is unknown, so nothing was asked and nothing is owned. */
function barestInput(scanId: string, fields: Record<string, string>): ScanInput {
	const accepted_at_ms = Number(fields.accepted_at ?? fields.deadline_at ?? 0);
	const deadline_at_ms = Number(fields.deadline_at ?? accepted_at_ms);
	return {
		scan_id: scanId,
		user_id: fields.owner ?? "",
		accepted_at_ms,
		deadline_at_ms,
		limits: { ...NO_LIMITS, budget_ms: deadline_at_ms - accepted_at_ms },
		filters: {},
		filter_key: "",
		filters_unmatched: [],
		force_refresh: false,
		include_strategy_recommendations: false,
		redrive_of: null,
		supersedes: null,
		schedule_id: null,
		profile: {
			role: "viewer",
			user_tier: "basic",
			asset_tier_floor: "tier_retail",
			max_asset_tier: "tier_retail",
			scan_limit: null,
			strategy_ids: [],
			monthly_cost_credits: 0,
			risk_profile: "unknown",
			strategy_fingerprint: "",
			portfolio_version: 0,
		},
		strategies: [],
	};
}

function barestDynamic(fields: Record<string, string>, input: ScanInput): Dynamic {
	const endedAtMs = fields.ended_at === undefined ? null : Number(fields.ended_at);
	const phase = (fields.position ?? "queued") as ScanPosition;
	const lost = "The stored state of the scan cannot be read";
	return {
		now_ms: Number(fields.progress_at ?? input.accepted_at_ms),
		worker_id: fields.worker || null,
		claimed_at_ms: fields.worker ? Number(fields.progress_at ?? input.accepted_at_ms) : null,
		attempt: 0,
		resumes: 0,
		phases: {},
		portfolio: null,
		assets: null,
		opportunities_found: 0,
		wake_at_ms: null,
		ranking: null,
		outcome: null,
		end:
			endedAtMs === null || fields.foreign_end !== undefined
				? null
				: {
						at_ms: endedAtMs,
						error: { code: "internal_error", message: lost, phase },
						is_timeout: false,
						reason: null,
						superseded_by: null,
						by: null,
					},
	};
}
