import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PASSWORD, startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;
let admin: string;

const test = suite("API: portfolio, strategies, policies, health");
test.before(async () => {
	world = await startWorld({
		users: { policies: { scalping_strategy: { max_symbols: 4, enabled: false }, market_making: { priority: 200 } } },
	});
	api = world.api;
	admin = String((await api.login())["access_token"]);
});
test.after(() => world.stop());

test(
	"portfolio: empty at first, replaced as a whole, guarded by If-Match",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const get = (headers = {}) => api.call("GET", "/api/v1/portfolio", { token: user.token, headers });
		const put = (body: unknown, headers = {}) =>
			api.call("PUT", "/api/v1/portfolio", { token: user.token, body, headers });
		const empty = await get();
		assert.equal(empty.json, {
			success: true,
			user_id: user.user_id,
			positions: [],
			cash_usd: 0,
			version: 0,
			updated_at: null,
		});
		const positions = [
			{ symbol: "BTC/USDT", quantity: 0.5 },
			{ symbol: "ETH/USDT:USDT", quantity: -2, entry_price: 3000.5 },
		];
		const first = await put({ positions, cash_usd: 1234.56 }, { "if-match": empty.headers["etag"] });
		assert.is(first.status, 200);
		assert.is(first.json["version"], 1);
		assert.equal(first.json["positions"], [
			{ symbol: "BTC/USDT", quantity: 0.5, entry_price: null },
			{ symbol: "ETH/USDT:USDT", quantity: -2, entry_price: 3000.5 },
		]);
		const stale = await put({ positions: [], cash_usd: 0 }, { "if-match": empty.headers["etag"] });
		assert.is(stale.status, 412);
		assert.is(stale.json["code"], "precondition_failed");
		assert.is((await get({ "if-none-match": first.headers["etag"] })).status, 304);
		const race = await Promise.all(
			Array.from({ length: 8 }, (_, i) => put({ positions: [], cash_usd: i }, { "if-match": first.headers["etag"] })),
		);
		assert.is(race.filter((answer) => answer.status === 200).length, 1);
		assert.is(race.filter((answer) => answer.status === 412).length, 7);
		assert.is((await put({ positions: [], cash_usd: 0 }, { "if-match": "*" })).json["version"], 3);
		assert.is((await put({ positions: [], cash_usd: 0 })).json["version"], 4);
	}),
);

test(
	"portfolio: what it refuses, by path",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const paths = async (body: unknown) => {
			const answer = await api.call("PUT", "/api/v1/portfolio", { token: user.token, body });
			assert.is(answer.status, 422, answer.text);
			return (answer.json["errors"] as { path: string }[]).map((error) => error.path);
		};
		const one = (position: object) => ({ positions: [{ symbol: "BTC/USDT", quantity: 1, ...position }], cash_usd: 0 });
		assert.equal(await paths({}), ["body.positions", "body.cash_usd"]);
		assert.equal(await paths({ positions: [], cash_usd: -1 }), ["body.cash_usd"]);
		assert.equal(await paths(one({ quantity: 0 })), ["body.positions.0.quantity"]);
		assert.equal(await paths(one({ quantity: -1 })), ["body.positions.0.quantity"]);
		assert.equal(await paths(one({ quantity: "1" })), ["body.positions.0.quantity"]);
		assert.equal(await paths(one({ entry_price: 0 })), ["body.positions.0.entry_price"]);
		assert.equal(await paths(one({ symbol: "BTCUSDT" })), ["body.positions.0.symbol"]);
		const twice = [
			{ symbol: "BTC/USDT", quantity: 1 },
			{ symbol: "BTC/USDT", quantity: 2 },
		];
		assert.equal(await paths({ positions: twice, cash_usd: 0 }), ["body.positions.1.symbol"]);
		const many = Array.from({ length: 201 }, (_, i) => ({ symbol: `C${i}/USDT`, quantity: 1 }));
		assert.equal(await paths({ positions: many, cash_usd: 0 }), ["body.positions"]);
		// Beyond these bounds a product of two figures would no longer be finite.
		assert.equal(await paths(one({ quantity: 1.1e18 })), ["body.positions.0.quantity"]);
		assert.equal(await paths(one({ symbol: "BTC/USDT:USDT", quantity: -1.1e18 })), ["body.positions.0.quantity"]);
		assert.equal(await paths(one({ entry_price: 1.1e12 })), ["body.positions.0.entry_price"]);
		assert.equal(await paths({ positions: [], cash_usd: 1.1e15 }), ["body.cash_usd"]);
		const infinite = await api.call("PUT", "/api/v1/portfolio", {
			token: user.token,
			raw: '{"positions":[{"symbol":"BTC/USDT","quantity":1e400}],"cash_usd":1e400}',
		});
		assert.equal(
			(infinite.json["errors"] as { path: string }[]).map((error) => error.path),
			["body.positions.0.quantity", "body.cash_usd"],
		);
		const largest = await api.call("PUT", "/api/v1/portfolio", {
			token: user.token,
			body: { positions: [{ symbol: "BTC/USDT", quantity: 1e18, entry_price: 1e12 }], cash_usd: 1e15 },
		});
		assert.is(largest.status, 200);
		const exact = await api.call("PUT", "/api/v1/portfolio", {
			token: user.token,
			body: { positions: many.slice(1), cash_usd: 0 },
		});
		assert.is(exact.status, 200);
	}),
);

