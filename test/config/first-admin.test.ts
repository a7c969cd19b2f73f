import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemEntropy } from "../../src/entropy.ts";
import { type AdminAccounts, ensureFirstAdmin } from "../../src/first-admin.ts";

const test = suite("first admin");

function fakeAccounts(): AdminAccounts & { created: [string, string][] } {
	const created: [string, string][] = [];
	return {
		created,
		hasAdmin: async () => created.length > 0,
		createFirstAdmin: async (email, password) => {
			if (created.length > 0) return false;
			created.push([email, password]);
			return true;
		},
	};
}

test("a made password is shown once and not again after a restart", async () => {
	const accounts = fakeAccounts();
	const shown: string[] = [];
	const config = { adminEmail: "admin@lookout.local", adminPassword: null };
	const start = () => ensureFirstAdmin(accounts, config, systemEntropy, (text) => shown.push(text));
	assert.is(await start(), "created");
	assert.is(await start(), "kept");
	assert.is(shown.length, 1);
	assert.ok(shown[0]?.includes(accounts.created[0]?.[1] ?? "missing"));
});

test("a configured password is used and never shown", async () => {
	const accounts = fakeAccounts();
	const shown: string[] = [];
	const config = { adminEmail: "a@b", adminPassword: "chosen password" };
	await ensureFirstAdmin(accounts, config, systemEntropy, (text) => shown.push(text));
	assert.equal(accounts.created, [["a@b", "chosen password"]]);
	assert.equal(shown, []);
});

test("of processes that start together only the one that created the admin shows a password", async () => {
	const accounts = { ...fakeAccounts(), hasAdmin: async () => false };
	const shown: string[] = [];
	const config = { adminEmail: "a@b", adminPassword: null };
	const start = () => ensureFirstAdmin(accounts, config, systemEntropy, (text) => shown.push(text));
	const ends = await Promise.all([start(), start(), start()]);
	assert.equal(ends.sort(), ["created", "kept", "kept"]);
	assert.is(shown.length, 1);
	assert.ok(shown[0]?.includes(accounts.created[0]?.[1] ?? "missing"));
});

test.run();
