import { randomBytes, randomUUID } from "node:crypto";

/** The only source of chance for accounts, so that tests can be repeated. */
export interface Entropy {
	uuid(): string;
	/** `bytes` random bytes in base64url. */
	token(bytes: number): string;
}

export const systemEntropy: Entropy = {
	uuid: () => randomUUID(),
	token: (bytes) => randomBytes(bytes).toString("base64url"),
};
