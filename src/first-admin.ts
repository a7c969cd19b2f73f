/** Sees to it that a fresh installation has one admin who can log in. */
import type { Config } from "./config.ts";
import type { Entropy } from "./entropy.ts";

/** What is needed of the accounts; the store implements it. */
export interface AdminAccounts {
	/** True once any admin was ever created. */
	hasAdmin(): Promise<boolean>;
	/** Atomic: of several processes exactly one gets true; the others' password is thrown away. */
	createFirstAdmin(email: string, password: string): Promise<boolean>;
}

const PASSWORD_BYTES = 15;

/**
 * Creates the first admin when there is none. Without ADMIN_PASSWORD, which is allowed on loopback only
 * (loadConfig refuses other starts), the password is random and handed to `announce` by the one process
 * that created the account; it is stored nowhere in clear, so a restart cannot repeat it.
 *
 * @param announce shows the credentials to whoever started the program (not a log: logs are kept).
 */
export async function ensureFirstAdmin(
	accounts: AdminAccounts,
	config: Pick<Config, "adminEmail" | "adminPassword">,
	entropy: Entropy,
	announce: (text: string) => void,
): Promise<"kept" | "created"> {
	if (await accounts.hasAdmin()) return "kept";
	const password = config.adminPassword ?? entropy.token(PASSWORD_BYTES);
	if (!(await accounts.createFirstAdmin(config.adminEmail, password))) return "kept";
	if (config.adminPassword === null) announce(firstAdminText(config.adminEmail, password));
	return "created";
}

const firstAdminText = (email: string, password: string): string =>
	`\n  First admin, shown once:\n    e-mail    ${email}\n    password  ${password}\n\n`;
