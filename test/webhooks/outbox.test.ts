import { createHmac, randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { accountKey } from "../../src/accounts/keys.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import type { ScheduleSpec } from "../../src/schedules/contract.ts";
import { createScheduleStore } from "../../src/schedules/schedule-store.ts";
import type { Account } from "../../src/services.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { type DeliveryRef, type StoredWebhook, WEBHOOK_EVENTS } from "../../src/webhooks/contract.ts";
import { createDeliverer } from "../../src/webhooks/deliverer.ts";
import { createOutbox, type OutboxDeps } from "../../src/webhooks/outbox.ts";
import { BODY_BYTES_MAX } from "../../src/webhooks/payload.ts";
import { plainBox } from "../../src/webhooks/plain-box.ts";
import { ATTEMPTS_MAX, retryPauseMs } from "../../src/webhooks/retry.ts";
import type { Sending, SendResult } from "../../src/webhooks/send.ts";
import { createWebhookStore, DELIVERIES_KEPT, DELIVERY_KEPT_MS } from "../../src/webhooks/webhook-store.ts";
import { sampleContext, sampleRecord } from "../support/records.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

/** News of ended scans: written down once, whoever dies, and delivered until taken or dead. Records in a real Redis. */
let redis: TestRedis;
let client: Redis;
let nowMs: number;

const webhooks = () => createWebhookStore(client, () => nowMs, accountKey);
const schedules = () => createScheduleStore(client, () => nowMs, accountKey);
const SECRET = "whsec_of_a_test";

async function userWith(events: readonly (readonly string[])[]): Promise<{ user: string; hooks: StoredWebhook[] }> {
	const user = randomUUID();
	await client.hset(accountKey(user), "status", "active");
	const hooks = events.map((words, i) => ({
		webhook_id: `webhook_${i}${randomUUID().replaceAll("-", "")}`,
		url: `https://hooks.example.com/${i}`,
		events: words as StoredWebhook["events"],
		secret: plainBox.seal(SECRET),
		created_at_ms: nowMs + i,
	}));
	for (const hook of hooks) assert.is(await webhooks().save(user, hook, null, 20), "saved");
	return { user, hooks };
}

/** An ended scan of the user. */
function ended(
	user: string,
	position: ScanRecord["position"] = "completed",
	scheduleId: string | null = null,
): ScanRecord {
	const context = sampleContext();
	const input = { ...context.input, schedule_id: scheduleId };
	const end = { at_ms: nowMs, error: null, reason: null, superseded_by: null, ...context.end };
	const scan_id = `scan_${randomUUID().replaceAll("-", "")}`;
	return sampleRecord({
		scan_id,
		user_id: user,
		position,
		context: { ...context, input, end: { ...end, at_ms: nowMs } as never },
	});
}

async function scheduleOf(user: string, fields: Partial<ScheduleSpec> = {}): Promise<ScheduleSpec> {
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
		created_at_ms: nowMs,
		since_ms: nowMs,
		...fields,
	};
	await schedules().save(user, spec, null, 20);
	return spec;
}

const row = (id: string) => ({ opportunity_id: id, symbol: "BTC/USDT", evidence: { n: 1 } });

function outbox(overrides: Partial<OutboxDeps> = {}) {
	const jobs: string[] = [];
	const compared: [string, string][] = [];
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
		async compare(_, a, b) {
			compared.push([a, b]);
			return { opportunities: { added: [row("new")], removed: [], changed: [] } };
		},
		log: testLogger(),
		...overrides,
	});
	return { ...made, jobs, compared };
}

const kept = async (user: string, hook: StoredWebhook | undefined) =>
	webhooks().deliveries(user, hook?.webhook_id ?? "");
const dueOf = async (user: string) =>
	(await client.zrange("alert_deliveries_due", 0, "-1")).filter((m) => m.startsWith(user));

const box = suite("webhooks: outbox and delivery");
box.before(async () => {
	redis = await startTestRedis();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
box.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});
box.before.each(() => {
	nowMs = Date.parse("2026-06-01T12:00:00Z");
});

