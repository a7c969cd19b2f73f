import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createVault, type SealedFor } from "../../src/accounts/vault.ts";
import { systemEntropy } from "../../src/entropy.ts";

const test = suite("accounts/vault");

const OLD = "an older sealing key of thirty-two bytes";
const NEW = "a newer sealing key of thirty-two bytes!";
const owner: SealedFor = { user_id: "user-1", account_id: "account-1", exchange: "binance" };
const credentials = { api_key: "the key itself", secret: "the secret itself", password: null };

test("what is sealed opens for its owner, and looks like nothing that was sealed", () => {
	const vault = createVault([NEW], systemEntropy);
	fc.assert(
		fc.property(fc.string(), fc.string(), fc.option(fc.string()), (api_key, secret, password) => {
			const envelope = vault.seal(owner, { api_key, secret, password });
			assert.equal(vault.open(owner, envelope), { api_key, secret, password });
		}),
		{ numRuns: 50 },
	);
	const [one, two] = [vault.seal(owner, credentials), vault.seal(owner, credentials)];
	assert.is.not(one, two, "each envelope has a nonce of its own");
	for (const part of [credentials.api_key, credentials.secret, NEW]) {
		for (const form of [part, Buffer.from(part).toString("base64url"), Buffer.from(part).toString("hex")])
			assert.not.ok(one.includes(form));
	}
});

test("an envelope moved to another user, account or exchange does not open", () => {
	const vault = createVault([NEW], systemEntropy);
	const envelope = vault.seal(owner, credentials);
	for (const other of [{ user_id: "user-2" }, { account_id: "account-2" }, { exchange: "kraken" }])
		assert.is(vault.open({ ...owner, ...other }, envelope), null, JSON.stringify(other));
	// The parts are bound one by one: shifting a character between them does not help.
	assert.is(vault.open({ ...owner, user_id: "user-", account_id: "1account-1" }, envelope), null);
});

test("one changed bit anywhere, a cut or another text does not open", () => {
	const vault = createVault([NEW], systemEntropy);
	const envelope = vault.seal(owner, credentials);
	const [version, id, body = ""] = envelope.split(".");
	const bytes = Buffer.from(body, "base64url");
	for (let at = 0; at < bytes.length; at++) {
		const changed = Buffer.from(bytes);
		changed[at] = (changed[at] ?? 0) ^ 1;
		assert.is(vault.open(owner, `${version}.${id}.${changed.toString("base64url")}`), null, `byte ${at}`);
	}
	for (const bad of [
		"",
		"v1",
		"v1..",
		`v1.${id}.`,
		`v2.${id}.${body}`,
		envelope.slice(0, -8),
		`${version}.000000000000.${body}`,
	])
		assert.is(vault.open(owner, bad), null, bad);
});

test("an envelope of an earlier version opens", () => {
	const vault = createVault([NEW], systemEntropy);
	const envelope =
		"v1.e2428e1e518d.Dw8PDw8PDw8PDw8P6mie1-LLlfL9GGLXEmyaYUafB-k1zlg1QoVyZ2YaaQ8hGcInvmPpfFj8LynE6CEyxh7FA1QR4LhKlmkli" +
		"-00A0_09upn3SRDdeUWYaehqSDw7itdScYWcp4";
	assert.equal(vault.open(owner, envelope), credentials);
	assert.ok(vault.isCurrent(envelope));
	assert.is(createVault([NEW], { hex: (bytes) => "0f".repeat(bytes) }).seal(owner, credentials), envelope);
});

test("several keys: the first seals, all open, and a resealed envelope needs the first alone", () => {
	const old = createVault([OLD], systemEntropy);
	const both = createVault([NEW, OLD], systemEntropy);
	const only = createVault([NEW], systemEntropy);
	const envelope = old.seal(owner, credentials);
	assert.is(both.isCurrent(envelope), false);
	assert.equal(both.open(owner, envelope), credentials);
	assert.is(only.open(owner, envelope), null);
	assert.is(only.reseal(owner, envelope), null);
	const resealed = both.reseal(owner, envelope) ?? "";
	assert.ok(both.isCurrent(resealed));
	assert.equal(only.open(owner, resealed), credentials);
	assert.is(old.open(owner, resealed), null);
	assert.is(both.reseal({ ...owner, user_id: "user-2" }, envelope), null);
});

test.run();
