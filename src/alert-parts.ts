import type { Gatekeeper } from "./accounts/admission.ts";
import { accountKey } from "./accounts/keys.ts";
import { SCAN_STARTERS } from "./accounts/permissions.ts";
import { createAlertSweeper } from "./alerts/sweeper.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Entropy } from "./entropy.ts";
import { parseFilters } from "./filters.ts";
import type { Logger } from "./log.ts";
import { createBodies } from "./queries/bodies.ts";
import { createLookup } from "./queries/lookup.ts";
import { createScanDiff } from "./queries/scan-diff.ts";
import { createScheduleQueue, createScheduleWorker, type NextRun } from "./queue/schedule-queue.ts";
import { createWebhookQueue, createWebhookWorker } from "./queue/webhook-queue.ts";
import { bullmqConnection, type Redis } from "./redis/clients.ts";
import type { RedisProvision } from "./redis/provide.ts";
import { nextRun, storedCron } from "./schedules/cron.ts";
import { createScheduleRunner } from "./schedules/runner.ts";
import { createScheduleBook, type ScheduleBook } from "./schedules/schedule-book.ts";
import { createScheduleStore } from "./schedules/schedule-store.ts";
import type { AccountReader, ScanCommands, SecretBox, UserTraces } from "./services.ts";
import type { ScanRecord } from "./store/contract.ts";
import type { ScanStore } from "./store/index.ts";
import { TOTAL, totalField } from "./store/totals.ts";
import { VERSION } from "./version.ts";
import { anyAddress, isPublicAddress } from "./webhooks/addresses.ts";
import { createDeliverer } from "./webhooks/deliverer.ts";
import { createOutbox } from "./webhooks/outbox.ts";
import { createSend, type Send } from "./webhooks/send.ts";
import { createShares } from "./webhooks/shares.ts";
import { createUrlCheck } from "./webhooks/url-check.ts";
import { createWebhookBook, type WebhookBook } from "./webhooks/webhook-book.ts";
import { createWebhookStore } from "./webhooks/webhook-store.ts";

/** Wires schedules and webhooks: what every process has, and what workers do. */

export interface AlertPartsDeps {
	config: Pick<Config, "webhookAllowPrivate" | "rates">;
	logger: Logger;
	entropy: Entropy;
	provision: Pick<RedisProvision, "connection" | "kind">;
	store: ScanStore;
	/** The users' connection. */
	redis: Redis;
	users: { accounts: AccountReader; gatekeeper: Gatekeeper };
	box: SecretBox;
	/** Instead of the network, in tests. */
	send?: Send;
}

export interface AlertParts {
	schedules: ScheduleBook;
	webhooks: WebhookBook;
	/** Before the end of a scan is booked. */
	scanEnded(record: ScanRecord): Promise<void>;
	traces: UserTraces;
	startWorkers(commands: Pick<ScanCommands, "startScan">): AlertWorkers;
	close(): Promise<void>;
}

/** The executing half, in workers. */
export interface AlertWorkers {
	/** Takes nothing new and ends what is under way; the rest is left to other workers. */
	drain(): Promise<void>;
}

/** The embedded server copies whole keys: its event streams must stay short. */
const EVENTS_MAX = { external: 1_000, private: 1_000, memory: 100 } as const;
const DRAIN_GRACE_MS = 4_000;
const START_ROLES: ReadonlySet<string> = new Set(SCAN_STARTERS);
const START_WINDOW_MS = 60_000;

const nextOf: NextRun = (pattern, tz, afterMs) => nextRun(storedCron(pattern, tz), afterMs);

