import type { Redis } from "ioredis";
import { CATALOGUE, FREE_STRATEGIES, STANDARD_STRATEGIES } from "../catalogue.ts";
import { type Clock, isoOf } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError, validationFailed } from "../errors.ts";
import type { Account, AccountReader } from "../services.ts";
import { CONFIRM_ACCOUNT, CREATE_ACCOUNT, PATCH_ACCOUNT } from "./account-scripts.ts";
import { type Access, createDirectory, type Directory } from "./directory.ts";
import { accountKey, creditsKey, isUserId, loginsKey, passwordKey } from "./keys.ts";
import { defineScript, type Script } from "./script.ts";

/** An account with what only its own pages need. */
export interface StoredAccount extends Account {
	/** Strategy id -> when it was granted (ISO). */
	strategies_activated_at: Record<string, string>;
	access_version: number;
}

export interface NewAccount {
	email: string;
	password_hash: string;
	full_name: string | null;
	role: Account["role"];
	/** Default: all standard strategies for an admin, the free ones for others. */
	strategy_ids?: readonly string[];
	/** Set when the account is onboarded by its creation. */
	onboarding?: { answer: string; onboarded_at: string; entries: Record<string, string> };
	/** Given by who must know it before (the onboarding answer names it). */
	user_id?: string;
}

export interface AccountPatch {
	role?: Account["role"] | undefined;
	status?: Account["status"] | undefined;
	strategy_ids?: readonly string[] | undefined;
	premium_welcome?: boolean | undefined;
	/** Revokes every login of the user. */
	password_hash?: string | undefined;
}

export interface AccountStore extends AccountReader {
	byId(userId: string): Promise<StoredAccount | null>;
	/** E-mail in any spelling. The hash is for the login only and never leaves it. */
	credentials(email: string): Promise<{ account: StoredAccount; password_hash: string } | null>;
	passwordHash(userId: string): Promise<string | null>;
	/** All or nothing. Throws email_taken. */
	create(input: NewAccount): Promise<StoredAccount>;
	/** Throws user_not_found, validation_failed (last active admin). */
	patch(userId: string, changes: AccountPatch): Promise<StoredAccount>;
	/** Replaces the password if it still is `expectedHash`; false when it changed meanwhile. */
	changePassword(userId: string, expectedHash: string, newHash: string, keepSid: string): Promise<boolean>;
	/** In order of creation. Throws validation_failed for a cursor of ours that it is not. */
	list(
		limit: number,
		cursor: string | null,
	): Promise<{ accounts: StoredAccount[]; next_cursor: string | null; has_more: boolean }>;
	/** Brings the copy of role and status up to the directory's word (a crash may have left it behind). */
	syncAccess(account: StoredAccount): Promise<StoredAccount>;
	activeAdmins(): Promise<number>;
}

/** How long an account that was never confirmed stays: longer than any creation can take. */
const PROVISIONAL_MS = 300_000;

export const normalEmail = (email: string): string => email.trim().toLowerCase();

export const defaultStrategyIds = (role: Account["role"]): string[] =>
	(role === "admin" ? STANDARD_STRATEGIES : FREE_STRATEGIES).map((entry) => entry.id);

function accountFrom(userId: string, fields: Record<string, string>): StoredAccount | null {
	if (!fields["email"]) return null;
	const activated = JSON.parse(fields["strategies"] || "{}") as Record<string, string>;
	return {
		user_id: userId,
		email: fields["email"],
		full_name: fields["full_name"] || null,
		role: fields["role"] as Account["role"],
		status: fields["status"] as Account["status"],
		strategy_ids: CATALOGUE.filter((entry) => Object.hasOwn(activated, entry.id)).map((entry) => entry.id),
		strategies_activated_at: activated,
		created_at: fields["created_at"] ?? "",
		last_login: fields["last_login"] || null,
		premium_welcome: fields["premium_welcome"] === "1",
		onboarded_at: fields["onboarded_at"] || null,
		access_version: Number(fields["access_version"] ?? "0"),
	};
}

function fieldsOf(input: NewAccount, createdAt: string): string[] {
	const ids = input.strategy_ids ?? defaultStrategyIds(input.role);
	const strategies = Object.fromEntries(ids.map((id) => [id, createdAt]));
	return Object.entries({
		email: normalEmail(input.email),
		full_name: input.full_name ?? "",
		role: input.role,
		status: "active",
		access_version: "1",
		strategies: JSON.stringify(strategies),
		created_at: createdAt,
		last_login: "",
		premium_welcome: "0",
		onboarded_at: input.onboarding?.onboarded_at ?? "",
		onboarding: input.onboarding?.answer ?? "",
	}).flat();
}

interface Parts {
	redis: Redis;
	clock: Clock;
	entropy: Entropy;
	directory: Directory;
	create: Script;
	confirm: Script;
	patch: Script;
}

