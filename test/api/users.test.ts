import { suite } from "uvu";
import * as assert from "uvu/assert";
import { firstAdmin } from "../../src/accounts/admin.ts";
import { ADMIN, PASSWORD, startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;
let token: string;

const test = suite("API: user administration");
test.before(async () => {
	world = await startWorld();
	api = world.api;
	token = String((await api.login())["access_token"]);
});
test.after(() => world.stop());

const create = (body: unknown, process = api) => process.call("POST", "/api/v1/admin/users", { token, body });
const patch = (userId: string, body: unknown, process = api) =>
	process.call("PATCH", `/api/v1/admin/users/${userId}`, { token, body });

test(
	"creates users with the default strategies of their role",
	within(8000, async () => {
		const trader = await create({ email: "Trader@Example.com", password: PASSWORD, role: "trader" });
		assert.is(trader.status, 201);
		const user = trader.json["user"] as Record<string, unknown>;
		assert.equal(Object.keys(user), ["user_id", "email", "role", "status", "strategy_ids", "created_at"]);
		assert.is(user["email"], "trader@example.com");
		assert.equal(user["strategy_ids"], [
			"ai_spot_momentum_strategy",
			"ai_risk_management",
			"ai_portfolio_optimization",
		]);
		const admin = await create({ email: "second@example.com", password: PASSWORD, role: "admin" });
		assert.is(((admin.json["user"] as Record<string, unknown>)["strategy_ids"] as string[]).length, 14);
		const named = await create({
			email: "named@example.com",
			password: PASSWORD,
			role: "viewer",
			strategy_ids: ["AI Scalping", "funding_arbitrage", "ai_scalping_strategy"],
		});
		assert.equal((named.json["user"] as Record<string, unknown>)["strategy_ids"], [
			"ai_scalping_strategy",
			"ai_funding_arbitrage",
		]);
		const none = await create({ email: "none@example.com", password: PASSWORD, role: "viewer", strategy_ids: [] });
		assert.equal((none.json["user"] as Record<string, unknown>)["strategy_ids"], []);
		const unknown = await create({
			email: "unknown@example.com",
			password: PASSWORD,
			role: "viewer",
			strategy_ids: ["ai_scalping_strategy", "magic"],
		});
		assert.is(unknown.status, 422);
		assert.is((unknown.json["errors"] as { path: string }[])[0]?.path, "body.strategy_ids.1");
		assert.is(
			(await create({ email: "trader@example.com", password: PASSWORD, role: "viewer" })).json["code"],
			"email_taken",
		);
		assert.is((await create({ email: "x@example.com", password: "short", role: "root" })).status, 422);
	}),
);

test(
	"one of many simultaneous creations of an e-mail wins, on two processes",
	within(8000, async () => {
		const other = await world.second();
		const answers = await Promise.all(
			Array.from({ length: 12 }, (_, i) =>
				create({ email: "race@example.com", password: PASSWORD, role: "trader" }, i % 2 ? api : other),
			),
		);
		assert.is(answers.filter((answer) => answer.status === 201).length, 1);
		assert.is(answers.filter((answer) => answer.json["code"] === "email_taken").length, 11);
		const winner = answers.find((answer) => answer.status === 201)?.json["user"] as Record<string, string>;
		assert.is((await api.login("race@example.com", PASSWORD))["user_id"], winner["user_id"]);
		const list = await api.call("GET", "/api/v1/admin/users?limit=100", { token });
		assert.is(
			(list.json["users"] as { email: string }[]).filter((user) => user.email === "race@example.com").length,
			1,
		);
	}),
);

test(
	"lists every user once, page by page, while new ones arrive",
	within(10000, async () => {
		const before = await api.call("GET", "/api/v1/admin/users?limit=100", { token });
		const expected = (before.json["users"] as { user_id: string }[]).map((user) => user.user_id);
		const seen: string[] = [];
		let cursor: string | null = null;
		for (let page = 0; page < 20; page += 1) {
			const query: string = cursor ? `?limit=2&cursor=${cursor}` : "?limit=2";
			const answer = await api.call("GET", `/api/v1/admin/users${query}`, { token });
			assert.is(answer.status, 200);
			seen.push(...(answer.json["users"] as { user_id: string }[]).map((user) => user.user_id));
			cursor = answer.json["next_cursor"] as string | null;
			assert.is(answer.json["has_more"], cursor !== null);
			if (page === 0) await api.userWith("viewer");
			if (!cursor) break;
		}
		assert.equal(seen.slice(0, expected.length), expected);
		assert.is(new Set(seen).size, seen.length);
		assert.is((await api.call("GET", "/api/v1/admin/users?cursor=nonsense", { token })).status, 422);
		assert.is((await api.call("GET", "/api/v1/admin/users?limit=0", { token })).status, 422);
		assert.is((await api.call("GET", "/api/v1/admin/users?limit=101", { token })).status, 422);
	}),
);

test(
	"changes take effect at the user's next request",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const answer = await patch(user.user_id, {
			strategy_ids: ["ai_scalping_strategy", "ai_spot_momentum_strategy"],
			premium_welcome: true,
			role: "viewer",
		});
		assert.is(answer.status, 200);
		const view = answer.json["user"] as Record<string, unknown>;
		assert.equal(view["strategy_ids"], ["ai_spot_momentum_strategy", "ai_scalping_strategy"]);
		assert.is(view["premium_welcome"], true);
		assert.is(view["role"], "viewer");
		const portfolio = await api.call("PUT", "/api/v1/portfolio", {
			token: user.token,
			body: { positions: [], cash_usd: 1 },
		});
		assert.is(portfolio.status, 403);
		const mine = await api.call("GET", "/api/v1/strategies/my-portfolio", { token: user.token });
		assert.is(mine.json["total_strategies"], 2);
		await patch(user.user_id, { new_password: "set by the administrator" });
		assert.is((await api.call("GET", "/api/v1/auth/me", { token: user.token })).json["code"], "token_revoked");
		assert.ok(await api.login(user.email, "set by the administrator"));
		const unknown = await patch("00000000-0000-4000-8000-000000000000", { role: "viewer" });
		assert.is(unknown.json["code"], "user_not_found");
		assert.is((await patch("not-an-id", {})).json["code"], "user_not_found");
		assert.is((await patch(user.user_id, { role: "root" })).status, 422);
	}),
);

