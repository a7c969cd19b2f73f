import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WEBHOOK_EVENTS } from "../../src/webhooks/contract.ts";
import { BODY_BYTES_MAX } from "../../src/webhooks/payload.ts";
import { DELIVERIES_KEPT, DELIVERY_KEPT_MS } from "../../src/webhooks/webhook-store.ts";
import {
	client,
	closeNews,
	comparison,
	dueOf,
	ended,
	kept,
	openNews,
	outbox,
	row,
	START_MS,
	scheduleOf,
	time,
	userWith,
	webhooks,
} from "../support/webhook-news.ts";

/** News of ended scans are written down once, whoever dies and however often the end is booked. */
const box = suite("webhooks: outbox and delivery");
box.before(openNews);
box.after(closeNews);
box.before.each(() => {
	time.nowMs = START_MS;
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
		time.nowMs += 1000;
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
	time.nowMs += 60_000;
	await told.scanEnded(ended(user, "failed", spec.schedule_id));
	time.nowMs += 60_000;
	const second = ended(user, "completed", spec.schedule_id);
	await told.scanEnded(second);
	// Booked again, and the older one late: nothing is compared twice or backwards.
	await told.scanEnded(second);
	await told.scanEnded(first);
	assert.equal(told.compared, [[[first.scan_id], second.scan_id]], "with the last complete one");
	assert.equal((await kept(user, named)).map(({ event }) => event).sort(), [
		"scan.changed",
		"scan.completed",
		"scan.completed",
		"scan.failed",
	]);
	assert.equal(await kept(user, other), []);
	time.nowMs += 60_000;
	await told.scanEnded(ended(user));
	assert.is((await kept(user, other)).length, 1);
});

box(
	"a scan in which a strategy did not end well is compared with, and so is the last one in which it did",
	async () => {
		const { user } = await userWith([["scan.changed"]]);
		const spec = await scheduleOf(user);
		const told = outbox();
		const scans = (["ok_found", "failed", "degraded", "ok_found", "ok_empty"] as const).map((verdict) => {
			time.nowMs += 60_000;
			return ended(user, "completed", spec.schedule_id, verdict);
		});
		for (const scan of scans) await told.scanEnded(scan);
		const [a, b, c, d, e] = scans.map(({ scan_id }) => scan_id);
		assert.equal(told.compared, [
			[[a], b],
			[[b, a], c],
			[[c, a], d],
			[[d], e],
		]);
	},
);

box("no change, no news; a waiting run hears of the end", async () => {
	const { user, hooks } = await userWith([["scan.changed"]]);
	const spec = await scheduleOf(user, { overlap: "queue_one" });
	await client.hset(`alert_schedule_runs:{${user}}`, `${spec.schedule_id}:waiting`, time.nowMs);
	const quiet = outbox({ compare: async () => comparison() });
	const [first, second] = [ended(user, "completed", spec.schedule_id), ended(user, "completed", spec.schedule_id)];
	await quiet.scanEnded(first);
	time.nowMs += 1;
	await quiet.scanEnded(second);
	assert.equal(await kept(user, hooks[0]), []);
	assert.equal(quiet.jobs[0], `${spec.schedule_id} after-${first.scan_id}`);
});

box("bodies stay small, and say what was left out", async () => {
	const { user, hooks } = await userWith([["scan.changed"]]);
	const spec = await scheduleOf(user);
	const many = Array.from({ length: 900 }, (_, i) => ({ ...row(`row-${i}`), strategy_name: "n".repeat(300) }));
	const told = outbox({ compare: async () => comparison({ added: many, removed: many, changed: many }) });
	await told.scanEnded(ended(user, "completed", spec.schedule_id));
	time.nowMs += 1;
	await told.scanEnded(ended(user, "completed", spec.schedule_id));
	const [delivery] = await kept(user, hooks[0]);
	const held = await webhooks().delivery({
		user_id: user,
		webhook_id: hooks[0]?.webhook_id ?? "",
		delivery_id: delivery?.delivery_id ?? "",
	});
	assert.ok(Buffer.byteLength(held?.body ?? "") <= BODY_BYTES_MAX);
	const { data } = JSON.parse(held?.body ?? "{}");
	assert.equal(data.counts, { added: 900, removed: 900, changed: 900, unknown: 0 });
	assert.is(data.truncated, true);
	assert.ok(data.opportunities.added.length > 0);
	assert.not.ok("evidence" in data.opportunities.added[0]);
});

box("what waits is never dropped in silence: beyond the bound the oldest is a dead letter that says why", async () => {
	const { user, hooks } = await userWith([["scan.completed"]]);
	const ids: string[] = [];
	const told = outbox();
	for (let i = 0; i < DELIVERIES_KEPT + 5; i += 1) {
		time.nowMs += 1000;
		const done = ended(user);
		ids.push(done.scan_id);
		await told.scanEnded(done);
	}
	const all = await kept(user, hooks[0]);
	const of = (status: string) => all.filter((one) => one.status === status).map(({ scan_id }) => scan_id);
	assert.equal(of("pending"), ids.slice(-DELIVERIES_KEPT).reverse());
	assert.equal(of("dead"), ids.slice(0, 5).reverse());
	const [given] = all.filter(({ status }) => status === "dead");
	assert.equal([given?.last_error, given?.next_attempt_at_ms], ["given up: too many newer deliveries wait", null]);
	assert.equal(told.counted, Array(5).fill("dead"));
	assert.is((await dueOf(user)).length, DELIVERIES_KEPT);
	const ref = { user_id: user, webhook_id: hooks[0]?.webhook_id ?? "", delivery_id: given?.delivery_id ?? "" };
	assert.match((await webhooks().delivery(ref))?.body ?? "", ids[4] ?? "none", "it can be replayed");
});

box("retention: of those that have ended the delivered go first, and all go beyond the age", async () => {
	const { user, hooks } = await userWith([["scan.completed"]]);
	const webhook_id = hooks[0]?.webhook_id ?? "";
	const ends: string[] = [];
	for (let i = 0; i < DELIVERIES_KEPT + 6; i += 1) {
		time.nowMs += 1000;
		const done = ended(user);
		await outbox().scanEnded(done);
		const [newest] = await kept(user, hooks[0]);
		if (!newest || i === DELIVERIES_KEPT + 5) continue;
		// Dead ones are the oldest, and three in the midst.
		const status = i < 3 || (i >= 50 && i < 53) ? ("dead" as const) : ("delivered" as const);
		const ref = { user_id: user, webhook_id, delivery_id: newest.delivery_id };
		assert.ok(await webhooks().replace(ref, newest, { ...newest, status }));
		ends.push(`${status} ${done.scan_id}`);
	}
	const left = (await kept(user, hooks[0])).slice(1).map(({ status, scan_id }) => `${status} ${scan_id}`);
	// Five too many have ended: the five oldest of the delivered.
	assert.equal(left.reverse(), [...ends.slice(0, 3), ...ends.slice(8)]);
	time.nowMs += DELIVERY_KEPT_MS;
	assert.equal(await kept(user, hooks[0]), []);
	await outbox().scanEnded(ended(user));
	assert.is(await client.hlen(`alert_deliveries:{${user}}:${webhook_id}`), 1);
	assert.is(await client.hlen(`alert_bodies:{${user}}:${webhook_id}`), 1);
});

box.run();
