import { ApiError } from "../errors.ts";
import type { AdminAccounts } from "../first-admin.ts";
import type { AccountStore } from "./account-store.ts";
import type { PasswordHasher } from "./passwords.ts";

/**
 * The accounts' side of the first start. Safe from several processes at once: the e-mail can be taken
 * only once, and an account that exists keeps its password, role and status.
 */
export function firstAdmin({
	accounts,
	passwords,
}: {
	accounts: AccountStore;
	passwords: PasswordHasher;
}): AdminAccounts {
	return {
		hasAdmin: async () => (await accounts.activeAdmins()) > 0,
		async createFirstAdmin(email, password) {
			try {
				await accounts.create({ email, password_hash: await passwords.hash(password), full_name: null, role: "admin" });
				return true;
			} catch (error) {
				if (error instanceof ApiError && error.code === "email_taken") return false;
				throw error;
			}
		},
	};
}
