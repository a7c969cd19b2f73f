import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ADMIN, PASSWORD, startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;

const test = suite("API: login, tokens, own account");
test.before(async () => {
	world = await startWorld();
	api = world.api;
});
test.after(() => world.stop());

test(
	"a login answers compact JSON with tokens, role and permissions",
	within(8000, async () => {
		const answer = await api.call("POST", "/api/v1/auth/login", {
			body: { ...ADMIN, tenant_id: "x", remember_me: true, mfa_code: "1" },
		});
		assert.is(answer.status, 200);
		assert.match(
			answer.text,
			/^\{"access_token":"[^"]+","refresh_token":"[^"]+","token_type":"bearer","expires_in":28800,/,
		);
		assert.is(answer.json["role"], "admin");
		assert.is(answer.json["tenant_id"], "");
		assert.is((answer.json["permissions"] as string[]).length, 13);
		assert.is(answer.headers["cache-control"], "no-store");
		const me = await api.call("GET", "/api/v1/auth/me", { token: String(answer.json["access_token"]) });
		assert.is(me.status, 200);
		assert.is(me.json["email"], ADMIN.email);
		assert.is(me.json["mfa_enabled"], false);
		assert.ok(me.json["last_login"]);
	}),
);

test(
	"F14: login answers 401, 403, 422 as defined",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const login = (body: unknown) => api.call("POST", "/api/v1/auth/login", { body });
		const unknown = await login({ email: "nobody@example.com", password: PASSWORD });
		const wrong = await login({ email: user.email, password: "not the password" });
		assert.is(unknown.status, 401);
		assert.is(wrong.status, 401);
		for (const answer of [unknown, wrong]) {
			assert.is(answer.json["code"], "invalid_credentials");
			assert.is(answer.headers["www-authenticate"], "Bearer");
		}
		assert.is(unknown.json["detail"], wrong.json["detail"]);
		await api.users.accounts.patch(user.user_id, { status: "suspended" });
		const inactive = await login({ email: user.email, password: PASSWORD });
		assert.is(inactive.status, 403);
		assert.is(inactive.json["code"], "account_inactive");
		assert.is((await login({ email: user.email, password: "still not it" })).status, 401);
		const short = await login({ email: "x", password: "short" });
		assert.is(short.status, 422);
		assert.equal(
			(short.json["errors"] as { path: string }[]).map((error) => error.path),
			["body.email", "body.password"],
		);
		assert.is((await login({})).status, 422);
	}),
);

test(
	"F14: a fresh refresh token works once, and its repeat inside the grace gives the same successor",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const refresh = (token: string) => api.call("POST", "/api/v1/auth/refresh", { body: { refresh_token: token } });
		const [one, two] = await Promise.all([refresh(user.refresh), refresh(user.refresh)]);
		assert.is(one.status, 200);
		assert.is(one.json["success"], true);
		assert.is(one.json["refresh_token"], two.json["refresh_token"]);
		const { tokens, success: _success, ...four } = one.json;
		assert.equal(tokens, four);
		const next = await refresh(String(one.json["refresh_token"]));
		assert.is(next.status, 200);
		assert.is.not(next.json["refresh_token"], one.json["refresh_token"]);
		const reused = await refresh(user.refresh);
		assert.is(reused.status, 401);
		assert.is(reused.json["code"], "refresh_token_reused");
		// Reuse ends the whole login: the newest tokens are dead as well.
		const after = await refresh(String(next.json["refresh_token"]));
		assert.is(after.json["code"], "token_revoked");
		const me = await api.call("GET", "/api/v1/auth/me", { token: String(next.json["access_token"]) });
		assert.is(me.json["code"], "token_revoked");
	}),
);

test(
	"logout ends the login on every process at once and may be repeated",
	within(8000, async () => {
		const other = await world.second();
		const user = await api.userWith("trader");
		assert.is((await other.call("GET", "/api/v1/auth/me", { token: user.token })).status, 200);
		for (const process of [api, other, api]) {
			const answer = await process.call("POST", "/api/v1/auth/logout", { token: user.token });
			assert.is(answer.status, 200);
			assert.is(answer.json["success"], true);
		}
		const me = await other.call("GET", "/api/v1/auth/me", { token: user.token });
		assert.is(me.status, 401);
		assert.is(me.json["code"], "token_revoked");
		const refresh = await other.call("POST", "/api/v1/auth/refresh", { body: { refresh_token: user.refresh } });
		assert.is(refresh.json["code"], "token_revoked");
	}),
);