export function createAccountStore(redis: Redis, clock: Clock, entropy: Entropy): AccountStore {
	const parts: Parts = {
		redis,
		clock,
		entropy,
		directory: createDirectory(redis),
		create: defineScript(redis, "accountCreate", 3, CREATE_ACCOUNT),
		confirm: defineScript(redis, "accountConfirm", 3, CONFIRM_ACCOUNT),
		patch: defineScript(redis, "accountPatch", 3, PATCH_ACCOUNT),
	};
	const byId = (userId: string) => readAccount(redis, userId);
	return {
		byId,
		async credentials(email) {
			const userId = await parts.directory.ownerOf(normalEmail(email));
			if (!userId) return null;
			const [account, hash] = await Promise.all([byId(userId), redis.get(passwordKey(userId))]);
			return account && hash ? { account, password_hash: hash } : null;
		},
		passwordHash: (userId) => redis.get(passwordKey(userId)),
		create: (input) => createAccount(parts, input),
		patch: (userId, changes) => patchAccount(parts, userId, changes),
		async changePassword(userId, expectedHash, newHash, keepSid) {
			const args = ["", "", "", "", "", newHash, expectedHash, keepSid, ""];
			return Number(await parts.patch(keysOf(userId), args)) === 1;
		},
		list: (limit, cursor) => listAccounts(parts, limit, cursor),
		async syncAccess(account) {
			const access = await parts.directory.accessOf(account.user_id);
			if (!access || access.version <= account.access_version) return account;
			await applyAccess(parts, account.user_id, access);
			return (await byId(account.user_id)) ?? account;
		},
		activeAdmins: () => parts.directory.activeAdmins(),
	};
}

const keysOf = (userId: string): string[] => [accountKey(userId), passwordKey(userId), loginsKey(userId)];

async function readAccount(redis: Redis, userId: string): Promise<StoredAccount | null> {
	if (!isUserId(userId)) return null;
	return accountFrom(userId, await redis.hgetall(accountKey(userId)));
}

/**
 * The account lies provisionally in its own slot before the directory names it, and becomes permanent
 * after: whoever loses the e-mail, or dies in between, leaves nothing that anybody can reach.
 */
async function createAccount(parts: Parts, input: NewAccount): Promise<StoredAccount> {
	const userId = input.user_id ?? parts.entropy.uuid();
	const email = normalEmail(input.email);
	const nowMs = parts.clock.now();
	const keys = [accountKey(userId), passwordKey(userId), creditsKey(userId)];
	const entries = input.onboarding ? JSON.stringify(input.onboarding.entries) : "";
	await parts.create(keys, [PROVISIONAL_MS, input.password_hash, entries, ...fieldsOf(input, isoOf(nowMs))]);
	const owner = await parts.directory.register(email, userId, nowMs, input.role, "active", null);
	if (owner !== null) {
		const dangling = (await readAccount(parts.redis, owner)) === null;
		const second = dangling ? await parts.directory.register(email, userId, nowMs, input.role, "active", owner) : owner;
		if (second !== null) {
			await parts.redis.del(...keys);
			throw new ApiError("email_taken");
		}
	}
	const kept = Number(await parts.confirm(keys, [])) === 1;
	const account = kept ? await readAccount(parts.redis, userId) : null;
	if (!account) throw new ApiError("store_unavailable", "The account could not be kept");
	return account;
}

const applyAccess = (parts: Parts, userId: string, access: Access): Promise<unknown> =>
	parts.patch(keysOf(userId), [access.version, access.role, access.status, "", "", "", "", "", ""]);

async function patchAccount(parts: Parts, userId: string, changes: AccountPatch): Promise<StoredAccount> {
	const found = await readAccount(parts.redis, userId);
	if (!found) throw new ApiError("user_not_found");
	const change = await parts.directory.changeAccess(userId, changes.role ?? null, changes.status ?? null);
	if (change.kind === "unknown") throw new ApiError("user_not_found");
	if (change.kind === "last_admin") {
		const path = changes.role !== undefined && changes.role !== "admin" ? "body.role" : "body.status";
		throw validationFailed([{ path, message: "the last active admin must stay an active admin" }]);
	}
	// Who remains must hold the role in its own slot before this one loses it.
	if (change.heir) await applyAccess(parts, change.heir.user_id, change.heir.access);
	const premium = changes.premium_welcome === undefined ? "" : changes.premium_welcome ? "1" : "0";
	const { version, role, status } = change.access;
	const strategies = changes.strategy_ids ? JSON.stringify(changes.strategy_ids) : "";
	const nowIso = isoOf(parts.clock.now());
	await parts.patch(keysOf(userId), [
		version,
		role,
		status,
		strategies,
		premium,
		changes.password_hash ?? "",
		"",
		"",
		nowIso,
	]);
	const account = await readAccount(parts.redis, userId);
	if (!account) throw new ApiError("user_not_found");
	return account;
}

const cursorOf = (userId: string): string => Buffer.from(userId, "utf8").toString("base64url");

async function listAccounts(parts: Parts, limit: number, cursor: string | null) {
	const after = cursor === null ? null : Buffer.from(cursor, "base64url").toString("utf8");
	const page = after === null || isUserId(after) ? await parts.directory.page(after, limit) : null;
	if (!page) throw validationFailed([{ path: "query.cursor", message: "not a cursor of this list" }]);
	const read = await Promise.all(page.user_ids.map((id) => readAccount(parts.redis, id)));
	const last = page.user_ids.at(-1);
	return {
		accounts: read.filter((account) => account !== null),
		next_cursor: page.has_more && last ? cursorOf(last) : null,
		has_more: page.has_more,
	};
}
