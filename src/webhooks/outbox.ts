import type { ScheduleBase, ScheduleHints, ScheduleStore, StoredSchedule } from "../schedules/contract.ts";
import type { ScanRecord } from "../store/contract.ts";
import { isStoreFailure } from "../store-failure.ts";
import type { Delivery, DeliveryHints, DeliveryRef, StoredWebhook, WebhookStore } from "./contract.ts";
import { bodyOf, type Comparison, changeNews, deliveryIdOf, endedMs, endNews, type News } from "./payload.ts";

/**
 * What follows from the end of a scan for its user's webhooks and schedules. It is done before the end is
 * booked, and a scan whose end is not booked is found and booked again, by any process: so news are written
 * down once at least, and under ids that make a repetition the same.
 */
export interface Outbox {
	scanEnded(record: ScanRecord): Promise<void>;
}

export interface OutboxDeps {
	webhooks: WebhookStore;
	deliveries: DeliveryHints;
	schedules: ScheduleStore;
	scheduleHints: ScheduleHints;
	/** What changed since these scans of the user, newest first. Throws when all of them are gone. */
	compare(userId: string, bases: readonly ScheduleBase[], scanId: string): Promise<Comparison>;
	count(result: "dead"): void;
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

const NO_ROOM = "given up: too many newer deliveries wait";

export function createOutbox(deps: OutboxDeps): Outbox {
	const { webhooks, schedules, log } = deps;

	/** So many wait that this one will not be told: its owner is to see that, not to miss it. */
	async function giveUp(ref: DeliveryRef): Promise<void> {
		const held = await webhooks.delivery(ref);
		if (held?.delivery.status !== "pending") return;
		const dead: Delivery = { ...held.delivery, status: "dead", next_attempt_at_ms: null, last_error: NO_ROOM };
		if (!(await webhooks.replace(ref, held.delivery, dead))) return;
		const { webhook_id, delivery_id } = ref;
		log.warn({ webhook_id, delivery_id, attempts: dead.attempts }, "a delivery was given up: too many wait");
		deps.count("dead");
		await webhooks.index(ref, null);
		// Whoever has its job sees that there is nothing to do.
		await deps.deliveries.forget(ref).catch(() => undefined);
	}

	async function keep(userId: string, webhook: StoredWebhook, news: News): Promise<void> {
		const { webhook_id } = webhook;
		const ref: DeliveryRef = {
			user_id: userId,
			webhook_id,
			delivery_id: deliveryIdOf(news.scan_id, news.event, webhook_id, news.schedule_id),
		};
		const delivery: Delivery = {
			delivery_id: ref.delivery_id,
			webhook_id,
			event: news.event,
			scan_id: news.scan_id,
			status: "pending",
			attempts: 0,
			last_error: null,
			last_status: null,
			created_at_ms: news.at_ms,
			next_attempt_at_ms: news.at_ms,
			delivered_at_ms: null,
		};
		const { kind, crowded } = await webhooks.keep(ref, delivery, bodyOf(news, ref.delivery_id));
		if (kind === "gone") return;
		for (const one of crowded) await giveUp(one);
		// Kept before, by a process that may have died at once; what has been attempted is in good hands.
		const held = kind === "known" ? (await webhooks.delivery(ref))?.delivery : delivery;
		if (held?.status !== "pending" || held.attempts > 0) return;
		await webhooks.index(ref, news.at_ms);
		// It is kept and indexed: the sweeper delivers what the queue does not take now.
		await deps.deliveries
			.deliver(ref, 0)
			.catch((error: unknown) =>
				log.warn({ delivery_id: ref.delivery_id, err: error }, "a delivery is not queued yet"),
			);
	}

	const tell = async (userId: string, targets: readonly StoredWebhook[], news: News): Promise<void> => {
		for (const webhook of targets) if (webhook.events.includes(news.event)) await keep(userId, webhook, news);
	};

	async function changes(record: ScanRecord, { spec, state }: StoredSchedule): Promise<News | null> {
		const { bases } = state;
		const [newest] = bases;
		if (!newest || newest.scan_id === record.scan_id || newest.ended_at_ms >= endedMs(record)) return null;
		try {
			const comparison = await deps.compare(record.user_id, bases, record.scan_id);
			return changeNews(record, spec.schedule_id, newest.scan_id, comparison);
		} catch (error) {
			if (isStoreFailure(error)) throw error;
			// The older scans have expired or were cleared: there is nothing to compare with.
			log.warn({ scan_id: record.scan_id, err: error }, "two scans of a schedule could not be compared");
			return null;
		}
	}

	async function scheduledEnd(
		record: ScanRecord,
		schedule: StoredSchedule,
		hooks: readonly StoredWebhook[],
	): Promise<void> {
		const { schedule_id } = schedule.spec;
		if (record.position === "completed") {
			const targets = targetsOf(schedule, hooks).filter(({ events }) => events.includes("scan.changed"));
			const news = targets.length > 0 ? await changes(record, schedule) : null;
			if (news) await tell(record.user_id, targets, news);
			const { strategies } = record.context;
			const scan = { scan_id: record.scan_id, ended_at_ms: endedMs(record), strategies };
			await schedules.noteBase(record.user_id, schedule_id, scan);
		}
		if (schedule.state.waiting_ms === null) return;
		await deps.scheduleHints
			.once(schedule_id, `after-${record.scan_id}`, 0)
			.catch((error: unknown) => log.warn({ schedule_id, err: error }, "a waiting run is not queued yet"));
	}

	return {
		async scanEnded(record) {
			const { user_id, scan_id, context } = record;
			const [hooks, all] = await Promise.all([webhooks.list(user_id), schedules.list(user_id)]);
			// A schedule may have joined a scan that it did not start.
			const own = all.filter(
				({ spec, state }) => state.last_scan_id === scan_id || context.input.schedule_id === spec.schedule_id,
			);
			const news = hooks.length > 0 ? endNews(record) : null;
			if (news) await tell(user_id, endTargets(own, hooks), news);
			for (const schedule of own) await scheduledEnd(record, schedule, hooks);
		},
	};
}

/** The webhooks that a schedule names, or all. */
const targetsOf = ({ spec }: StoredSchedule, hooks: readonly StoredWebhook[]): StoredWebhook[] =>
	hooks.filter(({ webhook_id }) => spec.webhook_ids === null || spec.webhook_ids.includes(webhook_id));

/** Who hears of the end of a scan: those whom its schedules name; all, when it has none. */
function endTargets(own: readonly StoredSchedule[], hooks: readonly StoredWebhook[]): readonly StoredWebhook[] {
	if (own.length === 0) return hooks;
	return hooks.filter((hook) => own.some((schedule) => targetsOf(schedule, [hook]).length > 0));
}
