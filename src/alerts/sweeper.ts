import { type Clock, limited } from "../clock.ts";
import type { ScheduleHints, ScheduleStore, StoredSchedule } from "../schedules/contract.ts";
import { lookAgainMs } from "../schedules/runs.ts";
import type { DeliveryHints, WebhookStore } from "../webhooks/contract.ts";

/**
 * Looks after schedules and deliveries whose jobs came late or not at all, and sets again what queues and
 * indexes have lost, from the records. Every step may be repeated, so any number of processes do the same.
 */
export interface AlertSweeper {
	/** One pass; for tests and for the loop. */
	pass(): Promise<void>;
	/** One page of the walk over all records; for tests and for the loop. */
	repair(): Promise<void>;
	start(): void;
	stop(): Promise<void>;
}

export interface AlertSweeperDeps {
	schedules: ScheduleStore;
	scheduleHints: ScheduleHints;
	look(scheduleId: string): Promise<void>;
	webhooks: WebhookStore;
	deliveries: DeliveryHints;
	/** The store's clock. */
	now(): number;
	clock: Clock;
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

const PASS_MS = 1_000;
const REPAIR_EVERY_PASSES = 5;
const STEP_LIMIT_MS = 10_000;
/** How long jobs are given before their work is done here. */
const SCHEDULE_LATE_MS = 2_000;
const DELIVERY_LATE_MS = 5_000;
/** What could not be done now is looked at again after this, behind the others. */
const RECHECK_MS = 10_000;
const BATCH = 100;
/** Keys looked at per page of the walk. */
const WALK_KEYS = 2_000;

export function createAlertSweeper(deps: AlertSweeperDeps): AlertSweeper {
	const { schedules, scheduleHints, webhooks, deliveries, now, clock, log } = deps;
	let timer: unknown = null;
	let stopped = true;
	let current: Promise<void> = Promise.resolve();
	let passes = 0;

	/** One that fails must not keep the others from being looked at. */
	async function attempt(what: string, work: () => Promise<void>): Promise<void> {
		try {
			await limited(clock, STEP_LIMIT_MS, what, work());
		} catch (error) {
			log.warn({ err: error, step: what }, "the sweeper of alerts could not do a step");
		}
	}

	async function lateSchedule(scheduleId: string): Promise<void> {
		const userId = await schedules.ownerOf(scheduleId);
		if (userId !== null) await schedules.index(userId, scheduleId, now() + RECHECK_MS);
		await deps.look(scheduleId);
	}

	async function pass(): Promise<void> {
		await attempt("late schedules", async () => {
			const late = await schedules.due(now() - SCHEDULE_LATE_MS, BATCH);
			for (const scheduleId of late) await attempt("a late schedule", () => lateSchedule(scheduleId));
		});
		await attempt("late deliveries", async () => {
			for (const ref of await webhooks.overdue(now() - DELIVERY_LATE_MS, BATCH)) {
				await webhooks.index(ref, now() + RECHECK_MS);
				await deliveries.deliver(ref, 0);
			}
		});
	}

	async function repairSchedule(userId: string, { spec, state }: StoredSchedule): Promise<void> {
		const { schedule_id, paused, cron, tz } = spec;
		const indexed = paused ? (await schedules.ownerOf(schedule_id)) !== null : await schedules.isIndexed(schedule_id);
		if (!indexed) await schedules.index(userId, schedule_id, lookAgainMs(spec, state, now()));
		if (!paused && !(await scheduleHints.isSet(schedule_id))) await scheduleHints.every(schedule_id, cron, tz);
	}

	async function repair(): Promise<void> {
		await attempt("schedules", async () => {
			for (const userId of await schedules.walk(WALK_KEYS))
				for (const schedule of await schedules.list(userId)) await repairSchedule(userId, schedule);
		});
		await attempt("deliveries", async () => {
			for (const { ref, delivery } of await webhooks.walk(WALK_KEYS)) {
				await webhooks.index(ref, delivery.next_attempt_at_ms ?? now());
				await deliveries.deliver(ref, (delivery.next_attempt_at_ms ?? 0) - now());
			}
		});
	}

	function turn(): void {
		timer = clock.setTimeout(() => {
			passes += 1;
			current = pass()
				.then(() => (passes % REPAIR_EVERY_PASSES === 1 ? repair() : undefined))
				.then(() => {
					if (!stopped) turn();
				});
		}, PASS_MS);
	}

	return {
		pass,
		repair,
		start() {
			stopped = false;
			turn();
		},
		async stop() {
			stopped = true;
			clock.clearTimeout(timer);
			await current;
		},
	};
}
