import { ApiError } from "../errors.ts";
import type { ParsedFilters } from "../filters.ts";
import type { AccountReader, StartResult } from "../services.ts";
import type { ScanReader, Viewer } from "../store/contract.ts";
import { isStoreFailure } from "../store-failure.ts";
import type {
	RunOutcome,
	ScheduledStart,
	ScheduleHints,
	ScheduleSpec,
	ScheduleStore,
	StoredSchedule,
} from "./contract.ts";
import { dueRun, lookAgainMs, scanIdOf, upcomingRun } from "./runs.ts";

/**
 * Looks at a schedule and starts what is due. Hints (jobs, the end of a scan, the sweeper) only say "look": what
 * happens follows from the record, so any number of them, late or twice, in any process, lead to one scan a run.
 */
export interface ScheduleRunner {
	look(scheduleId: string): Promise<void>;
}

export interface RunnerDeps {
	store: ScheduleStore;
	hints: ScheduleHints;
	accounts: AccountReader;
	scans: Pick<ScanReader, "read">;
	parseFilters(body: Record<string, unknown>): ParsedFilters;
	/** May this role start scans? */
	mayStart(role: Viewer["role"]): boolean;
	/** Counts a start in the user's window; false: there is no room. */
	admit(userId: string): Promise<boolean>;
	start(viewer: Viewer, request: ScheduledStart, reservedId: string): Promise<StartResult>;
	/** The store's clock. */
	now(): number;
	token(): string;
	count(result: RunOutcome["kind"]): void;
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

/** A process that starts a scan for longer than this counts as dead. */
export const RUN_LEASE_MS = 15_000;
/** A job that comes this much before its run (clocks differ) is asked to come again. */
const EARLY_MS = 2_000;
const ERROR_LENGTH_MAX = 300;

export function createScheduleRunner(deps: RunnerDeps): ScheduleRunner {
	const { store, hints, log } = deps;

	async function look(scheduleId: string): Promise<void> {
		const userId = await store.ownerOf(scheduleId);
		const held = userId === null ? null : await store.read(userId, scheduleId);
		if (userId === null || held === null) {
			// Deleted by a process that died before it had removed what leads here.
			await hints.forget(scheduleId);
			await store.unindex(scheduleId);
			return;
		}
		const tickMs = await wanted(held);
		if (tickMs !== null) await run(userId, held, tickMs);
		await settle(userId, scheduleId);
	}

	/** A run that waits is wanted once the scan before it has ended; a newer one that is due takes its place. */
	async function wanted({ spec, state }: StoredSchedule): Promise<number | null> {
		const due = dueRun(spec, state, deps.now());
		if (due !== null || state.waiting_ms === null || spec.paused) return due;
		return (await isRunning(state.last_scan_id)) ? null : state.waiting_ms;
	}

	async function isRunning(scanId: string | null): Promise<boolean> {
		const record = scanId === null ? null : await deps.scans.read(scanId);
		return record !== null && !record.terminal;
	}

	async function run(userId: string, schedule: StoredSchedule, tickMs: number): Promise<void> {
		const { schedule_id } = schedule.spec;
		const token = deps.token();
		const claim = await store.claimRun(userId, schedule_id, tickMs, token, RUN_LEASE_MS);
		if (claim.kind === "busy") await hints.once(schedule_id, `again-${tickMs}`, claim.retry_after_ms);
		if (claim.kind !== "granted") return;
		// Read again under the claim: another process may just have concluded the run before.
		const held = await store.read(userId, schedule_id);
		if (!held) return;
		const outcome = await outcomeOf(userId, held, tickMs);
		if (await store.concludeRun(userId, schedule_id, tickMs, token, outcome)) deps.count(outcome.kind);
		if (outcome.pause) await hints.forget(schedule_id);
	}

	async function outcomeOf(userId: string, { spec, state }: StoredSchedule, tickMs: number): Promise<RunOutcome> {
		const scanId = scanIdOf(spec.schedule_id, tickMs);
		if (state.last_scan_id !== scanId && (await isRunning(state.last_scan_id))) return overlapping(spec, null);
		try {
			return await start(userId, spec, scanId);
		} catch (error) {
			// The store is away: nobody knows what was done, so the same run is taken up again.
			if (isStoreFailure(error)) throw error;
			// Another process, slow and not dead after all, had begun the same run.
			if (await deps.scans.read(scanId)) return { kind: "started", scan_id: scanId, error: null };
			log.warn({ schedule_id: spec.schedule_id, err: error }, "a scheduled scan could not be started");
			return refused(error instanceof ApiError ? `${error.code}: ${error.message}` : "internal_error: Internal error");
		}
	}

	async function start(userId: string, spec: ScheduleSpec, scanId: string): Promise<RunOutcome> {
		const account = await deps.accounts.byId(userId);
		if (account?.status !== "active") return { ...refused("account_inactive: The account is not active"), pause: true };
		if (!deps.mayStart(account.role))
			return { ...refused("insufficient_permissions: The role may not start scans"), pause: true };
		const parsed = deps.parseFilters({ ...spec.filters });
		if (!parsed.ok) return refused(`validation_failed: ${parsed.errors[0]?.path}: ${parsed.errors[0]?.message}`);
		if (!(await deps.admit(userId))) return refused("rate_limited: Too many scan starts");
		const request: ScheduledStart = {
			filters: parsed.filters,
			filter_key: parsed.filter_key,
			filters_unmatched: parsed.unmatched,
			force_refresh: false,
			include_strategy_recommendations: true,
			schedule_id: spec.schedule_id,
		};
		const { decision, scan_id } = await deps.start({ user_id: userId, role: account.role }, request, scanId);
		if (decision !== "joined" || scan_id === scanId) return { kind: "started", scan_id, error: null };
		// An equal scan of the user runs already. If it is of a run before whose process died, they overlap.
		const own = (await deps.scans.read(scan_id))?.context.input.schedule_id === spec.schedule_id;
		return own ? overlapping(spec, scan_id) : { kind: "joined", scan_id, error: null };
	}

	/** When to look next, in the index that the sweeper reads, and by a job where it is soon and off the cron. */
	async function settle(userId: string, scheduleId: string): Promise<void> {
		const held = await store.read(userId, scheduleId);
		if (!held) return look(scheduleId);
		const nowMs = deps.now();
		await store.index(userId, scheduleId, lookAgainMs(held.spec, held.state, nowMs));
		const next = upcomingRun(held.spec, held.state, nowMs);
		if (next && (next.tick_ms <= nowMs || next.due_ms - nowMs <= EARLY_MS))
			await hints.once(scheduleId, String(next.tick_ms), next.due_ms - nowMs);
	}

	return { look };
}

const refused = (error: string): RunOutcome => ({
	kind: "refused",
	scan_id: null,
	error: error.slice(0, ERROR_LENGTH_MAX),
});

const overlapping = ({ overlap }: ScheduleSpec, scan_id: string | null): RunOutcome => ({
	kind: overlap === "skip" ? "skipped" : "queued",
	scan_id,
	error: null,
});
