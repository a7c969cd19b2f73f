import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rateKey } from "../../src/accounts/keys.ts";
import { type Answer, startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;
let other: TestApi;
let nowMs = Date.parse("2026-05-01T00:00:00.000Z");

const storeNow = () => String(nowMs);
const config = { rate: { discoverMax: 30, onboardMax: 5, otherMax: 10 } };

const test = suite("API: rate limits");
test.before(async () => {
	world = await startWorld({ config, users: { storeNow } });
	api = world.api;
	other = await world.second();
});
test.after(() => world.stop());

const refused = (answer: Answer): void => {
	assert.is(answer.status, 429);
	assert.is(answer.json["code"], "rate_limited");
	assert.ok(Number(answer.headers["retry-after"]) >= 1);
	assert.is(answer.json["retry_after_seconds"], Number(answer.headers["retry-after"]));
	assert.is(answer.headers["x-ratelimit-remaining"], "0");
};

test(
	"F15: two processes share one window, and refused calls do not lengthen the wait",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const me = (process: TestApi) => process.call("GET", "/api/v1/auth/me", { token: user.token });
		for (let i = 0; i < 10; i += 1) {
			const answer = await me(i % 2 ? api : other);
			assert.is(answer.status, 200);
			assert.is(answer.headers["x-ratelimit-limit"], "10");
			assert.is(answer.headers["x-ratelimit-remaining"], String(9 - i));
			nowMs += 1000;
		}
		for (const process of [api, other, api, other]) {
			const answer = await me(process);
			refused(answer);
			assert.is(answer.headers["retry-after"], "50");
			assert.is(answer.headers["x-ratelimit-reset"], "50");
		}
		nowMs += 49_999;
		refused(await me(api));
		nowMs += 1;
		assert.is((await me(other)).status, 200);
		refused(await me(api));
	}),
);

test(
	"F15: parallel calls on two processes: exactly the limit passes",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const answers = await Promise.all(
			Array.from({ length: 40 }, (_, i) => (i % 2 ? api : other).call("GET", "/api/v1/auth/me", { token: user.token })),
		);
		assert.is(answers.filter((answer) => answer.status === 200).length, 10);
		assert.is(answers.filter((answer) => answer.status === 429).length, 30);
	}),
);

test(
	"what was counted outlives its window and goes soon after it",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const key = rateKey(user.user_id, "other");
		const redis = world.redis.client();
		for (let i = 0; i < 3; i += 1) {
			assert.is((await api.call("GET", "/api/v1/auth/me", { token: user.token })).status, 200);
			const leftMs = await redis.pttl(key);
			assert.ok(leftMs > 60_000 && leftMs <= 120_000, String(leftMs));
		}
		// As if most of the time had passed: the next call moves the end again.
		await redis.pexpire(key, 30_000);
		assert.is((await other.call("GET", "/api/v1/auth/me", { token: user.token })).status, 200);
		assert.ok((await redis.pttl(key)) > 60_000);
		assert.is(await redis.zcard(key), 4);
	}),
);

test(
	"an admitted call costs one script of seven commands",
	within(8000, async () => {
		if (world.redis.kind !== "redis-server")
			return void process.stdout.write("  skipped: counts need a redis-server\n");
		const user = await api.userWith("trader");
		const redis = world.redis.client();
		const call = () => api.call("GET", "/api/v1/nowhere", { token: user.token });
		await call();
		const counts = async () => {
			const text = await redis.info("commandstats");
			const calls = [...text.matchAll(/^cmdstat_(?!info)[^:]+:calls=(\d+)/gm)].map(([, count]) => Number(count));
			return calls.reduce((sum, count) => sum + count, 0);
		};
		const before = await counts();
		for (let i = 0; i < 5; i += 1) assert.is((await call()).status, 404);
		const each = ((await counts()) - before) / 5;
		assert.ok(each <= 8, `${each} commands a call`);
	}),
);

test(
	"windows are apart: another user, another rule, onboarding five an hour; unknown routes count too",
	within(8000, async () => {
		const [first, second] = [await api.userWith("trader"), await api.userWith("trader")];
		for (let i = 0; i < 10; i += 1)
			assert.is((await api.call("GET", "/api/v1/nowhere", { token: first.token })).status, 404);
		refused(await api.call("GET", "/api/v1/auth/me", { token: first.token }));
		assert.is((await api.call("GET", "/api/v1/auth/me", { token: second.token })).status, 200);
		for (let i = 0; i < 5; i += 1) {
			const answer = await (i % 2 ? api : other).call("POST", "/api/v1/opportunities/onboard", {
				token: first.token,
				body: {},
			});
			assert.is(answer.status, 200);
			assert.is(answer.headers["x-ratelimit-limit"], "5");
		}
		const sixth = await other.call("POST", "/api/v1/opportunities/onboard", { token: first.token, body: {} });
		refused(sixth);
		assert.is(sixth.headers["retry-after"], "3600");
	}),
);

test(
	"without a user the address counts; health is not counted; a forwarded address only behind a proxy",
	within(8000, async () => {
		const description = (process: TestApi, forwarded: string) =>
			process.call("GET", "/openapi.json", { headers: { "x-forwarded-for": forwarded } });
		nowMs += 120_000;
		for (let i = 0; i < 10; i += 1) assert.is((await description(api, `10.0.0.${i}`)).status, 200);
		refused(await description(other, "10.0.0.99"));
		assert.is((await api.call("GET", "/livez")).headers["x-ratelimit-limit"], undefined);
		assert.is((await api.call("GET", "/readyz")).status, 200);
		const proxied = await world.second({ config: { ...config, trustProxyHops: 1 } });
		assert.is((await description(proxied, "10.0.0.1")).status, 200);
		// What the client itself wrote before the proxy's entry is not believed, nor is what is no address.
		for (let i = 0; i < 9; i += 1) assert.is((await description(proxied, `1.2.3.${i}, 10.0.0.1`)).status, 200);
		refused(await description(proxied, "1.2.3.250, 10.0.0.1"));
		refused(await description(proxied, "no address"));
		assert.is((await description(proxied, "10.0.0.2")).status, 200);
	}),
);

test(
	"Redis down: counted calls fail with 503, none passes; /livez stays, /readyz says so",
	within(15000, async () => {
		const lone = await startWorld();
		const token = String((await lone.api.login())["access_token"]);
		await lone.redis.crash();
		const answers = await Promise.all([
			lone.api.call("GET", "/api/v1/auth/me", { token }),
			lone.api.call("POST", "/api/v1/auth/login", { body: { email: "a@example.com", password: "long enough" } }),
			lone.api.call("GET", "/openapi.json"),
		]);
		for (const answer of answers) {
			assert.is(answer.status, 503, answer.text);
			assert.is(answer.json["code"], "store_unavailable");
			assert.ok(Number(answer.headers["retry-after"]) >= 1);
			assert.not.match(answer.text, /redis|ECONN|socket/i);
		}
		assert.is((await lone.api.call("GET", "/livez")).status, 200);
		assert.is((await lone.api.call("GET", "/api/v1/auth/me")).status, 401);
		await lone.stop();
	}),
);

test.run();