test(
	"a new password ends the user's other logins and keeps this one",
	within(8000, async () => {
		const user = await api.userWith("viewer");
		const second = await api.login(user.email, PASSWORD);
		const change = (body: unknown) => api.call("POST", "/api/v1/auth/password", { token: user.token, body });
		assert.is(
			(await change({ current_password: "wrong", new_password: "another long one" })).json["code"],
			"invalid_credentials",
		);
		assert.is((await change({ current_password: PASSWORD, new_password: "short" })).status, 422);
		assert.is((await change({ current_password: PASSWORD, new_password: "another long one" })).status, 200);
		assert.is((await api.call("GET", "/api/v1/auth/me", { token: user.token })).status, 200);
		assert.is(
			(await api.call("GET", "/api/v1/auth/me", { token: second["access_token"] })).json["code"],
			"token_revoked",
		);
		assert.is(
			(await api.call("POST", "/api/v1/auth/login", { body: { email: user.email, password: PASSWORD } })).status,
			401,
		);
		assert.ok(await api.login(user.email, "another long one"));
	}),
);

test(
	"registration onboards, logs in, and is refused where it is closed, whatever the body",
	within(8000, async () => {
		const answer = await api.call("POST", "/api/v1/auth/register", {
			body: { email: "New.User@Example.com", password: PASSWORD, full_name: "New User" },
		});
		assert.is(answer.status, 201);
		const user = answer.json["user"] as Record<string, string>;
		assert.is(user["email"], "new.user@example.com");
		assert.is(user["role"], "trader");
		const tokens = answer.json["tokens"] as Record<string, string>;
		const me = await api.call("GET", "/api/v1/auth/me", { token: tokens["access_token"] });
		assert.is(me.json["full_name"], "New User");
		assert.is((await api.users.credits.summary(String(user["id"]))).balance, 25);
		const onboard = await api.call("POST", "/api/v1/opportunities/onboard", { token: tokens["access_token"] });
		assert.is(onboard.json["already_onboarded"], true);
		const taken = await api.call("POST", "/api/v1/auth/register", {
			body: { email: "new.user@example.com", password: PASSWORD },
		});
		assert.is(taken.json["code"], "email_taken");
		const closed = await world.second({ config: { registrationOpen: false } });
		const refused = await closed.call("POST", "/api/v1/auth/register", { body: {} });
		assert.is(refused.status, 403);
		assert.is(refused.json["code"], "registration_closed");
	}),
);

test(
	"five failures close the login for the address and account, on every process; success clears the count",
	within(10000, async () => {
		const other = await world.second();
		const user = await api.userWith("trader");
		const attempt = (process: TestApi, password: string) =>
			process.call("POST", "/api/v1/auth/login", { body: { email: user.email, password } });
		for (let i = 0; i < 4; i += 1) assert.is((await attempt(i % 2 ? api : other, "wrong password")).status, 401);
		assert.is((await attempt(api, PASSWORD)).status, 200);
		// The count starts again; twelve guesses at once on two processes get no further than five.
		const guesses = await Promise.all(
			Array.from({ length: 12 }, (_, i) => attempt(i % 2 ? api : other, "wrong password")),
		);
		assert.is(guesses.filter((answer) => answer.status === 401).length, 5);
		const refused = guesses.filter((answer) => answer.status === 429);
		assert.is(refused.length, 7);
		for (const answer of refused) {
			assert.is(answer.json["code"], "login_rate_limited");
			assert.ok(Number(answer.headers["retry-after"]) >= 1);
			assert.is(answer.json["retry_after_seconds"], Number(answer.headers["retry-after"]));
		}
		assert.is((await attempt(other, PASSWORD)).status, 429);
		// Another account from the same address is not touched.
		assert.is((await api.call("POST", "/api/v1/auth/login", { body: ADMIN })).status, 200);
	}),
);

test(
	"many correct logins of one account at once all succeed",
	within(10000, async () => {
		const user = await api.userWith("trader");
		const logins = await Promise.all(
			Array.from({ length: 20 }, () =>
				api.call("POST", "/api/v1/auth/login", { body: { email: user.email, password: PASSWORD } }),
			),
		);
		assert.equal([...new Set(logins.map((answer) => answer.status))], [200]);
	}),
);

test.run();
