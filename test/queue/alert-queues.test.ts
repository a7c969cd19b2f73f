import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createScheduleQueue, createScheduleWorker, type NextRun } from "../../src/queue/schedule-queue.ts";
import { createWebhookQueue, createWebhookWorker } from "../../src/queue/webhook-queue.ts";
import { bullmqConnection } from "../../src/redis/clients.ts";
import type { RedisKind } from "../../src/redis/provide.ts";
import { nextRun, storedCron } from "../../src/schedules/cron.ts";
import { createShares, USER_ATTEMPTS_MAX } from "../../src/webhooks/shares.ts";
import { availableKinds, bareEnvPath, temporaryFolder } from "../redis/support/servers.ts";
import { within } from "../support/api.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

/** Job schedulers and deliveries on each kind of server: jobs come, come again, and go. */
const log = testLogger();
const next: NextRun = (pattern, tz, afterMs) => nextRun(storedCron(pattern, tz), afterMs);

function queues(kind: Exclude<RedisKind, "external">): void {
	const test = suite(`queue: schedules and deliveries (${kind})`);
	let redis: TestRedis;
	let bare: string;
	const settings = () => ({ connection: bullmqConnection(redis.connection, "queue"), events_max: 100, log });
	const worker = () => ({ connection: bullmqConnection(redis.connection), log });

	test.before(async () => {
		bare = await temporaryFolder();
		redis = await startTestRedis(kind === "memory" ? await bareEnvPath(bare) : undefined);
		assert.is(redis.kind, kind);
	});
	test.after(async () => {
		await redis.close();
		await rm(bare, { recursive: true, force: true });
	});

	test(
		"a schedule's jobs carry its id alone, come at its times to one of many workers, and end with it",
		within(20_000, async () => {
			const queue = createScheduleQueue(settings(), next);
			await queue.ready();
			const looked: string[] = [];
			let heard = (): void => undefined;
			const look = async (id: string) => {
				looked.push(id);
				heard();
			};
			const workers = [createScheduleWorker(worker(), next, look), createScheduleWorker(worker(), next, look)];
			const until = async (count: number) => {
				while (looked.length < count)
					await new Promise<void>((resolve) => {
						heard = resolve;
					});
			};
			const began = Date.now();
			await queue.every("schedule_a", "* * * * * *", "Europe/Berlin");
			assert.is(await queue.isSet("schedule_a"), true);
			await until(2);
			assert.ok(Date.now() - began >= 1_000, "two whole seconds were reached");
			assert.ok(looked.length <= Math.floor(Date.now() / 1000) - Math.floor(began / 1000), "one job a second");
			await queue.forget("schedule_a");
			assert.is(await queue.isSet("schedule_a"), false);
			await queue.once("schedule_b", "now", 0);
			await until(looked.length + 1);
			assert.is(looked.at(-1), "schedule_b");
			await queue.forget("schedule_unknown");
			await Promise.all(workers.map((one) => one.close(2_000)));
			await queue.close();
		}),
	);

	test(
		"a delivery that is not done comes again after its pause, once per id, and is gone when it is done",
		within(20_000, async () => {
			const queue = createWebhookQueue(settings());
			await queue.ready();
			const ref = { user_id: "u", webhook_id: "w", delivery_id: "delivery_1" };
			const attempts: number[] = [];
			let done = (): void => undefined;
			const over = new Promise<void>((resolve) => {
				done = resolve;
			});
			await Promise.all([queue.deliver(ref, 0), queue.deliver(ref, 0)]);
			const one = createWebhookWorker(worker(), async (given) => {
				assert.equal(given, ref);
				attempts.push(Date.now());
				if (attempts.length < 3) return { pause_ms: 200, attempted: attempts.length === 1 };
				done();
				return null;
			});
			await over;
			assert.is(attempts.length, 3);
			assert.ok(Number(attempts[1]) - Number(attempts[0]) >= 190);
			await one.close(2_000);
			// Its id is free again: a replay is queued.
			await queue.deliver(ref, 60_000);
			await queue.forget(ref);
			await queue.close();
		}),
	);

	test(
		"what has to wait for its share holds no place: others are told beside a user whose receivers hang",
		within(30_000, async () => {
			const queue = createWebhookQueue(settings());
			await queue.ready();
			const hanging = 200;
			for (let i = 0; i < hanging; i++)
				await queue.deliver({ user_id: "hog", webhook_id: "w", delivery_id: `delivery_hog_${i}` }, 0);
			await queue.deliver({ user_id: "other", webhook_id: "w", delivery_id: "delivery_other" }, 0);
			const shares = createShares(() => Date.now());
			let open = (): void => undefined;
			const opened = new Promise<void>((resolve) => {
				open = resolve;
			});
			let told = (): void => undefined;
			const heard = new Promise<void>((resolve) => {
				told = resolve;
			});
			let [underWay, most] = [0, 0];
			const one = createWebhookWorker(worker(), async ({ user_id }) => {
				const place = shares.take(user_id, `${user_id}.example.com`);
				if ("pause_ms" in place) return { ...place, attempted: false };
				most = Math.max(most, ++underWay);
				if (user_id === "other") told();
				else await opened;
				underWay -= 1;
				place.release(false);
				return null;
			});
			await heard;
			assert.ok(most <= USER_ATTEMPTS_MAX + 1, `${most} at once`);
			open();
			await one.close(5_000);
			await queue.close();
		}),
	);

	test.run();
}

for (const kind of availableKinds()) if (kind !== "external") queues(kind);
