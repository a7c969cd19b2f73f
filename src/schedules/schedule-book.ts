import type { ScanFilters } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { ApiError, validationFailed } from "../errors.ts";
import type { ScheduleHints, ScheduleSpec, ScheduleStore, StoredSchedule } from "./contract.ts";
import { parseCron, shortestGapMs } from "./cron.ts";
import { lookAgainMs, upcomingRun } from "./runs.ts";

/** Schedules as their owners see and change them. */

export const SCHEDULES_MAX = 20;
/** One hour. */
export const JITTER_MS_MAX = 3_600_000;
/** Two changes at once of one schedule: the later one looks again. */
const SAVE_TRIES = 5;

/** What an owner may set; absent in a change: it stays. */
export interface ScheduleFields {
	name?: string | null;
	cron?: string;
	tz?: string;
	/** Canonical. */
	filters?: ScanFilters;
	overlap?: ScheduleSpec["overlap"];
	jitter_ms?: number;
	paused?: boolean;
	webhook_ids?: string[] | null;
}

export interface ScheduleBook {
	/** Throws limit_reached, validation_failed, token_revoked. */
	create(userId: string, fields: ScheduleFields & { cron: string }): Promise<object>;
	list(userId: string): Promise<object[]>;
	/** Throws schedule_not_found, as do the following. */
	get(userId: string, scheduleId: string): Promise<object>;
	change(userId: string, scheduleId: string, fields: ScheduleFields): Promise<object>;
	remove(userId: string, scheduleId: string): Promise<object>;
}

export interface BookDeps {
	store: ScheduleStore;
	hints: ScheduleHints;
	webhookIds(userId: string): Promise<string[]>;
	/** The store's clock. */
	now(): number;
	newId(): string;
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

export function createScheduleBook(deps: BookDeps): ScheduleBook {
	const { store, hints, now, log } = deps;

	async function found(userId: string, scheduleId: string): Promise<StoredSchedule> {
		const held = await store.read(userId, scheduleId);
		if (!held) throw new ApiError("schedule_not_found");
		return held;
	}

	async function check(userId: string, spec: ScheduleSpec, fields: ScheduleFields): Promise<void> {
		const parsed = parseCron(spec.cron, spec.tz, now());
		if (!parsed.ok) throw validationFailed([{ path: `body.${parsed.path}`, message: parsed.message }]);
		// Runs keep their order, so no run is overtaken by the one after it.
		if (spec.jitter_ms > 0 && spec.jitter_ms >= shortestGapMs(parsed.cron, now()))
			throw validationFailed([{ path: "body.jitter_ms", message: "must be less than the time between two runs" }]);
		if (!fields.webhook_ids?.length) return;
		const known = new Set(await deps.webhookIds(userId));
		const strange = fields.webhook_ids.findIndex((id) => !known.has(id));
		if (strange >= 0)
			throw validationFailed([{ path: `body.webhook_ids.${strange}`, message: "is not a webhook of yours" }]);
	}

	/** The record is there; what leads to it is repaired from it, so a queue that is away delays and loses nothing. */
	async function lead({ spec, state }: StoredSchedule, userId: string): Promise<void> {
		const { schedule_id, cron, tz, paused } = spec;
		try {
			await store.index(userId, schedule_id, lookAgainMs(spec, state, now()));
			await (paused ? hints.forget(schedule_id) : hints.every(schedule_id, cron, tz));
		} catch (error) {
			log.warn({ schedule_id, err: error }, "a schedule is not set in the queue yet");
		}
	}

	return {
		async create(userId, fields) {
			const nowMs = now();
			const spec: ScheduleSpec = {
				schedule_id: deps.newId(),
				name: null,
				tz: "UTC",
				filters: {},
				overlap: "skip",
				jitter_ms: 0,
				paused: false,
				webhook_ids: null,
				...fields,
				created_at_ms: nowMs,
				since_ms: nowMs,
			};
			await check(userId, spec, fields);
			const answer = await store.save(userId, spec, null, SCHEDULES_MAX);
			if (answer === "limit") throw new ApiError("limit_reached", `At most ${SCHEDULES_MAX} schedules per user`);
			if (answer !== "saved") throw new ApiError("token_revoked");
			const created = await found(userId, spec.schedule_id);
			await lead(created, userId);
			return scheduleView(created, now());
		},
		list: async (userId) => (await store.list(userId)).map((held) => scheduleView(held, now())),
		get: async (userId, scheduleId) => scheduleView(await found(userId, scheduleId), now()),
		async change(userId, scheduleId, fields) {
			for (let attempt = 0; attempt < SAVE_TRIES; attempt += 1) {
				const { spec: before } = await found(userId, scheduleId);
				const merged = { ...before, ...fields };
				await check(userId, merged, fields);
				const answer = await store.save(userId, restarted(before, merged, now()), before, SCHEDULES_MAX);
				if (answer === "gone") throw new ApiError("schedule_not_found");
				if (answer === "no_account") throw new ApiError("token_revoked");
				if (answer !== "saved") continue;
				const changed = await found(userId, scheduleId);
				await lead(changed, userId);
				return scheduleView(changed, now());
			}
			throw new ApiError("internal_error");
		},
		async remove(userId, scheduleId) {
			const held = await found(userId, scheduleId);
			await store.remove(userId, scheduleId);
			try {
				await hints.forget(scheduleId);
				await store.unindex(scheduleId);
			} catch (error) {
				log.warn({ schedule_id: scheduleId, err: error }, "a deleted schedule still stands in the queue");
			}
			return scheduleView(held, now());
		},
	};
}

/** Other times, or the end of a pause: what was missed until now is nobody's run. */
function restarted(before: ScheduleSpec, after: ScheduleSpec, nowMs: number): ScheduleSpec {
	const resumed = before.paused && !after.paused;
	const moved = before.cron !== after.cron || before.tz !== after.tz;
	return resumed || moved ? { ...after, since_ms: nowMs } : after;
}

export function scheduleView({ spec, state }: StoredSchedule, nowMs: number): object {
	const { schedule_id, name, cron, tz, filters, overlap, jitter_ms, paused, webhook_ids, created_at_ms } = spec;
	const next = upcomingRun(spec, state, nowMs);
	return {
		schedule_id,
		name,
		cron,
		tz,
		filters,
		overlap,
		jitter_ms,
		paused,
		webhook_ids,
		next_run_at: next ? isoOf(next.due_ms) : null,
		last_scan_id: state.last_scan_id,
		last_error: state.last_error,
		created_at: isoOf(created_at_ms),
	};
}
