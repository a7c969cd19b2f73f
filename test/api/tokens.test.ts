import { createHmac } from "node:crypto";
import { SignJWT } from "jose";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createSigningKeys } from "../../src/accounts/tokens.ts";
import { SECRET, startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;

const OTHER_SECRET = "another secret of thirty-two bytes, newer";

const test = suite("API: token edge cases");
test.before(async () => {
	world = await startWorld();
	api = world.api;
});
test.after(() => world.stop());

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function forge(claims: object, header: object = { alg: "HS256", typ: "JWT" }, secret = SECRET): string {
	const signed = `${base64(header)}.${base64(claims)}`;
	return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const claimsOf = (token: string): Record<string, unknown> =>
	JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
const codeOf = async (token: string): Promise<unknown> =>
	(await api.call("GET", "/api/v1/auth/me", { token })).json["code"];

test(
	"tokens carry the claims of the contract",
	within(5000, async () => {
		const user = await api.userWith("trader");
		const access = claimsOf(user.token);
		assert.equal(Object.keys(access).sort(), ["email", "exp", "iat", "jti", "role", "sid", "sub", "tenant_id", "type"]);
		assert.is(Number(access["exp"]) - Number(access["iat"]), 8 * 3600);
		assert.is(access["type"], "access");
		const refresh = claimsOf(user.refresh);
		assert.equal(Object.keys(refresh).sort(), ["exp", "iat", "jti", "sid", "sub", "type"]);
		assert.is(Number(refresh["exp"]) - Number(refresh["iat"]), 30 * 24 * 3600);
		assert.is(refresh["sid"], access["sid"]);
	}),
);

test(
	"a token that is not exactly ours is refused with its code",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const good = claimsOf(user.token);
		const { exp: _exp, ...endless } = good;
		assert.is(await codeOf(forge(good)), undefined);
		assert.is(await codeOf(forge(endless)), "token_invalid");
		assert.is(await codeOf(`${base64({ alg: "none", typ: "JWT" })}.${base64(good)}.`), "token_invalid");
		assert.is(await codeOf(forge(good, { alg: "HS512", typ: "JWT" })), "token_invalid");
		assert.is(await codeOf(forge(good, { alg: "HS256" }, OTHER_SECRET)), "token_invalid");
		assert.is(await codeOf(forge({ ...good, exp: 1_700_000_000 })), "token_expired");
		assert.is(await codeOf(forge({ ...good, type: "refresh" })), "token_invalid");
		assert.is(await codeOf(forge({ ...good, sub: "x:{y}" })), "token_invalid");
		assert.is(await codeOf(forge({ ...good, role: "root" })), "token_invalid");
		assert.is(await codeOf(forge({ ...good, sid: "another login" })), "token_revoked");
		assert.is(await codeOf(forge({ ...good, sub: "00000000-0000-4000-8000-000000000000" })), "token_revoked");
		assert.is(await codeOf(user.refresh), "token_invalid");
		assert.is(await codeOf("abc"), "authentication_required");
		assert.is(await codeOf("a.b.c"), "token_invalid");
	}),
);

test(
	"an access token is never a refresh token; a broken one is 401, an empty one 422",
	within(5000, async () => {
		const user = await api.userWith("trader");
		const refresh = async (refresh_token: unknown) => {
			const answer = await api.call("POST", "/api/v1/auth/refresh", { body: { refresh_token } });
			return `${answer.status} ${answer.json["code"]}`;
		};
		assert.is(await refresh(user.token), "401 token_invalid");
		assert.is(await refresh("a.b.c"), "401 token_invalid");
		assert.is(await refresh(""), "422 validation_failed");
		assert.is(await refresh(7), "422 validation_failed");
		const { exp: _exp, ...endless } = claimsOf(user.refresh);
		assert.is(await refresh(forge(endless)), "401 token_invalid");
		assert.is(await refresh(forge({ ...claimsOf(user.refresh), exp: 1_700_000_000 })), "401 token_expired");
	}),
);

