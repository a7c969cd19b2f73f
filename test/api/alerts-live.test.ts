import { createHmac, timingSafeEqual } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
	type AlertProcess,
	type AlertUser,
	type AlertWorld,
	alertCalls,
	startAlertWorld,
} from "../support/alert-world.ts";
import { PASSWORD, within } from "../support/api.ts";
import { isProblem } from "../support/probe-routes.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";

/** Schedules that run and webhooks that are called, with the real queues and a receiver on loopback. */
type Json = Record<string, unknown>;

let world: AlertWorld;
let one: AlertProcess;
let receiver: Receiver;
const { call, made } = alertCalls(() => one);
const EVENTS = ["scan.completed", "scan.failed", "scan.cancelled", "scan.changed"];
const hook = (user: AlertUser, path: string, events = EVENTS) =>
	made(user, "/webhooks", { url: `${receiver.url}${path}`, events });

/** Waits for a state of the system by asking, since its queues work beside the test. */
async function eventually<T>(ask: () => Promise<T | null | undefined | false>): Promise<T> {
	for (;;) {
		const found = await ask();
		if (found) return found;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
}

const test = suite("API: schedules that run, webhooks that are called");
test.before(async () => {
	receiver = await startReceiver();
	world = await startAlertWorld();
	one = await world.process();
	one.work();
});
test.after(async () => {
	await world.stop();
	await receiver.close();
});

test(
	"the end of a scan is delivered, signed; a receiver that fails is told again by a replay",
	within(30_000, async () => {
		const user = await one.api.userWith("trader");
		const good = await hook(user, "/good");
		const broken = await hook(user, "/broken", ["scan.completed"]);
		receiver.statuses.set("/broken", 503);
		const started = await call(user, "POST", "/opportunities/discover", { symbols: "BTC" });
		const scanId = String(started.json["scan_id"]);
		await Promise.all([receiver.until("/good", 1), receiver.until("/broken", 1)]);
		const [{ body, headers } = { body: "", headers: {} as Received["headers"] }] = receiver.at("/good");
		const signature = String(headers["x-lookout-signature"]);
		const [, t = "", v1 = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
		const expected = createHmac("sha256", String(good["secret"])).update(`${t}.${body}`).digest();
		assert.ok(timingSafeEqual(expected, Buffer.from(v1, "hex")));
		const news = JSON.parse(body) as Json;
		assert.equal(
			[news["event"], news["scan_id"], (news["data"] as Json)["state"]],
			["scan.completed", scanId, "complete"],
		);
		const deliveries = `/webhooks/${broken["webhook_id"]}/deliveries`;
		const pending = await eventually(async () => {
			const [delivery] = (await call(user, "GET", deliveries)).json["deliveries"] as Json[];
			return delivery && delivery["attempts"] === 1 ? delivery : null;
		});
		assert.equal([pending["status"], pending["last_error"], pending["last_status"]], ["pending", "HTTP 503", 503]);
		assert.ok(Date.parse(String(pending["next_attempt_at"])) > Date.parse(String(pending["created_at"])) + 9_000);
		assert.equal((await call(user, "GET", `${deliveries}?status=dead`)).json["deliveries"], []);
		receiver.statuses.delete("/broken");
		const replayed = await call(user, "POST", `${deliveries}/${pending["delivery_id"]}/replay`);
		assert.is(replayed.status, 202, replayed.text);
		await receiver.until("/broken", 2);
		assert.is(receiver.at("/broken")[0]?.body, receiver.at("/broken")[1]?.body);
		await eventually(
			async () =>
				((await call(user, "GET", `${deliveries}?status=delivered`)).json["deliveries"] as Json[]).length === 1,
		);
		isProblem(await call(user, "POST", `${deliveries}/delivery_x/replay`), 404, "not_found");
	}),
);

test(
	"a process that dies between the end of a scan and its news: whoever books the end tells them",
	within(30_000, async () => {
		const dying = await world.process({ diesAtEnds: true });
		const user = await one.api.userWith("trader");
		const webhook = await hook(user, "/orphaned", ["scan.completed"]);
		const start = (process: AlertProcess) => call(user, "POST", "/opportunities/discover", { symbols: "ADA" }, process);
		const scanId = String((await start(dying)).json["scan_id"]);
		await eventually(async () => (await one.store.reader.read(scanId))?.terminal);
		assert.equal((await call(user, "GET", `/webhooks/${webhook["webhook_id"]}/deliveries`)).json["deliveries"], []);
		// An equal start meets the claim of the scan that has ended, and books it.
		await start(one);
		await receiver.until("/orphaned", 1);
		assert.is(JSON.parse(receiver.at("/orphaned")[0]?.body ?? "{}").scan_id, scanId);
		await dying.close();
	}),
);

/** As if time had passed: the schedule was made some minutes ago, and nobody has looked since. */
async function missed(user: AlertUser, scheduleId: string, minutes: number): Promise<void> {
	const key = `alert_schedules:{${user.user_id}}`;
	const spec = JSON.parse((await world.client.hget(key, scheduleId)) ?? "{}");
	await world.client.hset(key, scheduleId, JSON.stringify({ ...spec, since_ms: spec.since_ms - minutes * 60_000 }));
	await world.client.hdel(`alert_schedule_runs:{${user.user_id}}`, `${scheduleId}:done`);
	await world.client.zadd("alert_schedules_due", 0, scheduleId);
}

test(
	"a run that is due is one scan on any number of processes, with its schedule's id; a second one is compared",
	within(60_000, async () => {
		const others = [await world.process(), await world.process()];
		for (const other of others) other.work();
		const user = await one.api.userWith("trader");
		const webhook = await hook(user, "/scheduled");
		await hook(user, "/not-named");
		const body = { cron: "* * * * *", webhook_ids: [webhook["webhook_id"]] };
		const { schedule_id } = await made(user, "/opportunities/schedules", body);
		const path = `/opportunities/schedules/${schedule_id}`;
		await missed(user, String(schedule_id), 5);
		const first = await eventually(
			async () => ((await call(user, "GET", path)).json["schedule"] as Json)["last_scan_id"] as string,
		);
		await receiver.until("/scheduled", 1);
		const results = await call(user, "GET", `/opportunities/results/${first}`);
		assert.is((results.json["metadata"] as Json)["schedule_id"], schedule_id);
		const scans = (await call(user, "GET", "/opportunities/scans")).json["scans"] as Json[];
		const ticks = new Set([Math.floor(Date.now() / 60_000)]);
		assert.ok(scans.length <= ticks.size + 1, "one a run, although three processes looked at it");
		assert.equal(receiver.at("/not-named"), []);
		for (const other of others) await other.close();
	}),
);

test(
	"a scan of a schedule that found other rows than the one before is news",
	within(30_000, async () => {
		const user = await one.api.userWith("trader");
		const webhook = await hook(user, "/changed", ["scan.changed"]);
		const before = String((await call(user, "POST", "/opportunities/discover", { symbols: "XRP" })).json["scan_id"]);
		const record = await eventually(async () => {
			const read = await one.store.reader.read(before);
			return read?.terminal ? read : null;
		});
		// As if it had found its row elsewhere then.
		const [gone = ""] = Object.keys(await world.client.hgetall(`scan_results:{${before}}`)).filter((name) =>
			name.startsWith("r:"),
		);
		const other = JSON.stringify({ opportunity_id: gone.slice(2), symbol: "DOGE/USDT" });
		await world.client.hset(`scan_results:{${before}}`, gone, other);
		const { schedule_id } = await made(user, "/opportunities/schedules", {
			cron: "* * * * *",
			filters: { symbols: "XRP" },
		});
		const strategy_ids = record.context.strategies.map(({ strategy_id }) => strategy_id);
		const bases = JSON.stringify([{ scan_id: before, ended_at_ms: record.context.end?.at_ms, strategy_ids }]);
		await world.client.hset(`alert_schedule_runs:{${user.user_id}}`, `${schedule_id}:bases`, bases);
		await missed(user, String(schedule_id), 5);
		await receiver.until("/changed", 1);
		const { event, data, scan_id } = JSON.parse(receiver.at("/changed")[0]?.body ?? "{}");
		assert.equal([event, data.schedule_id, data.previous_scan_id], ["scan.changed", schedule_id, before]);
		assert.is.not(scan_id, before, "a run makes a scan of its own, however fresh the last result is");
		assert.equal(data.counts, { added: 0, removed: 0, changed: 1, unknown: 0 });
		assert.equal(data.opportunities.changed[0].fields.symbol, ["DOGE/USDT", "BTC/USDT"]);
		const diff = await one.api.call("GET", data.diff_url, { token: user.token });
		assert.is(diff.status, 200, diff.text);
		assert.is(
			((await call(user, "GET", `/webhooks/${webhook["webhook_id"]}/deliveries`)).json["deliveries"] as Json[]).length,
			1,
		);
	}),
);

test(
	"what queues and indexes have lost is set again from the records",
	within(40_000, async () => {
		const user = await one.api.userWith("trader");
		const { schedule_id } = await made(user, "/opportunities/schedules", { cron: "0 0 1 1 *" });
		const lost = ["alert_schedule_owners", "alert_schedules_due", ...(await world.client.keys("{schedules}*"))];
		await world.client.del(...lost);
		await eventually(async () => (await world.client.hexists("alert_schedule_owners", String(schedule_id))) === 1);
		await eventually(
			async () => (await world.client.zscore("{schedules}:schedules:repeat", String(schedule_id))) !== null,
		);
		assert.ok(await world.client.zscore("alert_schedules_due", String(schedule_id)));
	}),
);

test(
	"deleting the account leaves no trace of schedules, webhooks and deliveries; the export has them without secrets",
	within(40_000, async () => {
		const user = await one.api.userWith("trader");
		receiver.statuses.set("/leaving", 500);
		const webhook = await hook(user, "/leaving");
		const { schedule_id } = await made(user, "/opportunities/schedules", { cron: "0 0 1 1 *" });
		await call(user, "POST", "/opportunities/discover", { symbols: "ETH" });
		await receiver.until("/leaving", 1);
		const exported = await call(user, "GET", "/auth/me/export");
		assert.is(exported.status, 200, exported.text);
		assert.is((exported.json["schedules"] as Json[])[0]?.["schedule_id"], schedule_id);
		assert.is((exported.json["webhooks"] as Json[])[0]?.["webhook_id"], webhook["webhook_id"]);
		assert.not.ok(exported.text.includes(String(webhook["secret"])));
		const words = [user.user_id, String(schedule_id), String(webhook["webhook_id"])];
		assert.ok((await naming(words)).length >= 8);
		const removed = await call(user, "DELETE", "/auth/me", { password: PASSWORD });
		assert.is(removed.status, 200, removed.text);
		assert.equal(await naming(words), []);
	}),
);

/** Keys that name one of the words, or hold one. */
async function naming(words: readonly string[]): Promise<string[]> {
	const found: string[] = [];
	for (const key of await world.client.keys("*")) {
		const type = await world.client.type(key);
		const value =
			type === "hash"
				? await world.client.hgetall(key)
				: type === "zset"
					? await world.client.zrange(key, 0, "-1")
					: type === "set"
						? await world.client.smembers(key)
						: type === "list"
							? await world.client.lrange(key, 0, "-1")
							: type === "string"
								? await world.client.get(key)
								: null;
		// BullMQ's event streams tell of jobs that are gone; they hold ids and go by themselves.
		const text = key + JSON.stringify(value);
		if (words.some((word) => text.includes(word))) found.push(key);
	}
	return found;
}

test.run();
