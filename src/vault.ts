import { createVault, type Vault } from "./accounts/vault.ts";
import { resolveAccountsKeys } from "./config/secrets.ts";
import type { Config } from "./config.ts";
import { systemEntropy } from "./entropy.ts";

/** The vault of the configured keys, or null without any. Throws ConfigError for a key file that is not usable. */
export async function openVault(config: Config): Promise<Vault | null> {
	const [first, ...others] = (await resolveAccountsKeys(config)) ?? [];
	return first === undefined ? null : createVault([first, ...others], systemEntropy);
}
