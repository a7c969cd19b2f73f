import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveAccountsKeys, resolveJwtSecrets } from "../../src/config/secrets.ts";
import { ConfigError } from "../../src/config.ts";
import { systemEntropy } from "../../src/entropy.ts";

const test = suite<{ dir: string }>("secrets", { dir: "" });
test.before.each(async (context) => {
	context.dir = await mkdtemp(join(tmpdir(), "secrets-"));
});
test.after.each(async (context) => {
	await rm(context.dir, { recursive: true, force: true });
});

test("a configured list is used as it is and leaves no file", async ({ dir }) => {
	const dataDir = join(dir, "data");
	assert.equal(await resolveJwtSecrets({ jwtSecrets: ["a", "b"], dataDir }, systemEntropy), ["a", "b"]);
	assert.equal(await readdir(dir), []);
});

test("a made secret is long, kept with mode 0600, and found again", async ({ dir }) => {
	const config = { jwtSecrets: null, dataDir: join(dir, "deep", "data") };
	const first = await resolveJwtSecrets(config, systemEntropy);
	assert.ok(Buffer.byteLength(first[0] ?? "") >= 32);
	assert.equal(await resolveJwtSecrets(config, systemEntropy), first);
	assert.is((await stat(join(config.dataDir, "jwt-secret"))).mode & 0o777, 0o600);
});

test("simultaneous first starts agree on one secret", async ({ dir }) => {
	const config = { jwtSecrets: null, dataDir: dir };
	const made = await Promise.all(Array.from({ length: 20 }, () => resolveJwtSecrets(config, systemEntropy)));
	assert.is(new Set(made.map(([secret]) => secret)).size, 1);
	assert.equal(await readdir(dir), ["jwt-secret"]);
});

test("a damaged secret file is reported, not replaced", async ({ dir }) => {
	await writeFile(join(dir, "jwt-secret"), "short");
	try {
		await resolveJwtSecrets({ jwtSecrets: null, dataDir: dir }, systemEntropy);
		assert.unreachable();
	} catch (error) {
		assert.instance(error, ConfigError);
		assert.not.match(String(error), /short/);
	}
});

test("sealing keys come from the setting or its file, a list first", async ({ dir }) => {
	const accountsKeyFile = join(dir, "key");
	const [key, older] = [systemEntropy.token(32), systemEntropy.token(32)];
	assert.is(await resolveAccountsKeys({ accountsKeys: null, accountsKeyFile: null }), null);
	assert.equal(await resolveAccountsKeys({ accountsKeys: [key], accountsKeyFile: null }), [key]);
	const fromFile = () => resolveAccountsKeys({ accountsKeys: null, accountsKeyFile }).catch((error: unknown) => error);
	assert.instance(await fromFile(), ConfigError);
	await writeFile(accountsKeyFile, `${key}\n`, { mode: 0o600 });
	assert.equal(await fromFile(), [key]);
	await writeFile(accountsKeyFile, `${key}\n${older}\n`);
	assert.equal(await fromFile(), [key, older]);
	await writeFile(accountsKeyFile, "too short\n");
	assert.instance(await fromFile(), ConfigError);
});

test("a key file that everybody may read or change is refused, without its content", async ({ dir }) => {
	const accountsKeyFile = join(dir, "open-key");
	const key = systemEntropy.token(32);
	await writeFile(accountsKeyFile, key, { mode: 0o600 });
	for (const mode of [0o604, 0o644, 0o602]) {
		await chmod(accountsKeyFile, mode);
		const error = await resolveAccountsKeys({ accountsKeys: null, accountsKeyFile }).catch((one: unknown) => one);
		assert.instance(error, ConfigError);
		assert.match(String(error), /open to everybody/);
		assert.not.ok(String(error).includes(key));
	}
	await chmod(accountsKeyFile, 0o640);
	assert.equal(await resolveAccountsKeys({ accountsKeys: null, accountsKeyFile }), [key]);
});

test.run();
