/** Secrets that are read from files or made at the first start. */
import { chmod, link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { ConfigError } from "../config.ts";
import type { Entropy } from "../entropy.ts";
import { secretList } from "./formats.ts";

const JWT_SECRET_FILE = "jwt-secret";
const SECRET_BYTES = 48;

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/**
 * The signing secrets, newest first: the configured ones, or one that is made at the first loopback start
 * and kept in DATA_DIR/jwt-secret (mode 0600). Processes that start together end up with the same one: the
 * file appears complete through `link`, which only one of them can win.
 *
 * @throws ConfigError when the kept file is not usable.
 */
export async function resolveJwtSecrets(
	config: Pick<Config, "jwtSecrets" | "dataDir">,
	entropy: Entropy,
): Promise<string[]> {
	if (config.jwtSecrets) return [...config.jwtSecrets];
	await mkdir(config.dataDir, { recursive: true });
	const path = join(config.dataDir, JWT_SECRET_FILE);
	return [(await keptSecret(path)) ?? (await makeSecret(path, entropy))];
}

async function keptSecret(path: string): Promise<string | null> {
	try {
		const secret = (await readFile(path, "utf8")).trim();
		if (Buffer.byteLength(secret) < 32) {
			throw new ConfigError([
				{ setting: "JWT_SECRET", message: `the secret kept in ${path} is damaged; delete that file` },
			]);
		}
		await chmod(path, 0o600);
		return secret;
	} catch (error) {
		if (codeOf(error) === "ENOENT") return null;
		throw error;
	}
}

async function makeSecret(path: string, entropy: Entropy): Promise<string> {
	const draft = `${path}.${entropy.hex(8)}`;
	const file = await open(draft, "wx", 0o600);
	try {
		await file.writeFile(`${entropy.token(SECRET_BYTES)}\n`);
		await file.sync();
	} finally {
		await file.close();
	}
	try {
		await link(draft, path);
	} catch (error) {
		if (codeOf(error) !== "EEXIST") throw error;
	} finally {
		await unlink(draft);
	}
	const secret = await keptSecret(path);
	if (secret === null) throw new Error(`${path} vanished while it was read`);
	return secret;
}

/** Bits of a file's mode that let people outside its owner and group read or change it. */
const OTHERS = 0o006;

/**
 * The secrets that seal exchange keys and webhook secrets, newest first, or null when none is configured. The file has the form of
 * ACCOUNTS_KEY; line ends count as commas.
 *
 * @throws ConfigError when the key file cannot be read, is open to everybody, or holds too short a key.
 */
export async function resolveAccountsKeys(
	config: Pick<Config, "accountsKeys" | "accountsKeyFile">,
): Promise<readonly string[] | null> {
	if (config.accountsKeys !== null || config.accountsKeyFile === null) return config.accountsKeys;
	const problem = (message: string) => new ConfigError([{ setting: "ACCOUNTS_KEY_FILE", message }]);
	const { text, mode } = await keyFile(config.accountsKeyFile).catch((error: unknown) => {
		throw problem(`cannot be read (${codeOf(error) ?? "unknown error"})`);
	});
	if (process.platform !== "win32" && (mode & OTHERS) !== 0)
		throw problem("is open to everybody on this machine; give it mode 0600 (or 0640)");
	const secrets = secretList.safeParse(text.replace(/\r?\n/g, ","));
	if (!secrets.success) throw problem(secrets.error.issues[0]?.message ?? "holds no key");
	return secrets.data;
}

/** Mode and text of one and the same file, whatever is put in its place meanwhile. */
async function keyFile(path: string): Promise<{ text: string; mode: number }> {
	const file = await open(path, "r");
	try {
		const { mode } = await file.stat();
		return { mode, text: await file.readFile("utf8") };
	} finally {
		await file.close();
	}
}
