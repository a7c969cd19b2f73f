/** Exchange accounts over HTTP, and what they add to the portfolio. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Users } from "../../src/accounts/users.ts";
import { accountRoutesOn } from "../support/account-routes.ts";
import { type Answer, startWorld, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
type Json = Record<string, unknown>;
const test = suite("API: exchange accounts");

let world: World;
let users: Users;
test.before(async () => {
	world = await startWorld({ deps: { routes: accountRoutesOn(() => users) } });
	users = world.api.users;
});
test.after(() => world.stop());

async function caller(role: "trader" | "viewer" = "trader") {
	const { token, user_id } = await world.api.userWith(role);
	const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
		world.api.call(method, `/api/v1${path}`, { token, body, headers });
	const add = (name: string, more: Json = {}) =>
		call("POST", "/portfolio/accounts", {
			exchange: "binance",
			api_key: `${name}-key-1234`,
			secret: `${name}-secret`,
			...more,
		});
	return { call, add, user_id };
}
const accountOf = (answer: Answer): Json => answer.json["account"] as Json;

test(
	"POST 201, GET list and one, PATCH, DELETE 200 with the deleted object; the key never comes back",
	within(8_000, async () => {
		const { call, add } = await caller();
		const made = await add("first", { label: " Main ", password: "third-part" });
		assert.is(made.status, 201, made.text);
		const account = accountOf(made);
		assert.equal(Object.keys(account), [
			"account_id",
			"exchange",
			"label",
			"key_hint",
			"status",
			"permissions_checked",
			"last_read_at",
			"last_error",
		]);
		assert.equal([account["label"], account["key_hint"], account["status"]], ["Main", "1234", "ok"]);
		const path = `/portfolio/accounts/${account["account_id"]}`;
		const listed = await call("GET", "/portfolio/accounts");
		assert.equal(listed.json, { success: true, accounts: [account] });
		assert.equal((await call("GET", path)).json, { success: true, account });
		const renamed = await call("PATCH", path, { label: null });
		assert.equal(accountOf(renamed), { ...account, label: null });
		const broken = await call("PATCH", path, { api_key: "broken-key-9876", secret: "other-secret" });
		assert.equal((broken.json["errors"] as Json[])[0]?.["path"], "body.api_key");
		assert.equal((await call("GET", path)).json, renamed.json, "a key that is not accepted takes nothing's place");
		const rekeyed = await call("PATCH", path, { api_key: "other-key-9876", secret: "other-secret" });
		assert.equal([accountOf(rekeyed)["status"], accountOf(rekeyed)["key_hint"]], ["ok", "9876"]);
		const deleted = await call("DELETE", path);
		assert.is(deleted.status, 200);
		assert.equal(accountOf(deleted), accountOf(rekeyed));
		assert.is((await call("DELETE", path)).json["code"], "account_not_found");
		for (const { text } of [made, listed, renamed, broken, rekeyed, deleted])
			for (const secret of ["first-key", "first-secret", "third-part", "broken-key", "other-key", "other-secret"])
				assert.not.ok(text.includes(secret), secret);
	}),
);

test(
	"bad entries are refused field by field, without their values",
	within(8_000, async () => {
		const { call, add } = await caller();
		const fieldsOf = (answer: Answer) => (answer.json["errors"] as { path: string }[]).map(({ path }) => path);
		for (const [more, path] of [
			[{ exchange: "no/exchange" }, "body.exchange"],
			[{ exchange: "nowhere" }, "body.exchange"],
			[{ api_key: "with a blank" }, "body.api_key"],
			[{ api_key: "line\r\nX-Other: header" }, "body.api_key"],
			[{ secret: 12_345_678 }, "body.secret"],
			[{ secret: "short" }, "body.secret"],
			[{ label: "x".repeat(101) }, "body.label"],
		] as const) {
			const answer = await add("valid", more);
			assert.is(answer.status, 422, answer.text);
			assert.equal(fieldsOf(answer), [path]);
			assert.not.ok(/valid-(key|secret)|X-Other|12345678/.test(answer.text), answer.text);
		}
		const strong = await add("strong");
		assert.equal([strong.status, strong.json["code"]], [422, "account_key_too_powerful"]);
		assert.equal((await call("GET", "/portfolio/accounts")).json["accounts"], []);
		const { account_id } = accountOf(await add("valid"));
		const half = await call("PATCH", `/portfolio/accounts/${account_id}`, { api_key: "valid-key-5678" });
		assert.equal(fieldsOf(half), ["body.secret"]);
		assert.equal(
			fieldsOf(await call("PATCH", `/portfolio/accounts/${account_id}`, { password: "alone-it-is-nothing" })),
			["body.api_key"],
		);
	}),
);

test(
	"a viewer reads and may not write; another user's account is unknown",
	within(8_000, async () => {
		const [owner, viewer, stranger] = [await caller(), await caller("viewer"), await caller()];
		const path = `/portfolio/accounts/${accountOf(await owner.add("own"))["account_id"]}`;
		assert.is((await viewer.call("GET", "/portfolio/accounts")).status, 200);
		assert.is((await viewer.add("own")).json["code"], "insufficient_permissions");
		for (const [method, body] of [["GET"], ["PATCH", { label: "mine" }], ["DELETE"]] as const)
			assert.is((await stranger.call(method, path, body)).json["code"], "account_not_found", method);
		assert.is((await owner.call("GET", path)).status, 200);
	}),
);

test(
	"GET /portfolio shows them beside what is entered, and sending it back enters nothing twice",
	within(8_000, async () => {
		const { call, add } = await caller();
		const plain = await call("GET", "/portfolio");
		assert.not.ok("accounts" in plain.json, "nothing new for who has none");
		const { account_id } = accountOf(await add("held"));
		await call("PUT", "/portfolio", { positions: [{ symbol: "BTC/USDT", quantity: 2 }], cash_usd: 7 });
		const shown = await call("GET", "/portfolio");
		assert.equal(shown.json["positions"], [
			{ symbol: "BTC/USDT", quantity: 2, entry_price: null },
			{ symbol: "BTC/USDT", quantity: 0.5, entry_price: null, account_id },
		]);
		assert.is(shown.json["cash_usd"], 7, "what was entered; theirs stands with them");
		const [facts] = shown.json["accounts"] as Json[];
		assert.equal([facts?.["account_id"], facts?.["cash_usd"], facts?.["status"]], [account_id, 1_000, "ok"]);
		// A client of old: it reads, changes, and sends all of it.
		const back = await call("PUT", "/portfolio", shown.json, { "if-match": String(shown.headers["etag"]) });
		assert.is(back.status, 200, back.text);
		assert.equal(back.json["positions"], shown.json["positions"]);
		assert.is(back.json["version"], Number(shown.json["version"]) + 1);
		const stale = await call("PUT", "/portfolio", shown.json, { "if-match": String(shown.headers["etag"]) });
		assert.is(stale.json["code"], "precondition_failed");
		const strange = [{ symbol: "ETH/USDT", quantity: 1, account_id: "of-somebody-else" }];
		const refused = await call("PUT", "/portfolio", { positions: strange, cash_usd: 0 });
		assert.equal((refused.json["errors"] as Json[])[0]?.["path"], "body.positions.0.account_id");
		const twice = [...(shown.json["positions"] as Json[]), { symbol: "BTC/USDT", quantity: 1 }];
		assert.is((await call("PUT", "/portfolio", { positions: twice, cash_usd: 0 })).status, 422, "entered twice");
		await call("DELETE", `/portfolio/accounts/${account_id}`);
		const after = await call("GET", "/portfolio");
		assert.is((after.json["positions"] as Json[]).length, 1);
		assert.is.not(after.headers["etag"], back.headers["etag"]);
	}),
);

test(
	"a reading changes the tag of GET and leaves the guard of PUT as it was",
	within(8_000, async () => {
		const { call, add, user_id } = await caller();
		await add("tagged");
		const first = await call("GET", "/portfolio");
		const tag = String(first.headers["etag"]);
		assert.is((await call("GET", "/portfolio", undefined, { "if-none-match": tag })).status, 304);
		const [account] = await users.exchangeAccounts.list(user_id);
		if (!account?.state.held) throw new Error("it was read");
		const held = { ...account.state.held, cash_usd: 5 };
		await users.exchangeAccounts.note(user_id, account, held.as_of_ms + 1, { ...account.state, held });
		const second = await call("GET", "/portfolio", undefined, { "if-none-match": tag });
		assert.is(second.status, 200);
		assert.is.not(second.headers["etag"], tag);
		assert.is((await call("PUT", "/portfolio", { positions: [], cash_usd: 1 }, { "if-match": tag })).status, 200);
	}),
);

test.run();
