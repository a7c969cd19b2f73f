import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { Entropy } from "../entropy.ts";

/** The secrets of ACCOUNTS_KEY, newest first; 32 bytes or more each. */
export type SealingSecrets = readonly [string, ...string[]];

/** Seals bytes with the first secret and opens what any of them has sealed, for one purpose only. */
export interface Sealer {
	/** `owner`: the words that say whose it is; with others it does not open. Wipes `plain`. */
	seal(owner: readonly string[], plain: Buffer): string;
	/** null: sealed with a secret that is not configured, for another purpose or owner, or damaged. */
	open(owner: readonly string[], envelope: string): Buffer | null;
	/** Whether the first secret has sealed it. */
	isCurrent(envelope: string): boolean;
	/** The same under the first secret; null as `open`. */
	reseal(owner: readonly string[], envelope: string): string | null;
}

const VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface SealingKey {
	id: string;
	bytes: Buffer;
}

/** Key and id are derived apart (HKDF, RFC 5869), so that the id in each envelope says nothing of the key. */
function keyOf(secret: string, purpose: string): SealingKey {
	const derive = (part: string, bytes: number) =>
		Buffer.from(hkdfSync("sha256", secret, "", `lookout ${purpose} ${VERSION}: ${part}`, bytes));
	return { id: derive("id", 6).toString("hex"), bytes: derive("sealing", 32) };
}

/** A list as JSON: no part of one word can pass for a part of its neighbour. */
const boundTo = (owner: readonly string[]): Buffer => Buffer.from(JSON.stringify([VERSION, ...owner]));

/**
 * AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D). Envelope: `v1.<key id>.<base64url of nonce,
 * ciphertext and tag>`.
 *
 * @param purpose what is sealed, such as "exchange keys": each purpose has keys of its own.
 */
export function createSealer(purpose: string, secrets: SealingSecrets, entropy: Pick<Entropy, "hex">): Sealer {
	const [first, ...others] = secrets;
	const current = keyOf(first, purpose);
	const keys = new Map([current, ...others.map((secret) => keyOf(secret, purpose))].map((key) => [key.id, key]));

	function open(owner: readonly string[], envelope: string): Buffer | null {
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

	function seal(owner: readonly string[], plain: Buffer): string {
		const nonce = Buffer.from(entropy.hex(NONCE_BYTES), "hex");
		const cipher = createCipheriv("aes-256-gcm", current.bytes, nonce);
		cipher.setAAD(boundTo(owner));
		const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
		// Strings cannot be wiped, buffers can: the plain text lives no longer than this call.
		plain.fill(0);
		return `${VERSION}.${current.id}.${sealed.toString("base64url")}`;
	}

	return {
		seal,
		open,
		isCurrent: (envelope) => envelope.startsWith(`${VERSION}.${current.id}.`),
		reseal(owner, envelope) {
			const plain = open(owner, envelope);
			return plain === null ? null : seal(owner, plain);
		},
	};
}
