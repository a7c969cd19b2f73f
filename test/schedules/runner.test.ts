import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ApiError } from "../../src/errors.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import type { ScheduleSpec } from "../../src/schedules/contract.ts";
import { RUN_LEASE_MS, type RunnerDeps } from "../../src/schedules/runner.ts";
import { jitterOf } from "../../src/schedules/runs.ts";
import { at, idAt, START_MS, scheduleStoreOn, scheduleWorld, time } from "../support/schedule-world.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

/** Looking at schedules, by any number of processes that die where they like. */
let redis: TestRedis;
let client: Redis;
const store = () => scheduleStoreOn(client);
const worldWith = (fields: Partial<ScheduleSpec> = {}) => scheduleWorld(client, fields);

const runs = suite("schedules: looking at them");
runs.before(async () => {
	redis = await startTestRedis();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
runs.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});
runs.before.each(() => {
	time.nowMs = START_MS;
});

runs("nothing runs before its time; one run, one scan, however many look at once", async () => {
	const world = await worldWith();
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, []);
	assert.ok(await store().isIndexed(world.schedule.schedule_id));
	assert.equal(
		await store()
			.due(at(1) - 1, 1000)
			.then((ids) => ids.includes(world.schedule.schedule_id)),
		false,
	);
	time.nowMs = at(1) + 5;
	const runners = Array.from({ length: 12 }, () => world.runner());
	await Promise.all(
		runners.flatMap((runner) => [runner.look(world.schedule.schedule_id), runner.look(world.schedule.schedule_id)]),
	);
	assert.equal(world.started, [idAt(world, 1)]);
	assert.equal(world.counted, ["started"]);
	assert.is((await world.held()).state.last_scan_id, idAt(world, 1));
	world.end(idAt(world, 1));
	time.nowMs = at(2);
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 1), idAt(world, 2)]);
});

runs("a process that dies at any step leaves a run that another one ends, as the same scan", async () => {
	for (const step of ["before the start", "after the start", "before the conclusion"]) {
		time.nowMs = START_MS;
		const world = await worldWith();
		time.nowMs = at(1);
		const died = new Error("the process died");
		const real = store();
		const dying = world.runner({
			...(step === "before the start" ? { admit: () => new Promise<boolean>(() => undefined) } : {}),
			...(step === "before the conclusion" ? { store: { ...real, concludeRun: () => Promise.reject(died) } } : {}),
			...(step === "after the start"
				? {
						start: async (_viewer, _request, id) => {
							world.started.push(id);
							world.running.add(id);
							throw new Error("Connection is closed.");
						},
					}
				: {}),
		} as Partial<RunnerDeps>);
		const dead = dying.look(world.schedule.schedule_id).catch(() => undefined);
		if (step !== "before the start") await dead;
		else
			while (!(await client.hget(`alert_schedule_runs:{${world.user}}`, `${world.schedule.schedule_id}:run`)))
				await new Promise(setImmediate);
		await world.runner().look(world.schedule.schedule_id);
		assert.ok(
			world.hints.some((hint) => hint.startsWith(`again-${at(1)}+`)),
			`${step}: another one waits for the claim`,
		);
		time.nowMs += RUN_LEASE_MS + 1;
		await world.runner().look(world.schedule.schedule_id);
		assert.equal([...new Set(world.started)], [idAt(world, 1)], step);
		assert.is((await world.held()).state.last_scan_id, idAt(world, 1), step);
	}
});

runs("after a time without any process the last missed run is made, and no other", async () => {
	const world = await worldWith({ cron: "*/10 * * * *" });
	time.nowMs = at(47);
	await world.runner().look(world.schedule.schedule_id);
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 40)]);
});

runs("overlap skip: no scan while the one before runs, and no run is kept for later", async () => {
	const world = await worldWith();
	for (const minute of [1, 2, 3]) {
		time.nowMs = at(minute);
		await world.runner().look(world.schedule.schedule_id);
	}
	assert.equal(world.started, [idAt(world, 1)]);
	assert.equal(world.counted, ["started", "skipped", "skipped"]);
	world.end(idAt(world, 1));
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 1)]);
	time.nowMs = at(4);
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 1), idAt(world, 4)]);
});

