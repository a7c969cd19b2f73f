import { createHash } from "node:crypto";

/**
 * Every Redis key about users. Keys of one user share the hash tag `{user_id}`, so that one script may
 * touch them; the directory of all accounts (e-mails, list, access words) has the slot `{accounts}`.
 */

/** Hash: email, full_name, role, status, access_version, strategies, created_at, last_login, ... */
export const accountKey = (userId: string): string => `account:{${userId}}`;
/** String: the password hash, apart from the account so that no reader of accounts ever holds it. */
export const passwordKey = (userId: string): string => `account_password:{${userId}}`;
/** Hash: sid -> `expires_ms|current_jti|current_iat|previous_jti|rotated_ms`. */
export const loginsKey = (userId: string): string => `account_logins:{${userId}}`;
/** Hash: entry id -> ledger entry (JSON). */
export const creditsKey = (userId: string): string => `account_credits:{${userId}}`;
/** Hash: positions (JSON), cash_usd, version, updated_at, nonce. */
export const portfolioKey = (userId: string): string => `account_portfolio:{${userId}}`;
/** Hash: account id -> `revision|record` of an exchange account; the record (JSON) holds the sealed key. */
export const exchangeAccountsKey = (userId: string): string => `exchange_accounts:{${userId}}`;
/** Hash: account id -> `revision|time|record` of its last reading (JSON): balances, positions, what went wrong. */
export const exchangeReadingsKey = (userId: string): string => `exchange_readings:{${userId}}`;
/** Glob of every user's exchange accounts. */
export const anyExchangeAccounts = "exchange_accounts:{*}";
/** Whose a key is: what stands in its hash tag. */
export const userOf = (key: string): string => /\{([^}]*)\}/.exec(key)?.[1] ?? "";
/** Sorted set: one member per counted call of the window. `subject` is a user id or an address. */
export const rateKey = (subject: string, rule: string): string => `rate:{${subject}}:${rule}`;

/** E-mails appear hashed in key names: key listings and slow logs then hold no address. */
const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** Sorted set of failed logins of one (address, account) and the attempts still being decided. */
export const loginFailuresKey = (address: string, email: string): string =>
	`login_failures:{${digest(`${address}|${email}`)}}`;
export const loginAttemptsKey = (address: string, email: string): string =>
	`login_attempts:{${digest(`${address}|${email}`)}}`;

/** String: user id that owns the e-mail. */
export const emailKey = (email: string): string => `{accounts}:email:${digest(email)}`;
/** Sorted set: user id by time of creation (ms). */
export const directoryKey = "{accounts}:directory";
/** Hash: user id -> `version|role|status`, the authority about access; accounts carry a copy. */
export const accessKey = "{accounts}:access";
/** Set: user ids of active admins, changed only together with `accessKey`. */
export const adminsKey = "{accounts}:admins";
/** Set: new users whose referrer may still wait for the bonus (it lies in another slot). */
export const referralsDueKey = "{accounts}:referrals_due";

/** Set: users whose removal has begun; whoever starts next finishes it. */
export const removalsKey = "{accounts}:removals";
/** Glob of every key in a user's slot, whatever its family. */
export const ownedKeys = (userId: string): string => `*{${userId}}*`;

/** Hash: request digest, token, until, scan_id, answer; one per key of a client, hashed so that it stays short. */
export const idempotencyKey = (userId: string, route: string, key: string): string =>
	`idempotency:{${userId}}:${digest(`${route}|${key}`)}`;

/** Hash: `<strategy_key>:<field>` -> value; the overrides set by administrators. */
export const policiesKey = "strategy_policies";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** An id of another form is unknown, not invalid, and never becomes a key. */
export const isUserId = (text: string): boolean => UUID.test(text);
