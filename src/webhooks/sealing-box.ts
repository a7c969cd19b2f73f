import type { Entropy } from "../entropy.ts";
import { createSealer, type SealingSecrets } from "../sealing/sealer.ts";
import type { SecretBox, WebhookOwner } from "../services.ts";
import { isPlain, plainBox } from "./plain-box.ts";

/** Seals with the first key of ACCOUNTS_KEY; opens what any key of it has sealed, and what was kept as it was. */
export interface SealingBox extends SecretBox {
	/** Whether the first key has sealed it. */
	isCurrent(sealed: string): boolean;
	/** The same under the first key; null: no configured key opens it. */
	reseal(owner: WebhookOwner, sealed: string): string | null;
}

const wordsOf = ({ user_id, webhook_id }: WebhookOwner): string[] => [user_id, webhook_id];

export function createSealingBox(secrets: SealingSecrets, entropy: Pick<Entropy, "hex">): SealingBox {
	const sealer = createSealer("webhook secrets", secrets, entropy);
	const seal = (owner: WebhookOwner, secret: string): string => sealer.seal(wordsOf(owner), Buffer.from(secret));
	return {
		seal,
		open(owner, sealed) {
			if (isPlain(sealed)) return plainBox.open(owner, sealed);
			const plain = sealer.open(wordsOf(owner), sealed);
			if (plain === null) throw new Error("no configured key opens the secret for this webhook");
			const secret = plain.toString("utf8");
			plain.fill(0);
			return secret;
		},
		isCurrent: sealer.isCurrent,
		reseal: (owner, sealed) =>
			isPlain(sealed) ? seal(owner, plainBox.open(owner, sealed)) : sealer.reseal(wordsOf(owner), sealed),
	};
}
