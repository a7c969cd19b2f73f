import { randomBytes, randomUUID } from "node:crypto";

/**
 * The one place that asks the system for randomness. Whoever needs ids or secrets takes an `Entropy`,
 * so that a test can hand in a counted one and get the same run twice.
 */
export interface Entropy {
	/** RFC 9562 version 4, lower case. */
	uuid(): string;
	/** `scan_` and 32 lower-case hex digits. */
	scanId(): string;
	/** URL-safe text of `bytes` random bytes (default 32), for secrets, nonces and passwords. */
	token(bytes?: number): string;
	/** Lower-case hex of `bytes` random bytes. */
	hex(bytes: number): string;
}

/** Ids are asked for often, and a call to the system costs more than all else about one. */
const IDS_AT_ONCE = 256;
const ID_BYTES = 16;
let ids = Buffer.alloc(0);
let used = 0;

function hexId(): string {
	if (used === ids.length) {
		ids = randomBytes(IDS_AT_ONCE * ID_BYTES);
		used = 0;
	}
	used += ID_BYTES;
	return ids.toString("hex", used - ID_BYTES, used);
}

export const systemEntropy: Entropy = {
	uuid: () => randomUUID(),
	scanId: () => `scan_${hexId()}`,
	token: (bytes = 32) => randomBytes(bytes).toString("base64url"),
	hex: (bytes) => randomBytes(bytes).toString("hex"),
};

const SCAN_ID = /^scan_[0-9a-f]{32}$/;

/** False for everything that cannot be a scan id: such an id is treated as unknown, never as invalid. */
export const isScanId = (word: string): boolean => SCAN_ID.test(word);
