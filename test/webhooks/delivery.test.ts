import { createHmac } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Account } from "../../src/services.ts";
import type { DeliveryRef } from "../../src/webhooks/contract.ts";
import { createDeliverer } from "../../src/webhooks/deliverer.ts";
import { plainBox } from "../../src/webhooks/plain-box.ts";
import { ATTEMPTS_MAX, retryPauseMs } from "../../src/webhooks/retry.ts";
import type { Sending, SendResult } from "../../src/webhooks/send.ts";
import { createShares, type Place, SHORT_LIMIT_MS, USER_ATTEMPTS_MAX } from "../../src/webhooks/shares.ts";
import { testLogger } from "../support/store.ts";
import {
	client,
	closeNews,
	dueOf,
	ended,
	kept,
	openNews,
	outbox,
	SECRET,
	START_MS,
	time,
	userWith,
	webhooks,
} from "../support/webhook-news.ts";

/** Deliveries go out until they are taken or dead, whatever the receiver and the own processes do. */
const box = suite("webhooks: delivery");
box.before(openNews);
box.after(closeNews);
box.before.each(() => {
	time.nowMs = START_MS;
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
	const shares = createShares(() => time.nowMs);
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
		shares,
		now: () => time.nowMs,
		version: "0",
		count: (result) => void counted.push(result),
		log: testLogger(),
	});
	const now = async () => (await webhooks().delivery(ref))?.delivery;
	const suspend = (): void => {
		status = "suspended";
	};
	return { ref, deliverer, sent, counted, now, suspend, user, shares };
}

box("a delivery is signed as receivers check it, and sent once when it is taken", async () => {
	const { ref, deliverer, sent, now, user, counted } = await delivering([]);
	time.nowMs += 1500;
	assert.equal(await deliverer.attempt(ref), { kind: "delivered" });
	assert.equal(await deliverer.attempt(ref), { kind: "none" });
	assert.is(sent.length, 1);
	const [{ body, headers } = { body: "", headers: {} as Record<string, string> }] = sent;
	const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers["x-lookout-signature"] ?? "") ?? [];
	assert.is(Number(t), Math.floor(time.nowMs / 1000));
	assert.is(v1, createHmac("sha256", SECRET).update(`${t}.${body}`).digest("hex"));
	const { event, delivery_id, scan_id, at, data, ...rest } = JSON.parse(body);
	assert.equal([event, delivery_id, rest], ["scan.completed", ref.delivery_id, {}]);
	assert.is(at, new Date(time.nowMs - 1500).toISOString());
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
		assert.is((await now())?.next_attempt_at_ms, time.nowMs + pause);
		// Too early: nothing is sent.
		assert.equal(await deliverer.attempt(ref), end);
		previous = pause;
		time.nowMs += pause;
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
	await webhooks().replace(ref, dead, { ...dead, status: "pending", attempts: 0, next_attempt_at_ms: time.nowMs });
	assert.equal(await deliverer.attempt(ref), { kind: "delivered" });
	assert.is(sent.at(-1)?.body, sent[0]?.body, "the same words under the same id");
});

box("without a place nothing is sent and no attempt is counted; it is due when its turn comes", async () => {
	const { ref, deliverer, sent, now, user, shares, counted } = await delivering([]);
	const before = await now();
	const held = Array.from({ length: USER_ATTEMPTS_MAX }, () => shares.take(user, "hooks.example.com") as Place);
	const end = await deliverer.attempt(ref);
	if (end.kind !== "busy") throw new Error(`it was ${end.kind}`);
	assert.equal([sent, counted, await now()], [[], [], before]);
	const [member = ""] = await dueOf(user);
	assert.is(Number(await client.zscore("alert_deliveries_due", member)), time.nowMs + end.pause_ms);
	held[0]?.release(true);
	assert.equal(await deliverer.attempt(ref), { kind: "delivered" });
	assert.is(sent[0]?.limit_ms, SHORT_LIMIT_MS, "its host had just given no answer in time");
	assert.is(typeof (shares.take(user, "hooks.example.com") as Place).release, "function", "the place is free again");
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
