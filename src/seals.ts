import { createVault, type Vault } from "./accounts/vault.ts";
import { resolveAccountsKeys } from "./config/secrets.ts";
import type { Config } from "./config.ts";
import { systemEntropy } from "./entropy.ts";
import { createSealingBox, type SealingBox } from "./webhooks/sealing-box.ts";

/** What the keys of ACCOUNTS_KEY seal. */
export interface Seals {
	vault: Vault;
	box: SealingBox;
}

/** Under the configured keys, or null without any. Throws ConfigError for a key file that is not usable. */
export async function openSeals(config: Config): Promise<Seals | null> {
	const [first, ...others] = (await resolveAccountsKeys(config)) ?? [];
	if (first === undefined) return null;
	const secrets = [first, ...others] as const;
	return { vault: createVault(secrets, systemEntropy), box: createSealingBox(secrets, systemEntropy) };
}
