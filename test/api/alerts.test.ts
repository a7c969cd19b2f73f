import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type AlertProcess, type AlertWorld, startAlertWorld } from "../support/alert-world.ts";
import { PASSWORD, type TestApi, within } from "../support/api.ts";
import { isProblem } from "../support/probe-routes.ts";

/** Recurring scans and webhooks as their users meet them: over HTTP, with the real queues and a receiver on loopback. */
type Json = Record<string, unknown>;
type User = Awaited<ReturnType<TestApi["userWith"]>>;

let world: AlertWorld;
let one: AlertProcess;
let receiver: Server;
let base: string;

interface Received {
	path: string;
	body: string;
	headers: IncomingMessage["headers"];
}
const received: Received[] = [];
const waiting: { wanted(all: Received[]): boolean; done(): void }[] = [];
/** Status by path; 200 by default. */
const statuses = new Map<string, number>();

const until = (wanted: (all: Received[]) => boolean): Promise<void> =>
	new Promise((done) => {
		if (wanted(received)) done();
		else waiting.push({ wanted, done });
	});
const at = (path: string): Received[] => received.filter((entry) => entry.path === path);

const call = (user: User, method: string, path: string, body?: unknown, process = one) =>
	process.api.call(method, `/api/v1${path}`, { token: user.token, ...(body === undefined ? {} : { body }) });
const made = async (user: User, path: string, body: unknown): Promise<Json> => {
	const answer = await call(user, "POST", path, body);
	assert.is(answer.status, 201, answer.text);
	return (answer.json["schedule"] ?? answer.json["webhook"]) as Json;
};
const EVENTS = ["scan.completed", "scan.failed", "scan.cancelled", "scan.changed"];
const hook = (user: User, path: string, events = EVENTS) => made(user, "/webhooks", { url: `${base}${path}`, events });

/** Waits for a state of the system by asking, since its queues work beside the test. */
async function eventually<T>(ask: () => Promise<T | null | undefined | false>): Promise<T> {
	for (;;) {
		const found = await ask();
		if (found) return found;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
}

const test = suite("API: schedules and webhooks");
test.before(async () => {
	world = await startAlertWorld();
	one = await world.process();
	one.work();
	receiver = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const path = request.url ?? "";
			received.push({ path, body: Buffer.concat(chunks).toString(), headers: request.headers });
			response.writeHead(statuses.get(path) ?? 200).end();
			for (const entry of waiting.splice(0)) {
				if (entry.wanted(received)) entry.done();
				else waiting.push(entry);
			}
		});
	});
	await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
	base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});
test.after(async () => {
	await world.stop();
	receiver.closeAllConnections();
	await new Promise((resolve) => receiver.close(resolve));
});

