import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import * as assert from "uvu/assert";
import type { Verdict } from "../../machines/words.ts";
import { accountKey } from "../../src/accounts/keys.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import type { ScheduleSpec } from "../../src/schedules/contract.ts";
import { createScheduleStore } from "../../src/schedules/schedule-store.ts";
import type { SecretBox } from "../../src/services.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { StoredWebhook } from "../../src/webhooks/contract.ts";
import { createOutbox, type OutboxDeps } from "../../src/webhooks/outbox.ts";
import type { Comparison } from "../../src/webhooks/payload.ts";
import { plainBox } from "../../src/webhooks/plain-box.ts";
import { createWebhookStore } from "../../src/webhooks/webhook-store.ts";
import { sampleContext, sampleRecord } from "./records.ts";
import { startTestRedis, type TestRedis, testLogger } from "./store.ts";

/** Users with webhooks and schedules, ended scans and the outbox, over one real Redis per test file. */
let redis: TestRedis;
export let client: Redis;
export const time = { nowMs: 0 };
export const START_MS = Date.parse("2026-06-01T12:00:00Z");

export async function openNews(): Promise<void> {
	redis = await startTestRedis();
	client = createRedisClient(redis.connection, "commands", testLogger());
}
export async function closeNews(): Promise<void> {
	await closeRedisClient(client);
	await redis.close();
}

export const webhooks = () => createWebhookStore(client, () => time.nowMs, accountKey);
export const schedules = () => createScheduleStore(client, () => time.nowMs, accountKey);
export const SECRET = "whsec_of_a_test";

export async function userWith(
	events: readonly (readonly string[])[],
	box: SecretBox = plainBox,
): Promise<{ user: string; hooks: StoredWebhook[] }> {
	const user = randomUUID();
	await client.hset(accountKey(user), "status", "active");
	const hooks = events.map((words, i) => {
		const webhook_id = `webhook_${i}${randomUUID().replaceAll("-", "")}`;
		return {
			webhook_id,
			url: `https://hooks.example.com/${i}`,
			events: words as StoredWebhook["events"],
			secret: box.seal({ user_id: user, webhook_id }, SECRET),
			created_at_ms: time.nowMs + i,
		};
	});
	for (const hook of hooks) assert.is(await webhooks().save(user, hook, null, 20), "saved");
	return { user, hooks };
}

/** An ended scan of the user. */
export function ended(
	user: string,
	position: ScanRecord["position"] = "completed",
	scheduleId: string | null = null,
	verdict: Verdict = "ok_found",
): ScanRecord {
	const sample = sampleContext();
	const strategies = sample.strategies.map((entry) => ({ ...entry, verdict }));
	const context = { ...sample, strategies };
	const input = { ...context.input, schedule_id: scheduleId };
	const end = { at_ms: time.nowMs, error: null, reason: null, superseded_by: null, ...context.end };
	const scan_id = `scan_${randomUUID().replaceAll("-", "")}`;
	return sampleRecord({
		scan_id,
		user_id: user,
		position,
		context: { ...context, input, end: { ...end, at_ms: time.nowMs } as never },
	});
}

export async function scheduleOf(user: string, fields: Partial<ScheduleSpec> = {}): Promise<ScheduleSpec> {
	const spec: ScheduleSpec = {
		schedule_id: `schedule_${randomUUID().replaceAll("-", "")}`,
		name: null,
		cron: "* * * * *",
		tz: "UTC",
		filters: {},
		overlap: "skip",
		jitter_ms: 0,
		paused: false,
		webhook_ids: null,
		created_at_ms: time.nowMs,
		since_ms: time.nowMs,
		...fields,
	};
	await schedules().save(user, spec, null, 20);
	return spec;
}

export const row = (id: string) => ({ opportunity_id: id, symbol: "BTC/USDT", evidence: { n: 1 } });

export const comparison = (parts: Partial<Comparison> = {}): Comparison => ({
	added: [],
	removed: [],
	changed: [],
	unknown: { added: [], removed: [] },
	...parts,
});

export function outbox(overrides: Partial<OutboxDeps> = {}) {
	const jobs: string[] = [];
	const counted: string[] = [];
	const compared: [bases: string[], scan: string][] = [];
	const made = createOutbox({
		webhooks: webhooks(),
		deliveries: { deliver: async (ref) => void jobs.push(ref.delivery_id), forget: async () => undefined },
		schedules: schedules(),
		scheduleHints: {
			every: async () => undefined,
			isSet: async () => true,
			once: async (id, name) => void jobs.push(`${id} ${name}`),
			forget: async () => undefined,
		},
		async compare(_, bases, scanId) {
			compared.push([bases.map(({ scan_id }) => scan_id), scanId]);
			return comparison({ added: [row("new")] });
		},
		count: (result) => void counted.push(result),
		log: testLogger(),
		...overrides,
	});
	return { ...made, jobs, compared, counted };
}

export const kept = async (user: string, hook: StoredWebhook | undefined) =>
	webhooks().deliveries(user, hook?.webhook_id ?? "");
export const dueOf = async (user: string) =>
	(await client.zrange("alert_deliveries_due", 0, "-1")).filter((m) => m.startsWith(user));