test(
	"the own strategies, with measured figures only",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const mine = await api.call("GET", "/api/v1/strategies/my-portfolio", { token: user.token });
		assert.is(mine.json["total_strategies"], 3);
		assert.is(mine.json["total_monthly_cost"], 0);
		assert.equal(mine.json["summary"], { total_strategies: 3, active_strategies: 3, total_monthly_cost: 0 });
		const [first] = mine.json["strategies"] as Record<string, unknown>[];
		assert.is(first?.["win_rate"], null);
		assert.is(first?.["total_trades"], 0);
		assert.equal(first?.["recent_trades"], []);
		const unified = await api.call("GET", "/api/v1/unified-strategies/portfolio", { token: admin });
		assert.is(unified.json["total_strategies"], 14);
		assert.is(unified.json["user_role"], "admin");
		assert.is((unified.json["metadata"] as Record<string, unknown>)["user_tier"], "enterprise");
		assert.is((unified.json["summary"] as Record<string, unknown>)["total_monthly_cost"], 510);
		const status = await api.call("GET", "/api/v1/admin-strategy-access/admin-portfolio-status", { token: admin });
		assert.is(status.json["current_strategies"], 14);
		assert.is(status.json["has_full_access"], true);
		const available = await api.call("GET", "/api/v1/strategies/available", { token: user.token });
		const keys = Object.keys(available.json["available_strategies"] as object);
		assert.is(keys.length, 14);
		assert.is(keys[0], "spot_momentum_strategy");
		assert.is(available.json["total_count"], 14);
	}),
);

test(
	"policies: default, config and database, only the fields sent change",
	within(8000, async () => {
		const base = "/api/v1/admin/opportunity-policies";
		const list = await api.call("GET", base, { token: admin });
		const policies = list.json["policies"] as Record<string, unknown>[];
		assert.is(list.json["count"], policies.length);
		assert.is(policies[0]?.["strategy_key"], "market_making");
		assert.is(policies[0]?.["source"], "config");
		const scalping = policies.find((policy) => policy["strategy_key"] === "scalping_strategy");
		assert.is(scalping?.["max_symbols"], 4);
		assert.is(scalping?.["enabled"], false);
		assert.is(scalping?.["priority"], 112);
		const priorities = policies.map((policy) => Number(policy["priority"]));
		assert.equal(
			priorities,
			[...priorities].sort((a, b) => b - a),
		);
		const set = await api.call("PUT", `${base}/%20AI_Options_Trade%20`, {
			token: admin,
			body: { max_symbols: null, enabled: false },
		});
		const policy = set.json["policy"] as Record<string, unknown>;
		assert.is(policy["strategy_key"], "options_trade");
		assert.is(policy["max_symbols"], null);
		assert.is(policy["chunk_size"], 5);
		assert.is(policy["enabled"], false);
		assert.is(policy["source"], "database");
		const other = await world.second();
		const seen = (await other.users.policies.list()).find((candidate) => candidate.strategy_key === "options_trade");
		assert.equal(seen, policy);
		const more = await api.call("PUT", `${base}/options_trade`, { token: admin, body: { priority: 7 } });
		assert.is((more.json["policy"] as Record<string, unknown>)["max_symbols"], null);
		assert.is((more.json["policy"] as Record<string, unknown>)["created_at"], policy["created_at"]);
		const reset = await api.call("DELETE", `${base}/options_trade`, { token: admin });
		assert.equal(
			[
				(reset.json["policy"] as Record<string, unknown>)["max_symbols"],
				(reset.json["policy"] as Record<string, unknown>)["source"],
			],
			[15, "default"],
		);
		const reconfigured = await api.call("DELETE", `${base}/scalping_strategy`, { token: admin });
		assert.is((reconfigured.json["policy"] as Record<string, unknown>)["source"], "config");
		for (const body of [
			{ max_symbols: 0 },
			{ chunk_size: 0 },
			{ priority: -1 },
			{ enabled: "yes" },
			{ max_symbols: 1.5 },
		]) {
			assert.is((await api.call("PUT", `${base}/scalping_strategy`, { token: admin, body })).status, 422);
		}
		assert.is((await api.call("PUT", `${base}/magic`, { token: admin, body: {} })).json["code"], "strategy_not_found");
	}),
);