box("each webhook gets the ends it asked for, once, in whichever process and however often it is booked", async () => {
	const { user, hooks } = await userWith([WEBHOOK_EVENTS, ["scan.failed"], ["scan.completed"]]);
	const done = ended(user);
	await Promise.all(Array.from({ length: 6 }, () => outbox().scanEnded(done)));
	assert.equal(await Promise.all(hooks.map(async (hook) => (await kept(user, hook)).map(({ event }) => event))), [
		["scan.completed"],
		[],
		["scan.completed"],
	]);
	assert.is((await dueOf(user)).length, 2);
	for (const [position, event] of [
		["failed", "scan.failed"],
		["cancelled", "scan.cancelled"],
	] as const) {
		nowMs += 1000;
		await outbox().scanEnded(ended(user, position));
		assert.is((await kept(user, hooks[0]))[0]?.event, event);
	}
	assert.is((await kept(user, hooks[1])).length, 1);
});

box("a process that dies after any write leaves news that the next booking completes", async () => {
	for (const step of ["keep", "index"] as const) {
		const { user, hooks } = await userWith([WEBHOOK_EVENTS, WEBHOOK_EVENTS]);
		const done = ended(user);
		const real = webhooks();
		let writes = 0;
		const dying = {
			...real,
			async [step](...args: never[]) {
				if (step === "keep") await (real.keep as (...all: never[]) => Promise<unknown>)(...args);
				writes += 1;
				throw new Error("the process died");
			},
		};
		const first = outbox({ webhooks: dying as never });
		await first.scanEnded(done).then(
			() => assert.unreachable("it must not be booked"),
			() => undefined,
		);
		assert.is(writes, 1);
		assert.equal(first.jobs, []);
		const second = outbox();
		await second.scanEnded(done);
		assert.is(second.jobs.length, 2, step);
		assert.is((await dueOf(user)).length, 2, step);
		for (const hook of hooks) assert.is((await kept(user, hook)).length, 1);
	}
});

box("a schedule that names webhooks is told to those, of changes too; others hear of other scans", async () => {
	const { user, hooks } = await userWith([WEBHOOK_EVENTS, WEBHOOK_EVENTS]);
	const [named, other] = hooks;
	const spec = await scheduleOf(user, { webhook_ids: [named?.webhook_id ?? ""] });
	const first = ended(user, "completed", spec.schedule_id);
	const told = outbox();
	await told.scanEnded(first);
	assert.equal(told.compared, [], "there was nothing to compare with");
	nowMs += 60_000;
	await told.scanEnded(ended(user, "failed", spec.schedule_id));
	nowMs += 60_000;
	const second = ended(user, "completed", spec.schedule_id);
	await told.scanEnded(second);
	// Booked again, and the older one late: nothing is compared twice or backwards.
	await told.scanEnded(second);
	await told.scanEnded(first);
	assert.equal(told.compared, [[first.scan_id, second.scan_id]], "with the last complete one");
	assert.equal((await kept(user, named)).map(({ event }) => event).sort(), [
		"scan.changed",
		"scan.completed",
		"scan.completed",
		"scan.failed",
	]);
	assert.equal(await kept(user, other), []);
	nowMs += 60_000;
	await told.scanEnded(ended(user));
	assert.is((await kept(user, other)).length, 1);
});

box("no change, no news; a waiting run hears of the end", async () => {
	const { user, hooks } = await userWith([["scan.changed"]]);
	const spec = await scheduleOf(user, { overlap: "queue_one" });
	await client.hset(`alert_schedule_runs:{${user}}`, `${spec.schedule_id}:waiting`, nowMs);
	const quiet = outbox({ compare: async () => ({ opportunities: { added: [], removed: [], changed: [] } }) });
	const [first, second] = [ended(user, "completed", spec.schedule_id), ended(user, "completed", spec.schedule_id)];
	await quiet.scanEnded(first);
	nowMs += 1;
	await quiet.scanEnded(second);
	assert.equal(await kept(user, hooks[0]), []);
	assert.equal(quiet.jobs[0], `${spec.schedule_id} after-${first.scan_id}`);
});