test(
	"a schedule is created with defaults, listed, changed, paused and deleted",
	within(20_000, async () => {
		const user = await one.api.userWith("trader");
		const schedule = await made(user, "/opportunities/schedules", {
			cron: "30 9 * * mon-fri",
			tz: "Europe/Berlin",
			filters: { symbols: "btc" },
		});
		const { schedule_id, created_at, next_run_at, ...rest } = schedule;
		assert.match(String(schedule_id), /^schedule_[0-9a-f]{32}$/);
		assert.equal(rest, {
			name: null,
			cron: "30 9 * * mon-fri",
			tz: "Europe/Berlin",
			filters: { symbols: ["BTC"] },
			overlap: "skip",
			jitter_ms: 0,
			paused: false,
			webhook_ids: null,
			last_scan_id: null,
			last_error: null,
		});
		assert.ok(Date.parse(String(next_run_at)) > Date.parse(String(created_at)));
		assert.match(new Date(String(next_run_at)).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" }), /^09:30:00/);
		const path = `/opportunities/schedules/${schedule_id}`;
		assert.equal((await call(user, "GET", path)).json["schedule"], schedule);
		assert.equal((await call(user, "GET", "/opportunities/schedules")).json["schedules"], [schedule]);
		const { schedule: changed } = (
			await call(user, "PATCH", path, { paused: true, name: "Mornings", overlap: "queue_one" })
		).json as { schedule: Json };
		assert.equal(changed, { ...schedule, paused: true, name: "Mornings", overlap: "queue_one", next_run_at: null });
		const { schedule: resumed } = (await call(user, "PATCH", path, { paused: false, cron: "0 12 * * *", tz: "UTC" }))
			.json as { schedule: Json };
		assert.match(String(resumed["next_run_at"]), /T12:00:00\.000Z$/);
		assert.equal((await call(user, "DELETE", path)).json, { success: true, schedule: resumed });
		for (const method of ["GET", "PATCH", "DELETE"])
			isProblem(await call(user, method, path, method === "PATCH" ? {} : undefined), 404, "schedule_not_found");
		assert.equal(
			(await world.client.keys("*schedules*")).filter((key) => key.includes(String(schedule_id))),
			[],
		);
	}),
);

test(
	"what cannot be is refused with the place of the fault, and nothing of another user is seen",
	within(20_000, async () => {
		const [user, stranger] = [await one.api.userWith("trader"), await one.api.userWith("trader")];
		const webhook = await hook(stranger, "/strange");
		const bad: [Json, string][] = [
			[{}, "body.cron"],
			[{ cron: "* * * * * *" }, "body.cron"],
			[{ cron: "*/20 * * * * *" }, "body.cron"],
			[{ cron: "0 0 30 2 *" }, "body.cron"],
			[{ cron: "0 9 * * *", tz: "Berlin" }, "body.tz"],
			[{ cron: "0 9 * * *", overlap: "both" }, "body.overlap"],
			[{ cron: "0 9 * * *", jitter_ms: -1 }, "body.jitter_ms"],
			[{ cron: "*/5 * * * *", jitter_ms: 300_000 }, "body.jitter_ms"],
			[{ cron: "0 9 * * *", filters: { asset_tiers: ["tier_gold"] } }, "body.filters.asset_tiers.0"],
			[{ cron: "0 9 * * *", webhook_ids: [webhook["webhook_id"]] }, "body.webhook_ids.0"],
		];
		for (const [body, path] of bad) {
			const answer = await call(user, "POST", "/opportunities/schedules", body);
			isProblem(answer, 422, "validation_failed");
			assert.is((answer.json["errors"] as Json[])[0]?.["path"], path, answer.text);
		}
		const theirs = `/webhooks/${webhook["webhook_id"]}`;
		const unknown = "/webhooks/webhook_00000000000000000000000000000000";
		for (const path of [theirs, unknown]) {
			isProblem(await call(user, "GET", path), 404, "webhook_not_found");
			isProblem(await call(user, "PATCH", path, {}), 404, "webhook_not_found");
			isProblem(await call(user, "DELETE", path), 404, "webhook_not_found");
			isProblem(await call(user, "GET", `${path}/deliveries`), 404, "webhook_not_found");
			isProblem(await call(user, "POST", `${path}/deliveries/x/replay`), 404, "webhook_not_found");
		}
		const viewer = await one.api.userWith("viewer");
		isProblem(await call(viewer, "POST", "/webhooks", { url: base, events: EVENTS }), 403, "insufficient_permissions");
		assert.equal((await call(viewer, "GET", "/opportunities/schedules")).json["schedules"], []);
	}),
);

test(
	"twenty of each and no more, also when asked for at once",
	within(20_000, async () => {
		const user = await one.api.userWith("trader");
		const ask = (path: string, body: Json) =>
			Promise.all(Array.from({ length: 24 }, () => call(user, "POST", path, body)));
		for (const answers of [
			await ask("/opportunities/schedules", { cron: "0 0 1 1 *" }),
			await ask("/webhooks", { url: `${base}/none`, events: ["scan.failed"] }),
		]) {
			assert.is(answers.filter(({ status }) => status === 201).length, 20);
			for (const answer of answers.filter(({ status }) => status !== 201)) isProblem(answer, 409, "limit_reached");
		}
	}),
);

test(
	"private addresses are refused unless they are allowed; the secret is shown once",
	within(20_000, async () => {
		const closed = await world.process({ allowPrivate: false });
		const user = await closed.api.userWith("trader");
		const create = (url: string) => call(user, "POST", "/webhooks", { url, events: ["scan.completed"] }, closed);
		for (const url of ["http://127.0.0.1:8080/", "http://[::1]/", "http://169.254.169.254/", "http://localhost/"])
			isProblem(await create(url), 422, "url_not_allowed");
		isProblem(await create("https://u:p@example.com/"), 422, "validation_failed");
		isProblem(
			await call(user, "POST", "/webhooks", { url: "https://example.com/", events: [] }, closed),
			422,
			"validation_failed",
		);
		const answer = await create("https://93.184.216.34/hook");
		assert.is(answer.status, 201, answer.text);
		assert.is(answer.headers["cache-control"], "no-store");
		const webhook = answer.json["webhook"] as Json;
		assert.equal(Object.keys(webhook).sort(), ["created_at", "events", "secret", "url", "webhook_id"]);
		const path = `/webhooks/${webhook["webhook_id"]}`;
		isProblem(await call(user, "PATCH", path, { url: "http://10.0.0.1/" }, closed), 422, "url_not_allowed");
		const { secret: _, ...shown } = webhook;
		assert.equal((await call(user, "GET", path, undefined, closed)).json["webhook"], shown);
		const changed = (await call(user, "PATCH", path, { events: ["scan.failed", "scan.failed"] }, closed)).json[
			"webhook"
		];
		assert.equal(changed, { ...shown, events: ["scan.failed"] });
		assert.equal((await call(user, "DELETE", path, undefined, closed)).json["webhook"], changed);
	}),
);

test(
	"the end of a scan is delivered, signed; a receiver that fails is told again by a replay",
	within(30_000, async () => {
		const user = await one.api.userWith("trader");
		const good = await hook(user, "/good");
		const broken = await hook(user, "/broken", ["scan.completed"]);
		statuses.set("/broken", 503);
		const started = await call(user, "POST", "/opportunities/discover", { symbols: "BTC" });
		const scanId = String(started.json["scan_id"]);
		await until(() => at("/good").length > 0 && at("/broken").length > 0);
		const [{ body, headers } = { body: "", headers: {} as IncomingMessage["headers"] }] = at("/good");
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
		statuses.delete("/broken");
		const replayed = await call(user, "POST", `${deliveries}/${pending["delivery_id"]}/replay`);
		assert.is(replayed.status, 202, replayed.text);
		await until(() => at("/broken").length === 2);
		assert.is(at("/broken")[0]?.body, at("/broken")[1]?.body);
		await eventually(
			async () =>
				((await call(user, "GET", `${deliveries}?status=delivered`)).json["deliveries"] as Json[]).length === 1,
		);
		isProblem(await call(user, "POST", `${deliveries}/delivery_x/replay`), 404, "not_found");
	}),
);

/** As if time had passed: the schedule was made some minutes ago, and nobody has looked since. */
async function missed(user: User, scheduleId: string, minutes: number): Promise<void> {
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
		await until(() => at("/scheduled").length === 1);
		const results = await call(user, "GET", `/opportunities/results/${first}`);
		assert.is((results.json["metadata"] as Json)["schedule_id"], schedule_id);
		const scans = (await call(user, "GET", "/opportunities/scans")).json["scans"] as Json[];
		const ticks = new Set([Math.floor(Date.now() / 60_000)]);
		assert.ok(scans.length <= ticks.size + 1, "one a run, although three processes looked at it");
		assert.equal(at("/not-named"), []);
		for (const other of others) await other.close();
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
		statuses.set("/leaving", 500);
		const webhook = await hook(user, "/leaving");
		const { schedule_id } = await made(user, "/opportunities/schedules", { cron: "0 0 1 1 *" });
		await call(user, "POST", "/opportunities/discover", { symbols: "ETH" });
		await until(() => at("/leaving").length > 0);
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