runs("overlap queue_one: however many runs fall into a scan, one follows it", async () => {
	const world = await worldWith({ overlap: "queue_one", cron: "*/2 * * * *" });
	for (const minute of [2, 4, 6]) {
		time.nowMs = at(minute);
		await world.runner().look(world.schedule.schedule_id);
	}
	assert.equal(world.started, [idAt(world, 2)]);
	assert.is((await world.held()).state.waiting_ms, at(6));
	time.nowMs = at(6) + 20_000;
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 2)], "it still runs");
	const score = Number(await client.zscore("alert_schedules_due", world.schedule.schedule_id));
	assert.ok(score - time.nowMs <= 5_000, "looked after soon, whether or not the news of the end arrive");
	world.end(idAt(world, 2));
	await Promise.all([1, 2, 3].map(() => world.runner().look(world.schedule.schedule_id)));
	assert.equal(world.started, [idAt(world, 2), idAt(world, 6)]);
	world.end(idAt(world, 6));
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 2), idAt(world, 6)], "once");
	assert.is((await world.held()).state.waiting_ms, null);
});

runs("jitter: the same delay each time it is asked, within its bound, and the run waits for it", async () => {
	const world = await worldWith({ jitter_ms: 50_000 });
	const delays = Array.from({ length: 200 }, (_, minute) => jitterOf(world.schedule, at(minute)));
	assert.ok(delays.every((ms) => ms >= 0 && ms <= 50_000));
	assert.ok(new Set(delays).size > 150, "spread");
	const dueMs = at(1) + jitterOf(world.schedule, at(1));
	time.nowMs = dueMs - 1;
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, []);
	assert.equal(world.hints, [`${at(1)}+1`], "a job for the moment itself");
	time.nowMs = dueMs;
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 1)]);
});

runs("whose owner may not start scans any more is paused with the reason", async () => {
	for (const [account, word] of [
		[{ role: "trader", status: "suspended" }, "account_inactive"],
		[{ role: "viewer", status: "active" }, "insufficient_permissions"],
	] as const) {
		time.nowMs = START_MS;
		const world = await worldWith();
		world.account = account;
		time.nowMs = at(1);
		await world.runner().look(world.schedule.schedule_id);
		const { spec, state } = await world.held();
		assert.is(spec.paused, true);
		assert.match(state.last_error ?? "", new RegExp(`^${word}: `));
		assert.ok(world.hints.includes("forget"));
		assert.equal(spec, { ...world.schedule, paused: true }, "the rest stays as it was");
		time.nowMs = at(2);
		await world.runner().look(world.schedule.schedule_id);
		assert.equal(world.started, []);
	}
});

runs("limits and overload are noted, and the next run is made", async () => {
	const world = await worldWith();
	time.nowMs = at(1);
	const overloaded = async () => Promise.reject(new ApiError("overloaded"));
	await world.runner({ start: overloaded }).look(world.schedule.schedule_id);
	assert.match((await world.held()).state.last_error ?? "", /^overloaded: /);
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [], "not at once");
	time.nowMs = at(2);
	await world.runner({ admit: async () => false }).look(world.schedule.schedule_id);
	assert.match((await world.held()).state.last_error ?? "", /^rate_limited: /);
	time.nowMs = at(3);
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.started, [idAt(world, 3)]);
	assert.is((await world.held()).state.last_error, null);
	// A defect of ours is said without its text.
	time.nowMs = at(4);
	world.end(idAt(world, 3));
	await world.runner({ start: async () => Promise.reject(new TypeError("secret")) }).look(world.schedule.schedule_id);
	assert.is((await world.held()).state.last_error, "internal_error: Internal error");
});

runs("a schedule that is gone leaves nothing where it stood", async () => {
	const world = await worldWith();
	await store().remove(world.user, world.schedule.schedule_id);
	time.nowMs = at(1);
	await world.runner().look(world.schedule.schedule_id);
	assert.equal(world.hints, ["forget"]);
	assert.is(await store().ownerOf(world.schedule.schedule_id), null);
	assert.not.ok((await client.keys(`*{${world.user}}*`)).some((key) => key.startsWith("alert_")));
});

runs("the store keeps to its limits and to the account", async () => {
	const world = await worldWith();
	const more = (fields: Partial<ScheduleSpec>) => ({
		...world.schedule,
		schedule_id: `schedule_${randomUUID()}`,
		...fields,
	});
	assert.is(await store().save(world.user, more({}), null, 1), "limit");
	assert.is(await store().save(world.user, world.schedule, null, 1), "saved", "a repetition after a lost reply");
	assert.is(await store().save(world.user, more({}), world.schedule, 20), "gone");
	assert.is(
		await store().save(world.user, { ...world.schedule, cron: "5 * * * *" }, { ...world.schedule, name: "x" }, 20),
		"changed",
	);
	assert.is(await store().save(randomUUID(), more({}), null, 20), "no_account");
	const named = { ...world.schedule, webhook_ids: ["a", "b"] };
	await store().save(world.user, named, world.schedule, 20);
	await store().dropWebhook(world.user, "a");
	assert.equal((await world.held()).spec.webhook_ids, ["b"]);
});

runs.run();