test(
	"/readyz names each dependency: degraded for all but Redis, bounded when one hangs",
	within(8000, async () => {
		const timers: (() => void)[] = [];
		const clock = { now: () => 0, setTimeout: (run: () => void) => timers.push(run), clearTimeout: () => undefined };
		const ok = async () => ({ ok: true });
		const checks = {
			redis: { fallback: { latency_ms: null, kind: "external" }, run: async () => ({ ok: true, latency_ms: 2 }) },
			market_data: {
				fallback: {},
				run: async () => {
					throw new Error("host 10.1.1.1 is down");
				},
			},
			workers: {
				fallback: { count: 0 },
				run: () =>
					new Promise<{ ok: boolean }>(() =>
						setImmediate(() => {
							for (const run of timers) run();
						}),
					),
			},
			sweeper: { fallback: { age_ms: null }, run: ok },
		};
		const one = await world.second({ deps: { health: checks, clock } });
		const degraded = await one.call("GET", "/readyz");
		assert.is(degraded.status, 200);
		assert.equal(degraded.json, {
			status: "degraded",
			checks: {
				redis: { latency_ms: 2, kind: "external", ok: true },
				market_data: { ok: false },
				workers: { count: 0, ok: false },
				sweeper: { age_ms: null, ok: true },
			},
		});
		const healthy = { fallback: {}, run: ok };
		const all = {
			redis: { fallback: { kind: "memory" }, run: ok },
			market_data: healthy,
			workers: healthy,
			sweeper: healthy,
		};
		assert.is(
			(await (await world.second({ deps: { health: all } })).call("GET", "/readyz")).json["status"],
			"degraded",
		);
		const down = { ...all, redis: { fallback: { kind: "private" }, run: async () => ({ ok: false }) } };
		const refused = await (await world.second({ deps: { health: down } })).call("GET", "/readyz");
		assert.is(refused.status, 503);
		assert.is(refused.json["status"], "not_ready");
		assert.is(refused.json["code"], "store_unavailable");
		assert.equal((refused.json["checks"] as Record<string, unknown>)["redis"], { kind: "private", ok: false });
	}),
);

test(
	"passwords and hashes stand in no answer, no log and no key of accounts",
	within(8000, async () => {
		const user = await api.userWith("trader");
		await api.call("POST", "/api/v1/auth/login", { body: { email: user.email, password: "wrong password here" } });
		await api.call("POST", "/api/v1/auth/login", { raw: '{"password":"leaky secret", broken' });
		const list = await api.call("GET", "/api/v1/admin/users?limit=100", { token: admin });
		assert.not.match(list.text, /scrypt|password/);
		const redis = world.redis.client();
		const dump: string[] = [];
		for (const key of await redis.keys("*")) {
			const type = await redis.type(key);
			const value =
				type === "string" ? await redis.get(key) : type === "hash" ? JSON.stringify(await redis.hgetall(key)) : "";
			if (!key.startsWith("account_password:")) dump.push(`${key} ${value}`);
		}
		const text = `${dump.join("\n")}\n${JSON.stringify(api.logs)}`;
		assert.not.match(text, /scrypt\$/);
		for (const secret of [PASSWORD, "wrong password here", "leaky secret", user.token, user.refresh])
			assert.not.ok(text.includes(secret));
	}),
);

test.run();