export async function createAlertParts(deps: AlertPartsDeps): Promise<AlertParts> {
	const { config, logger, entropy, provision, store, redis, users } = deps;
	const now = () => store.clock.now();
	const queueSettings = {
		connection: bullmqConnection(provision.connection, "queue"),
		events_max: EVENTS_MAX[provision.kind],
		log: logger,
	};
	const scheduleQueue = createScheduleQueue(queueSettings, nextOf);
	const webhookQueue = createWebhookQueue(queueSettings);
	await Promise.all([scheduleQueue.ready(), webhookQueue.ready()]);
	const scheduleStore = createScheduleStore(redis, now, accountKey);
	const webhookStore = createWebhookStore(redis, now, accountKey);
	const allowed = config.webhookAllowPrivate ? anyAddress : isPublicAddress;
	const diff = createScanDiff(createLookup(store.reader), createBodies(store.reader));
	const count = (name: string) => (result: string) => {
		store.writer.addTotals({ [totalField(name, result)]: 1 }).catch(() => undefined);
	};
	const outbox = createOutbox({
		webhooks: webhookStore,
		deliveries: webhookQueue,
		schedules: scheduleStore,
		scheduleHints: scheduleQueue,
		compare: (user_id, bases, scanId) => diff.since({ user_id, role: "trader" }, bases, scanId),
		count: count(TOTAL.deliveries),
		log: logger,
	});
	const webhooks = createWebhookBook({
		store: webhookStore,
		hints: webhookQueue,
		box: deps.box,
		checkUrl: createUrlCheck({ allowPrivate: config.webhookAllowPrivate, allowed, clock: systemClock }),
		dropFromSchedules: (userId, webhookId) => scheduleStore.dropWebhook(userId, webhookId),
		now,
		newId: () => `webhook_${entropy.hex(16)}`,
		newSecret: () => `whsec_${entropy.token(32)}`,
		log: logger,
	});
	const schedules = createScheduleBook({
		store: scheduleStore,
		hints: scheduleQueue,
		webhookIds: webhooks.ids,
		now,
		newId: () => `schedule_${entropy.hex(16)}`,
		log: logger,
	});

	function startWorkers(commands: Pick<ScanCommands, "startScan">): AlertWorkers {
		const window = { name: "discover", max: config.rates.discoverMax, window_ms: START_WINDOW_MS };
		const runner = createScheduleRunner({
			store: scheduleStore,
			hints: scheduleQueue,
			accounts: users.accounts,
			scans: store.reader,
			parseFilters,
			mayStart: (role) => START_ROLES.has(role),
			// The same window as the user's own starts: a schedule is no way around it.
			admit: async (userId) => (await users.gatekeeper.admitAddress(userId, window)).allowed,
			start: commands.startScan,
			now,
			token: () => entropy.hex(8),
			count: count(TOTAL.scheduleRuns),
			log: logger,
		});
		const deliverer = createDeliverer({
			store: webhookStore,
			accounts: users.accounts,
			box: deps.box,
			send: deps.send ?? createSend({ allowed, clock: systemClock }),
			shares: createShares(now),
			now,
			version: VERSION,
			count: count(TOTAL.deliveries),
			log: logger,
		});
		const closing = new AbortController();
		const settings = { connection: bullmqConnection(provision.connection, "worker"), log: logger };
		const scheduleWorker = createScheduleWorker(settings, nextOf, runner.look);
		const webhookWorker = createWebhookWorker(settings, async (ref) => {
			const end = await deliverer.attempt(ref, closing.signal);
			if ("pause_ms" in end) return { pause_ms: end.pause_ms, attempted: end.kind === "retry" };
			return end.kind === "interrupted" ? { pause_ms: 0, attempted: true } : null;
		});
		const sweeper = createAlertSweeper({
			schedules: scheduleStore,
			scheduleHints: scheduleQueue,
			look: runner.look,
			webhooks: webhookStore,
			deliveries: webhookQueue,
			now,
			clock: systemClock,
			log: logger,
		});
		sweeper.start();
		return {
			async drain() {
				const interrupt = setTimeout(() => closing.abort(), DRAIN_GRACE_MS / 2);
				await Promise.all([sweeper.stop(), scheduleWorker.close(DRAIN_GRACE_MS), webhookWorker.close(DRAIN_GRACE_MS)]);
				clearTimeout(interrupt);
			},
		};
	}

	return {
		schedules,
		webhooks,
		scanEnded: outbox.scanEnded,
		traces: {
			async forget(userId) {
				for (const { spec } of await scheduleStore.list(userId)) {
					const { schedule_id } = spec;
					await scheduleStore.unindex(schedule_id);
					await scheduleStore.remove(userId, schedule_id);
					await scheduleQueue.forget(schedule_id);
					// A look at it that was under way may have listed it once more before the record was gone.
					await scheduleStore.unindex(schedule_id);
				}
				for (const { webhook_id } of await webhookStore.list(userId)) await webhooks.dropDeliveries(userId, webhook_id);
			},
		},
		startWorkers,
		async close() {
			await Promise.all([scheduleQueue.close(), webhookQueue.close()]);
		},
	};
}
