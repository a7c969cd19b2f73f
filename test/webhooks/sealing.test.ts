import { suite } from "uvu";
import * as assert from "uvu/assert";
import { usersWith } from "../../src/accounts/rotation.ts";
import { createVault } from "../../src/accounts/vault.ts";
import { systemEntropy } from "../../src/entropy.ts";
import type { SecretBox, WebhookOwner } from "../../src/services.ts";
import type { WebhookStore } from "../../src/webhooks/contract.ts";
import { WEBHOOKS_GLOB } from "../../src/webhooks/keys.ts";
import { plainBox } from "../../src/webhooks/plain-box.ts";
import { rotateWebhooks } from "../../src/webhooks/rotation.ts";
import { createSealingBox } from "../../src/webhooks/sealing-box.ts";
import { createWebhookBook, WEBHOOKS_MAX } from "../../src/webhooks/webhook-book.ts";
import { formsOf } from "../support/secrets.ts";
import { testLogger } from "../support/store.ts";
import { client, closeNews, openNews, SECRET, START_MS, time, userWith, webhooks } from "../support/webhook-news.ts";

/** Secrets of webhooks under keys of the operator, and under new ones. */
const test = suite("webhooks: sealed secrets");
test.before(openNews);
test.after(closeNews);
test.before.each(async () => {
	time.nowMs = START_MS;
	await client.flushdb();
});

const OLD = "an older sealing key of thirty-two bytes";
const NEW = "a newer sealing key of thirty-two bytes!";
const owner: WebhookOwner = { user_id: "user-1", webhook_id: "webhook_1" };
const [older, both, newer] = [[OLD], [NEW, OLD], [NEW]].map(([first = "", ...others]) =>
	createSealingBox([first, ...others], systemEntropy),
) as [Box, Box, Box];
type Box = ReturnType<typeof createSealingBox>;

test("a sealed secret opens for its own webhook alone and shows nothing of itself", () => {
	const sealed = newer.seal(owner, SECRET);
	assert.is(newer.open(owner, sealed), SECRET);
	assert.is.not(newer.seal(owner, SECRET), sealed, "each has a nonce of its own");
	for (const form of formsOf(SECRET)) assert.not.ok(sealed.includes(form), form);
	for (const other of [{ user_id: "user-2" }, { webhook_id: "webhook_2" }])
		assert.throws(() => newer.open({ ...owner, ...other }, sealed), /no configured key opens/);
	assert.throws(() => newer.open({ user_id: "user-1w", webhook_id: "ebhook_1" }, sealed), /no configured key opens/);
	assert.throws(() => older.open(owner, sealed), /no configured key opens/);
	assert.throws(() => plainBox.open(owner, sealed), /not configured/);
});

test("a secret kept as it is opens with and without a key, and is sealed by the way", () => {
	const kept = plainBox.seal(owner, SECRET);
	assert.equal([plainBox.open(owner, kept), newer.open(owner, kept)], [SECRET, SECRET]);
	assert.is(newer.isCurrent(kept), false);
	const sealed = newer.reseal(owner, kept) ?? "";
	assert.ok(newer.isCurrent(sealed));
	assert.is(newer.open(owner, sealed), SECRET);
});

test("exchange keys and webhook secrets do not open as each other", () => {
	const vault = createVault([NEW], systemEntropy);
	const account = { user_id: owner.user_id, account_id: owner.webhook_id, exchange: "" };
	const sealed = newer.seal(owner, JSON.stringify({ api_key: "k", secret: "s", password: null }));
	assert.is(vault.open(account, sealed), null);
	assert.is(vault.isCurrent(sealed), false, "the keys are derived apart");
});

const rotate = (store: Pick<WebhookStore, "list" | "read" | "save">, box: Box) =>
	rotateWebhooks(usersWith(client, WEBHOOKS_GLOB), store, box);