test(
	"a role in a token is not believed: the account's role now decides",
	within(5000, async () => {
		const user = await api.userWith("viewer");
		const claims = { ...claimsOf(user.token), role: "admin" };
		assert.is((await api.call("GET", "/api/v1/admin/users", { token: forge(claims) })).status, 403);
		await api.users.accounts.patch(user.user_id, { role: "admin" });
		assert.is((await api.call("GET", "/api/v1/admin/users", { token: user.token })).status, 200);
		await api.users.accounts.patch(user.user_id, { status: "inactive" });
		assert.is(await codeOf(user.token), "token_revoked");
		await api.users.accounts.patch(user.user_id, { status: "active" });
		assert.is(await codeOf(user.token), "token_revoked");
	}),
);

test(
	"a rotated secret logs nobody out; the new one signs, an unlisted one is refused",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const rotated = await world.second({ users: { jwtSecrets: [OTHER_SECRET, SECRET] } });
		assert.is((await rotated.call("GET", "/api/v1/auth/me", { token: user.token })).status, 200);
		const fresh = await rotated.userWith("trader");
		const [signing] = createSigningKeys([OTHER_SECRET]);
		assert.is(JSON.parse(Buffer.from(fresh.token.split(".")[0] ?? "", "base64url").toString())["kid"], signing.kid);
		assert.is(await codeOf(fresh.token), "token_invalid");
		const expired = await new SignJWT({ ...claimsOf(user.token), exp: 1_700_000_000 })
			.setProtectedHeader({ alg: "HS256" })
			.sign(createSigningKeys([SECRET])[0].key);
		assert.ok(
			["token_expired", "token_invalid"].includes(
				String((await rotated.call("GET", "/api/v1/auth/me", { token: expired })).json["code"]),
			),
		);
		const refreshed = await rotated.call("POST", "/api/v1/auth/refresh", { body: { refresh_token: user.refresh } });
		assert.is(refreshed.status, 200);
	}),
);

test(
	"a remembered token expires with its exp, on the clock of the process",
	within(8000, async () => {
		let nowMs = Date.parse("2026-05-01T00:00:00.000Z");
		const clock = {
			now: () => nowMs,
			setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
			clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
		};
		const timed = await world.second({ users: { clock, storeNow: () => String(nowMs) } });
		const user = await timed.userWith("trader");
		const me = async () => (await timed.call("GET", "/api/v1/auth/me", { token: user.token })).json["code"];
		assert.is(await me(), undefined);
		nowMs += 8 * 3600 * 1000 - 1000;
		assert.is(await me(), undefined);
		nowMs += 1000;
		assert.is(await me(), "token_expired");
		nowMs += 30 * 24 * 3600 * 1000;
		const late = await timed.call("POST", "/api/v1/auth/refresh", { body: { refresh_token: user.refresh } });
		assert.is(late.json["code"], "token_expired");
	}),
);

test(
	"after the grace a used refresh token ends the login; a race of many gives one successor",
	within(8000, async () => {
		let nowMs = Date.parse("2026-05-01T00:00:00.000Z");
		const clock = {
			now: () => nowMs,
			setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
			clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
		};
		const own = { users: { clock, storeNow: () => String(nowMs), refreshGraceMs: 10_000 } };
		const [one, two] = [await world.second(own), await world.second(own)];
		const user = await one.userWith("trader");
		const refresh = (process: TestApi, refresh_token: string) =>
			process.call("POST", "/api/v1/auth/refresh", { body: { refresh_token } });
		const race = await Promise.all(Array.from({ length: 16 }, (_, i) => refresh(i % 2 ? one : two, user.refresh)));
		assert.is(new Set(race.map((answer) => answer.json["refresh_token"])).size, 1);
		nowMs += 10_000;
		assert.is((await refresh(two, user.refresh)).status, 200);
		nowMs += 1;
		assert.is((await refresh(two, user.refresh)).json["code"], "refresh_token_reused");
		assert.is((await refresh(one, String(race[0]?.json["refresh_token"]))).json["code"], "token_revoked");
	}),
);

test("short secrets are refused at start", () => {
	assert.throws(() => createSigningKeys(["too short"]), /32 bytes/);
	assert.throws(() => createSigningKeys([]), /at least one/);
});

test.run();
