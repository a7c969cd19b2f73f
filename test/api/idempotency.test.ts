import { suite } from "uvu";
import * as assert from "uvu/assert";
import { IDEMPOTENCY_TTL_MS } from "../../src/accounts/idempotency.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import { type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { testLogger } from "../support/store.ts";

const idempotency = suite("API: Idempotency-Key");

let world: LiveWorld;
let first: TestApi;
let second: TestApi;
/** Set: what `enqueue` does instead of nothing. */
let onEnqueue: (() => Promise<void>) | null = null;

idempotency.before(async () => {
	world = await startLiveWorld();
	const enqueue = async () => {
		await onEnqueue?.();
	};
	[first, second] = [await world.api({ enqueue }), await world.api()];
});
idempotency.after(() => world.stop());

const DISCOVER = "/api/v1/opportunities/discover";
const keyed = (token: string, key: string, body: unknown = {}) => ({
	token,
	body,
	headers: { "idempotency-key": key },
});

idempotency(
	"the same key and body give the same scan on any process, with the scan as it stands now",
	within(20_000, async () => {
		const { token } = await first.userWith("trader");
		const started = await first.call("POST", DISCOVER, keyed(token, "k1", { symbols: "BTC", force_refresh: true }));
		assert.is(started.status, 200, started.text);
		assert.is(started.headers["idempotent-replayed"], undefined);
		await world.runtime().run(String(started.json["scan_id"]));
		// Order of members and spelling of blanks are not another body; how long to wait is not either.
		const again = await second.call("POST", `${DISCOVER}?wait=0`, {
			token,
			raw: '{ "force_refresh": true, "symbols": "BTC" }',
			headers: { "idempotency-key": "k1", "content-type": "application/json" },
		});
		assert.is(again.status, 200, again.text);
		assert.is(again.headers["idempotent-replayed"], "true");
		assert.is(again.json["scan_id"], started.json["scan_id"]);
		assert.is(again.json["accepted_at"], started.json["accepted_at"]);
		assert.is(again.json["joined"], false);
		assert.is(again.json["status"], "complete");
		const other = await first.call("POST", DISCOVER, keyed(token, "k1", { symbols: "ETH" }));
		assert.is(other.status, 422);
		assert.is(other.json["code"], "idempotency_key_reused");
		const free = await first.call("POST", DISCOVER, keyed(token, "k2", { symbols: "BTC", force_refresh: true }));
		assert.is.not(free.json["scan_id"], started.json["scan_id"], "another key is another start");
	}),
);

idempotency(
	"keys belong to a user and a route",
	within(20_000, async () => {
		const [a, b] = [await first.userWith("trader"), await first.userWith("trader")];
		const mine = await first.call("POST", DISCOVER, keyed(a.token, "shared", { symbols: "BTC" }));
		const theirs = await first.call("POST", DISCOVER, keyed(b.token, "shared", { symbols: "ETH" }));
		assert.is(theirs.status, 200, theirs.text);
		assert.is.not(mine.json["scan_id"], theirs.json["scan_id"]);
		const cancel = await first.call(
			"POST",
			`/api/v1/opportunities/scans/${mine.json["scan_id"]}/cancel`,
			keyed(a.token, "shared"),
		);
		assert.is(cancel.status, 200, cancel.text);
		const again = await second.call(
			"POST",
			`/api/v1/opportunities/scans/${mine.json["scan_id"]}/cancel`,
			keyed(a.token, "shared"),
		);
		assert.is(again.headers["idempotent-replayed"], "true");
		assert.equal(again.json, cancel.json);
		const elsewhere = await first.call(
			"POST",
			`/api/v1/opportunities/scans/${theirs.json["scan_id"]}/cancel`,
			keyed(a.token, "shared"),
		);
		assert.is(elsewhere.json["code"], "idempotency_key_reused", "another scan is another request");
	}),
);

idempotency(
	"a refused request does not use the key up; a malformed key is refused",
	within(20_000, async () => {
		const { token } = await first.userWith("trader");
		const wrong = await first.call("POST", DISCOVER, keyed(token, "typo", { min_profit_potential: "much" }));
		assert.is(wrong.status, 422, wrong.text);
		const right = await first.call("POST", DISCOVER, keyed(token, "typo", { min_profit_potential: 5 }));
		assert.is(right.status, 200, right.text);
		for (const key of ["", "x".repeat(256), "ünïcode"].map((text) => Buffer.from(text).toString("latin1"))) {
			const refused = await first.call("POST", DISCOVER, keyed(token, key));
			assert.is(refused.json["code"], "validation_failed", JSON.stringify(key));
		}
		const unused = await first.call("GET", "/api/v1/opportunities/status/latest", keyed(token, "typo", undefined));
		assert.is(unused.status, 200, "reads do not look at the key");
	}),
);

idempotency(
	"onboarding repeats its first answer word for word",
	within(20_000, async () => {
		const { token } = await first.userWith("trader");
		const done = await first.call("POST", "/api/v1/opportunities/onboard", keyed(token, "welcome"));
		const again = await second.call("POST", "/api/v1/opportunities/onboard", keyed(token, "welcome"));
		assert.is(again.text, done.text);
		assert.is(again.json["already_onboarded"], false);
		assert.is(again.headers["idempotent-replayed"], "true");
	}),
);

idempotency(
	"while the first is being decided a second is told so; when its process dies, the next one starts the same scan",
	within(30_000, async () => {
		const { token, user_id } = await first.userWith("trader");
		let reached: () => void = () => {};
		const atQueue = new Promise<void>((resolve) => {
			reached = resolve;
		});
		// The process stops for ever right after the scan was accepted and before the start was answered.
		onEnqueue = () => {
			reached();
			return new Promise(() => {});
		};
		first.call("POST", DISCOVER, keyed(token, "crash", { force_refresh: true })).catch(() => undefined);
		await atQueue;
		onEnqueue = null;
		const [born] = await world.store.reader.listByUser(user_id, 0, 10);
		const early = await second.call("POST", DISCOVER, keyed(token, "crash", { force_refresh: true }));
		assert.is(early.status, 409, early.text);
		assert.is(early.json["code"], "idempotency_in_flight");
		const client = createRedisClient(world.redis.connection, "commands", testLogger());
		const [record] = await client.keys(`idempotency:{${user_id}}:*`);
		assert.ok(record);
		const lifetime = await client.pttl(record as string);
		assert.ok(lifetime > 0 && lifetime <= IDEMPOTENCY_TTL_MS, `${lifetime}`);
		await client.hset(record as string, "until", "1"); // its lease is over
		await client.quit();
		const late = await second.call("POST", DISCOVER, keyed(token, "crash", { force_refresh: true }));
		assert.is(late.status, 200, late.text);
		assert.is(late.json["scan_id"], born, "the scan that the dead process had accepted, and no second one");
		assert.equal(await world.store.reader.listByUser(user_id, 0, 10), [born]);
	}),
);

idempotency(
	"twenty requests at once under one key start one scan",
	within(20_000, async () => {
		const { token, user_id } = await first.userWith("trader");
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, i) =>
				[first, second][i % 2]?.call("POST", DISCOVER, keyed(token, "burst", { force_refresh: true })),
			),
		);
		for (const answer of answers) assert.ok([200, 409].includes(answer?.status ?? 0), answer?.text);
		assert.is((await world.store.reader.listByUser(user_id, 0, 10)).length, 1);
	}),
);

idempotency.run();