box("bodies stay small, and say what was left out", async () => {
	const { user, hooks } = await userWith([["scan.changed"]]);
	const spec = await scheduleOf(user);
	const many = Array.from({ length: 900 }, (_, i) => ({ ...row(`row-${i}`), strategy_name: "n".repeat(300) }));
	const told = outbox({ compare: async () => ({ opportunities: { added: many, removed: many, changed: many } }) });
	await told.scanEnded(ended(user, "completed", spec.schedule_id));
	nowMs += 1;
	await told.scanEnded(ended(user, "completed", spec.schedule_id));
	const [delivery] = await kept(user, hooks[0]);
	const held = await webhooks().delivery({
		user_id: user,
		webhook_id: hooks[0]?.webhook_id ?? "",
		delivery_id: delivery?.delivery_id ?? "",
	});
	assert.ok(Buffer.byteLength(held?.body ?? "") <= BODY_BYTES_MAX);
	const { data } = JSON.parse(held?.body ?? "{}");
	assert.equal(data.counts, { added: 900, removed: 900, changed: 900 });
	assert.is(data.truncated, true);
	assert.ok(data.opportunities.added.length > 0);
	assert.not.ok("evidence" in data.opportunities.added[0]);
});

box("retention: the oldest go beyond the count and beyond the age", async () => {
	const { user, hooks } = await userWith([["scan.completed"]]);
	const ids: string[] = [];
	for (let i = 0; i < DELIVERIES_KEPT + 5; i += 1) {
		nowMs += 1000;
		const done = ended(user);
		ids.push(done.scan_id);
		await outbox().scanEnded(done);
	}
	assert.equal(
		(await kept(user, hooks[0])).map(({ scan_id }) => scan_id),
		ids.slice(-DELIVERIES_KEPT).reverse(),
	);
	nowMs += DELIVERY_KEPT_MS;
	assert.equal(await kept(user, hooks[0]), []);
	await outbox().scanEnded(ended(user));
	assert.is(await client.hlen(`alert_deliveries:{${user}}:${hooks[0]?.webhook_id}`), 1);
	assert.is(await client.hlen(`alert_bodies:{${user}}:${hooks[0]?.webhook_id}`), 1);
});

async function delivering(results: (SendResult | "crash")[]) {
	const { user, hooks } = await userWith([["scan.completed"]]);
	await outbox().scanEnded(ended(user));
	const [delivery] = await kept(user, hooks[0]);
	const ref: DeliveryRef = {
		user_id: user,
		webhook_id: hooks[0]?.webhook_id ?? "",
		delivery_id: delivery?.delivery_id ?? "",
	};
	const sent: Sending[] = [];
	const counted: string[] = [];
	let status: Account["status"] = "active";
	const deliverer = createDeliverer({
		store: webhooks(),
		accounts: { byId: async (user_id) => ({ user_id, status }) as Account },
		box: plainBox,
		async send(sending) {
			sent.push(sending);
			const result = results.shift() ?? { status: 200, error: null };
			if (result === "crash") throw new Error("the process died");
			return result;
		},
		now: () => nowMs,
		version: "0",
		count: (result) => void counted.push(result),
		log: testLogger(),
	});
	const now = async () => (await webhooks().delivery(ref))?.delivery;
	const suspend = (): void => {
		status = "suspended";
	};
	return { ref, deliverer, sent, counted, now, suspend, user };
}

box("a delivery is signed as receivers check it, and sent once when it is taken", async () => {
	const { ref, deliverer, sent, now, user, counted } = await delivering([]);
	nowMs += 1500;
	assert.equal(await deliverer.attempt(ref), { kind: "delivered" });
	assert.equal(await deliverer.attempt(ref), { kind: "none" });
	assert.is(sent.length, 1);
	const [{ body, headers } = { body: "", headers: {} as Record<string, string> }] = sent;
	const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers["x-lookout-signature"] ?? "") ?? [];
	assert.is(Number(t), Math.floor(nowMs / 1000));
	assert.is(v1, createHmac("sha256", SECRET).update(`${t}.${body}`).digest("hex"));
	const { event, delivery_id, scan_id, at, data, ...rest } = JSON.parse(body);
	assert.equal([event, delivery_id, rest], ["scan.completed", ref.delivery_id, {}]);
	assert.is(at, new Date(nowMs - 1500).toISOString());
	assert.is(data.scan_id, scan_id);
	assert.is((await now())?.status, "delivered");
	assert.equal(await dueOf(user), []);
	assert.equal(counted, ["delivered"]);
});