async function users(...boxes: SecretBox[]) {
	const events = [["scan.completed"], ["scan.failed"]] as const;
	return Promise.all(boxes.map((box) => userWith(events, box)));
}

async function secretsWith(box: SecretBox, made: Awaited<ReturnType<typeof users>>): Promise<string[]> {
	const all = made.map(async ({ user }) =>
		(await webhooks().list(user)).map((hook) => box.open({ ...hook, user_id: user }, hook.secret)),
	);
	return (await Promise.all(all)).flat();
}

test("the rotation seals all secrets anew, may be ended and begun again, and counts what it cannot open", async () => {
	const made = await users(older, plainBox, newer);
	const store = webhooks();
	// A walk that dies after its first write: the next one does the rest.
	let writes = 0;
	const dying = {
		...store,
		save: async (...args: Parameters<typeof store.save>) => {
			if (writes++ > 0) throw new Error("killed");
			return store.save(...args);
		},
	};
	await rotate(dying, both).then(
		() => assert.unreachable(),
		(error: Error) => assert.is(error.message, "killed"),
	);
	assert.equal(await rotate(store, both), { resealed: 3, current: 3, unreadable: 0 });
	assert.equal(await rotate(store, both), { resealed: 0, current: 6, unreadable: 0 });
	assert.equal(await secretsWith(newer, made), Array(6).fill(SECRET));
	for (const { user, hooks } of made)
		assert.equal(
			(await store.list(user)).map(({ secret: _, ...rest }) => rest),
			hooks.map(({ secret: _, ...rest }) => rest),
			"nothing but the secret has changed",
		);
	assert.equal(await rotate(store, older), { resealed: 0, current: 0, unreadable: 6 });
	assert.equal(await secretsWith(newer, made), Array(6).fill(SECRET), "what does not open is left as it is");
});

test("webhooks that are changed or deleted under the rotation are neither reverted nor brought back", async () => {
	const [one] = await users(older);
	const [changed, deleted] = one?.hooks ?? [];
	if (!one || !changed || !deleted) throw new Error("two webhooks");
	const store = webhooks();
	const url = "https://hooks.example.com/elsewhere";
	const busy = {
		...store,
		// Each webhook is touched by its owner between the walk's look and its write.
		save: async (...[user, hook, before, limit]: Parameters<typeof store.save>) => {
			if (hook.webhook_id === deleted.webhook_id) await store.remove(user, hook.webhook_id);
			else if (before && before.url !== url) await store.save(user, { ...before, url }, before, WEBHOOKS_MAX);
			return store.save(user, hook, before, limit);
		},
	};
	const { unreadable } = await rotate(busy, both);
	assert.is(unreadable, 0);
	const [left, ...others] = await store.list(one.user);
	assert.equal([left?.webhook_id, left?.url, others], [changed.webhook_id, url, []]);
	assert.equal(await secretsWith(newer, [one]), [SECRET]);
});

test("an owner whose change meets the rotation's write keeps both", async () => {
	const [one] = await users(older);
	const [before] = one?.hooks ?? [];
	if (!one || !before) throw new Error("a webhook");
	const rotations: unknown[] = [];
	const book = createWebhookBook({
		store: webhooks(),
		hints: { deliver: async () => undefined, forget: async () => undefined },
		box: both,
		// Asked between the look at the webhook and the write of it.
		async checkUrl(text) {
			rotations.push((await rotate(webhooks(), both)).resealed);
			return text;
		},
		dropFromSchedules: async () => undefined,
		now: () => time.nowMs,
		newId: () => "",
		newSecret: () => "",
		log: testLogger(),
	});
	const url = "https://hooks.example.com/elsewhere";
	await book.change(one.user, before.webhook_id, { url });
	assert.equal(rotations, [2, 0], "the change looked again and found the new envelope");
	assert.is((await webhooks().read(one.user, before.webhook_id))?.url, url);
	assert.equal(await secretsWith(newer, [one]), [SECRET, SECRET]);
});

test.run();