test(
	"the last active admin stays, however many try at once",
	within(10000, async () => {
		const lone = await startWorld();
		const other = await lone.second();
		const admin = await lone.api.login();
		const [rootId, rootToken] = [String(admin["user_id"]), String(admin["access_token"])];
		const change = (process: TestApi, userId: string, body: unknown) =>
			process.call("PATCH", `/api/v1/admin/users/${userId}`, { token: rootToken, body });
		for (const body of [{ role: "trader" }, { status: "inactive" }]) {
			const answer = await change(lone.api, rootId, body);
			assert.is(answer.status, 422);
			assert.is(answer.json["code"], "validation_failed");
		}
		const extra = await Promise.all(Array.from({ length: 3 }, () => lone.api.userWith("admin")));
		const ids = [rootId, ...extra.map((user) => user.user_id)];
		await Promise.all(
			ids.map((id, i) => change(i % 2 ? lone.api : other, id, i % 2 ? { role: "viewer" } : { status: "suspended" })),
		);
		assert.is(await lone.api.users.accounts.activeAdmins(), 1);
		const accounts = await Promise.all(ids.map((id) => lone.api.users.accounts.byId(id)));
		assert.is(accounts.filter((account) => account?.role === "admin" && account.status === "active").length, 1);
		await lone.stop();
	}),
);

test(
	"the first admin is made once and keeps its password",
	within(8000, async () => {
		const lone = await startWorld();
		const admins = firstAdmin(lone.api.users);
		assert.is(await admins.hasAdmin(), true);
		const again = await Promise.all(
			Array.from({ length: 4 }, () => admins.createFirstAdmin(ADMIN.email, "another password")),
		);
		assert.equal(new Set(again), new Set([false]));
		assert.ok(await lone.api.login());
		const races = await Promise.all(
			Array.from({ length: 6 }, () => admins.createFirstAdmin("first@example.com", PASSWORD)),
		);
		assert.is(races.filter((made) => made).length, 1);
		assert.is(await lone.api.users.accounts.activeAdmins(), 2);
		await lone.stop();
	}),
);

test.run();
