import type { Entropy } from "../entropy.ts";
import type { ExchangeCredentials } from "../exchange/contract.ts";
import { createSealer, type SealingSecrets } from "../sealing/sealer.ts";

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

const wordsOf = ({ user_id, account_id, exchange }: SealedFor): string[] => [user_id, account_id, exchange];

export function createVault(secrets: SealingSecrets, entropy: Pick<Entropy, "hex">): Vault {
	const sealer = createSealer("exchange keys", secrets, entropy);
	return {
		seal: (owner, { api_key, secret, password }) =>
			sealer.seal(wordsOf(owner), Buffer.from(JSON.stringify({ api_key, secret, password }))),
		open(owner, envelope) {
			const plain = sealer.open(wordsOf(owner), envelope);
			if (plain === null) return null;
			const credentials = JSON.parse(plain.toString("utf8")) as ExchangeCredentials;
			plain.fill(0);
			return credentials;
		},
		isCurrent: sealer.isCurrent,
		reseal: (owner, envelope) => sealer.reseal(wordsOf(owner), envelope),
	};
}
