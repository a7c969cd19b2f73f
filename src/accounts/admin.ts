import { ApiError } from "../errors.ts";
import type { AccountStore } from "./account-store.ts";
import type { PasswordHasher } from "./passwords.ts";

export interface FirstAdmin {
	email: string;
	password: string;
}

/**
 * Makes the first administrator. Safe on every start and from several processes at once: an existing
 * account keeps its password, role and status. Returns whether this call made it.
 */
export async function ensureAdmin(accounts: AccountStore, passwords: PasswordHasher, admin: FirstAdmin): Promise<"created" | "existing"> {
	if (await accounts.credentials(admin.email)) return "existing";
	try {
		const password_hash = await passwords.hash(admin.password);
		await accounts.create({ email: admin.email, password_hash, full_name: null, role: "admin" });
		return "created";
	} catch (error) {
		if (error instanceof ApiError && error.code === "email_taken") return "existing";
		throw error;
	}
}