box("what fails is tried again after growing pauses, then is a dead letter that can be replayed", async () => {
	const failure = { status: 500, error: "HTTP 500" };
	const { ref, deliverer, sent, now, counted, user } = await delivering(
		Array.from({ length: ATTEMPTS_MAX }, () => failure),
	);
	let previous = 0;
	for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt += 1) {
		const end = await deliverer.attempt(ref);
		assert.is(end.kind, "retry");
		const pause = end.kind === "retry" ? end.pause_ms : 0;
		assert.ok(pause > previous || pause >= 3_600_000, `${attempt}: ${pause}`);
		assert.ok(pause <= 3_600_000 * 1.2);
		assert.is((await now())?.next_attempt_at_ms, nowMs + pause);
		// Too early: nothing is sent.
		assert.equal(await deliverer.attempt(ref), end);
		previous = pause;
		nowMs += pause;
	}
	assert.equal(await deliverer.attempt(ref), { kind: "dead" });
	assert.is(sent.length, ATTEMPTS_MAX);
	assert.equal(
		{ ...(await now()), created_at_ms: 0, scan_id: "" },
		{
			delivery_id: ref.delivery_id,
			webhook_id: ref.webhook_id,
			event: "scan.completed",
			scan_id: "",
			status: "dead",
			attempts: ATTEMPTS_MAX,
			last_error: "HTTP 500",
			last_status: 500,
			created_at_ms: 0,
			next_attempt_at_ms: null,
			delivered_at_ms: null,
		},
	);
	assert.equal(await dueOf(user), []);
	assert.equal(counted, [...Array(ATTEMPTS_MAX - 1).fill("retried"), "dead"]);
	const dead = await now();
	if (!dead) throw new Error("the dead letter is gone");
	await webhooks().replace(ref, dead, { ...dead, status: "pending", attempts: 0, next_attempt_at_ms: nowMs });
	assert.equal(await deliverer.attempt(ref), { kind: "delivered" });
	assert.is(sent.at(-1)?.body, sent[0]?.body, "the same words under the same id");
});

box("pauses differ between deliveries and are always the same for one", () => {
	const pauses = Array.from({ length: 100 }, (_, i) => retryPauseMs(`delivery_${i}`, 1));
	assert.ok(pauses.every((ms) => ms >= 10_000 && ms <= 12_000));
	assert.ok(new Set(pauses).size > 80);
	assert.is(retryPauseMs("delivery_1", 4), retryPauseMs("delivery_1", 4));
});

box(
	"a process that dies between answer and note delivers again; one whose user is suspended delivers nothing",
	async () => {
		const { ref, deliverer, sent, now, suspend } = await delivering(["crash"]);
		await deliverer.attempt(ref).then(
			() => assert.unreachable(),
			() => undefined,
		);
		assert.is((await now())?.attempts, 0);
		suspend();
		assert.equal(await deliverer.attempt(ref), { kind: "dead" });
		assert.is(sent.length, 1);
		assert.is((await now())?.last_error, "the account is not active");
	},
);

box("a webhook that is gone takes its deliveries along", async () => {
	const { ref, deliverer, user, sent } = await delivering([]);
	await webhooks().remove(user, ref.webhook_id);
	assert.equal(await deliverer.attempt(ref), { kind: "none" });
	assert.equal([sent, await dueOf(user)], [[], []]);
	assert.not.ok((await client.keys(`*{${user}}*`)).some((key) => key.startsWith("alert_")));
});

box("secrets stand in no key but the webhook's own", async () => {
	await delivering([]);
	for (const key of await client.keys("*")) {
		if (key.startsWith("alert_webhooks:")) continue;
		const text = JSON.stringify((await client.type(key)) === "hash" ? await client.hgetall(key) : key);
		assert.not.ok(text.includes(SECRET), key);
	}
});

box.run();
