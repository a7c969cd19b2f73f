import type { Redis } from "ioredis";
import { ApiError } from "../errors.ts";
import type { AccountErrorCode } from "../exchange/contract.ts";
import type { Holdings } from "../services.ts";
import { accountKey, exchangeAccountsKey, exchangeReadingsKey, isUserId, portfolioKey } from "./keys.ts";
import { defineScript } from "./script.ts";

/** What its owner entered, with the key sealed. */
export interface AccountRecord {
	exchange: string;
	label: string | null;
	/** Last four characters of the key. */
	key_hint: string;
	sealed: string;
	created_at: string;
}

/** What reading it has brought. */
export interface AccountState {
	last_read_at: string | null;
	/** Of the newest attempt; null when it went well. */
	last_error: AccountErrorCode | null;
	/** When the exchange last said what the key may do; null: it never did. */
	permissions_at_ms: number | null;
	held: Holdings | null;
	/** Epoch ms; not asked before: the exchange wanted fewer requests, or looks have failed. Absent: at any time. */
	retry_at_ms?: number;
	/** Looks that have failed one after the other. Absent: none. */
	failures?: number;
}

export const UNREAD: AccountState = { last_read_at: null, last_error: null, permissions_at_ms: null, held: null };

export interface StoredAccount {
	account_id: string;
	/** Another one with every new key; what an old key has read is not noted under a new one. */
	revision: string;
	record: AccountRecord;
	state: AccountState;
}

/** Exchange accounts per user (a change of what is held makes a new version of the portfolio). */
export interface ExchangeAccountStore {
	/** Oldest first. */
	list(userId: string): Promise<StoredAccount[]>;
	get(userId: string, accountId: string): Promise<StoredAccount | null>;
	/** Throws limit_reached, and token_revoked for a user who is gone. */
	insert(userId: string, account: StoredAccount): Promise<void>;
	/** False: it is not there any more as `before` says. */
	replace(userId: string, before: StoredAccount, after: StoredAccount): Promise<boolean>;
	remove(userId: string, accountId: string): Promise<void>;
	/** Newest wins; dropped when the account is gone or has another key by now. */
	note(userId: string, account: StoredAccount, atMs: number, state: AccountState): Promise<void>;
}

export const ACCOUNTS_MAX = 20;

const BUMP_VERSION = `
local function bump(portfolio)
	redis.call('HSET', portfolio, 'version', string.format('%.0f', tonumber(redis.call('HGET', portfolio, 'version') or '0') + 1))
end
`;

/**
 * KEYS  1 exchange accounts, 2 exchange readings, 3 portfolio, 4 account of the user
 * ARGV  1 account id, 2 `revision|record`, 3 state, 4 most accounts
 * -> 1 stored (also when it was stored before), 0 the limit is reached, -1 the user is gone
 */
const INSERT = `${BUMP_VERSION}
if redis.call('EXISTS', KEYS[4]) == 0 then return -1 end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 1 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
bump(KEYS[3])
return 1
`;

/**
 * KEYS  1 exchange accounts, 2 exchange readings, 3 portfolio
 * ARGV  1 account id, 2 `revision|record` expected, 3 the new one, 4 state that begins with a new key or ''
 * -> 1 replaced (also when it was before), 0 another one is stored, or none
 */
const REPLACE = `${BUMP_VERSION}
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored == ARGV[3] then return 1 end
if stored ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] ~= '' then
	redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
	bump(KEYS[3])
end
return 1
`;

/**
 * KEYS  1 exchange accounts, 2 exchange readings, 3 portfolio
 * ARGV  1 account id
 * -> 1
 */
const REMOVE = `${BUMP_VERSION}
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then bump(KEYS[3]) end
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
`;

/**
 * KEYS  1 exchange accounts, 2 exchange readings
 * ARGV  1 account id, 2 revision, 3 time of the reading (ms), 4 `time|state`
 * -> 1 noted, 0 the account is gone, has another key, or a newer reading
 */
const NOTE = `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored or string.sub(stored, 1, #ARGV[2] + 1) ~= ARGV[2] .. '|' then return 0 end
local noted = redis.call('HGET', KEYS[2], ARGV[1])
if noted and tonumber(string.match(noted, '^%d+')) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
return 1
`;

const recordText = ({ revision, record }: StoredAccount): string => `${revision}|${JSON.stringify(record)}`;
const stateText = (atMs: number, state: AccountState): string => `${atMs}|${JSON.stringify(state)}`;
const parted = (text: string): [head: string, rest: string] => {
	const at = text.indexOf("|");
	return [text.slice(0, at), text.slice(at + 1)];
};

function parse(accountId: string, recordField: string, stateField: string | null | undefined): StoredAccount {
	const [revision, record] = parted(recordField);
	return {
		account_id: accountId,
		revision,
		record: JSON.parse(record) as AccountRecord,
		state: stateField ? (JSON.parse(parted(stateField)[1]) as AccountState) : UNREAD,
	};
}

export function createExchangeAccountStore(redis: Redis): ExchangeAccountStore {
	const insert = defineScript(redis, "exchangeAccountInsert", 4, INSERT);
	const replace = defineScript(redis, "exchangeAccountReplace", 3, REPLACE);
	const remove = defineScript(redis, "exchangeAccountRemove", 3, REMOVE);
	const note = defineScript(redis, "exchangeAccountNote", 2, NOTE);
	const keysOf = (userId: string): [string, string, string] => [
		exchangeAccountsKey(userId),
		exchangeReadingsKey(userId),
		portfolioKey(userId),
	];

	return {
		async list(userId) {
			if (!isUserId(userId)) return [];
			const [accounts, readings] = keysOf(userId);
			const records = Object.entries(await redis.hgetall(accounts));
			if (records.length === 0) return [];
			const states = await redis.hgetall(readings);
			return records
				.map(([accountId, record]) => parse(accountId, record, states[accountId]))
				.sort((a, b) => (a.record.created_at < b.record.created_at ? -1 : 1));
		},
		async get(userId, accountId) {
			if (!isUserId(userId)) return null;
			const [accounts, readings] = keysOf(userId);
			const [record, state] = await Promise.all([redis.hget(accounts, accountId), redis.hget(readings, accountId)]);
			return record ? parse(accountId, record, state) : null;
		},
		async insert(userId, account) {
			const args = [account.account_id, recordText(account), stateText(0, account.state), ACCOUNTS_MAX];
			const done = await insert([...keysOf(userId), accountKey(userId)], args);
			if (done === -1) throw new ApiError("token_revoked");
			if (done !== 1) throw new ApiError("limit_reached", `At most ${ACCOUNTS_MAX} exchange accounts are kept`);
		},
		async replace(userId, before, after) {
			const begin = before.revision === after.revision ? "" : stateText(0, after.state);
			const args = [before.account_id, recordText(before), recordText(after), begin];
			return (await replace(keysOf(userId), args)) === 1;
		},
		async remove(userId, accountId) {
			await remove(keysOf(userId), [accountId]);
		},
		async note(userId, { account_id, revision }, atMs, state) {
			const [accounts, readings] = keysOf(userId);
			await note([accounts, readings], [account_id, revision, atMs, stateText(atMs, state)]);
		},
	};
}
