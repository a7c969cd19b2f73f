import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type AlertProcess, type AlertWorld, alertCalls, startAlertWorld } from "../support/alert-world.ts";
import { within } from "../support/api.ts";
import { isProblem } from "../support/probe-routes.ts";

/** Recurring scans and webhooks as their users set them up, over HTTP. */
type Json = Record<string, unknown>;

let world: AlertWorld;
let one: AlertProcess;
/** Nothing is sent there. */
const base = "http://127.0.0.1:9";
const EVENTS = ["scan.completed", "scan.failed", "scan.cancelled", "scan.changed"];
const { call, made } = alertCalls(() => one);

const test = suite("API: schedules and webhooks");
test.before(async () => {
	world = await startAlertWorld();
	one = await world.process();
});
test.after(() => world.stop());

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
		const webhook = await made(stranger, "/webhooks", { url: `${base}/strange`, events: EVENTS });
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

test.run();
