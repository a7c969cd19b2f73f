import type { SecretBox } from "../services.ts";

const PREFIX = "plain:";

export const isPlain = (sealed: string): boolean => sealed.startsWith(PREFIX);

/**
 * Keeps secrets as they are: they sign what is sent, so they cannot be hashed, and without a key of the operator
 * there is nothing to seal them with. Whoever reads the store reads them.
 */
export const plainBox: SecretBox = {
	seal: (_owner, secret) => PREFIX + secret,
	open(_owner, sealed) {
		if (!isPlain(sealed)) throw new Error("the secret was sealed with a key that is not configured");
		return sealed.slice(PREFIX.length);
	},
};
