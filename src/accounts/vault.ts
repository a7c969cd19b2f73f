import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { Entropy } from "../entropy.ts";
import type { ExchangeCredentials } from "../exchange/contract.ts";

/** Whose key it is. It is sealed into the envelope: moved to another user, account or exchange it does not open. */
export interface SealedFor {
	user_id: string;
	account_id: string;
	exchange: string;
}

/** Seals exchange keys with the first key of ACCOUNTS_KEY and opens what any key of it has sealed. */
export interface Vault {
	seal(owner: SealedFor, credentials: ExchangeCredentials): string;
	/** null: sealed with a key that is not configured, for another owner, or damaged. */
	open(owner: SealedFor, envelope: string): ExchangeCredentials | null;
	/** Whether the first key has sealed it. */
	isCurrent(envelope: string): boolean;
	/** The same under the first key; null as `open`. */
	reseal(owner: SealedFor, envelope: string): string | null;
}

const VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface SealingKey {
	id: string;
	bytes: Buffer;
}

/** Key and id are derived apart (HKDF, RFC 5869), so that the id in each envelope says nothing of the key. */
function keyOf(secret: string): SealingKey {
	const derive = (purpose: string, bytes: number) =>
		Buffer.from(hkdfSync("sha256", secret, "", `lookout exchange keys ${VERSION}: ${purpose}`, bytes));
	return { id: derive("id", 6).toString("hex"), bytes: derive("sealing", 32) };
}

const boundTo = ({ user_id, account_id, exchange }: SealedFor): Buffer =>
	Buffer.from(JSON.stringify([VERSION, user_id, account_id, exchange]));

/**
 * AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D). Envelope: `v1.<key id>.<base64url of nonce,
 * ciphertext and tag>`.
 *
 * @param secrets ACCOUNTS_KEY split at its commas, newest first; 32 bytes or more each.
 */
export function createVault(secrets: readonly [string, ...string[]], entropy: Pick<Entropy, "hex">): Vault {
	const [first, ...others] = secrets;
	const current = keyOf(first);
	const keys = new Map([current, ...others.map(keyOf)].map((key) => [key.id, key]));

	function open(owner: SealedFor, envelope: string): Buffer | null {
		const [version, keyId = "", body = ""] = envelope.split(".");
		const key = keys.get(keyId);
		const bytes = Buffer.from(body, "base64url");
		if (version !== VERSION || !key || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
		const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, NONCE_BYTES));
		decipher.setAAD(boundTo(owner));
		decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
		const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
		try {
			decipher.final();
			return plain;
		} catch {
			plain.fill(0);
			return null;
		}
	}

	function seal(owner: SealedFor, plain: Buffer): string {
		const nonce = Buffer.from(entropy.hex(NONCE_BYTES), "hex");
		const cipher = createCipheriv("aes-256-gcm", current.bytes, nonce);
		cipher.setAAD(boundTo(owner));
		const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
		// Strings cannot be wiped, buffers can: the plain text lives no longer than this call.
		plain.fill(0);
		return `${VERSION}.${current.id}.${sealed.toString("base64url")}`;
	}

	return {
		seal: (owner, { api_key, secret, password }) =>
			seal(owner, Buffer.from(JSON.stringify({ api_key, secret, password }))),
		open(owner, envelope) {
			const plain = open(owner, envelope);
			if (plain === null) return null;
			const credentials = JSON.parse(plain.toString("utf8")) as ExchangeCredentials;
			plain.fill(0);
			return credentials;
		},
		isCurrent: (envelope) => envelope.startsWith(`${VERSION}.${current.id}.`),
		reseal(owner, envelope) {
			const plain = open(owner, envelope);
			return plain === null ? null : seal(owner, plain);
		},
	};
}
