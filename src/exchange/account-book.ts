import {
	ACCOUNTS_MAX,
	type AccountState,
	type ExchangeAccountStore,
	type StoredAccount,
	UNREAD,
} from "../accounts/exchange-account-store.ts";
import { type AccountView, viewOf } from "../accounts/exchange-account-view.ts";
import type { Vault } from "../accounts/vault.ts";
import { type Clock, isoOf } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError, validationFailed } from "../errors.ts";
import { SingleFlight } from "../market/single-flight.ts";
import type { AccountHoldings, HoldingsReader } from "../services.ts";
import type { ExchangeAccount, ExchangeAccounts, ExchangeCredentials } from "./contract.ts";
import { codeOf, lookAt } from "./look.ts";
import { refusalOf } from "./refusals.ts";
import { createTries } from "./shares.ts";

export interface AccountEntry {
	exchange: string;
	label: string | null;
	credentials: ExchangeCredentials;
}

export interface AccountChanges {
	/** null takes the label away, absent keeps it. */
	label?: string | null | undefined;
	credentials?: ExchangeCredentials | undefined;
}

/** Exchange accounts of users. Throws ApiError. */
export interface AccountBook extends HoldingsReader {
	list(userId: string): Promise<AccountView[]>;
	get(userId: string, accountId: string): Promise<AccountView>;
	/**
	 * The key is tried out first: one that may trade or withdraw is refused and not kept, nor does one that is not accepted
	 * replace another. Of one whose rights the exchange could say and has not, nothing counts.
	 */
	add(userId: string, entry: AccountEntry, signal: AbortSignal): Promise<AccountView>;
	change(userId: string, accountId: string, changes: AccountChanges, signal: AbortSignal): Promise<AccountView>;
	remove(userId: string, accountId: string): Promise<AccountView>;
}

export interface AccountBookDeps {
	store: ExchangeAccountStore;
	/** null: ACCOUNTS_KEY is not set. */
	vault: Vault | null;
	exchanges: ExchangeAccounts;
	clock: Clock;
	entropy: Entropy;
	/** Told of what has no word of its own, such as a store that does not take a note. */
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

/** Trying out a key while its owner waits. */
const TRY_LIMIT_MS = 8_000;
/** Scans that start within this time share one reading. */
const READING_FRESH_MS = 10_000;
/** For each account, so that who has many does not take more of an exchange's budget for that. */
const READING_FRESH_MS_EACH = 3_000;
const HINT_LENGTH = 4;
/** Repetitions of a change that another one came before. */
const CHANGES_MAX = 5;

export function createAccountBook({ store, vault, exchanges, clock, entropy, log }: AccountBookDeps): AccountBook {
	const flights = new SingleFlight();
	const triesOf = createTries(clock);

	function openVault(): Vault {
		if (vault) return vault;
		const message = "this server takes no exchange accounts: its operator has not set ACCOUNTS_KEY";
		throw validationFailed([{ path: "body", message }]);
	}

	async function stored(userId: string, accountId: string): Promise<StoredAccount> {
		const found = await store.get(userId, accountId);
		if (!found) throw new ApiError("account_not_found");
		return found;
	}

	async function tryOut(account: ExchangeAccount, replaces: boolean, signal: AbortSignal) {
		const waitMs = triesOf(account.user_id);
		if (waitMs > 0) throw new ApiError("rate_limited", undefined, { retry_after_seconds: Math.ceil(waitMs / 1000) });
		const limits = { nowMs: clock.now(), limitMs: TRY_LIMIT_MS, signal };
		const look = await lookAt(exchanges, account, UNREAD, limits).catch((error: unknown) => {
			// Only the caller's own signal ends a look before it has a word for what happened.
			throw signal.aborted ? new ApiError("shutting_down") : error;
		});
		const refusal = refusalOf(look, replaces);
		if (refusal) throw refusal;
		return look.state;
	}

	/** A new key with all that belongs to it. */
	async function keyed(
		owner: { user_id: string; account_id: string; exchange: string },
		credentials: ExchangeCredentials,
		replaces: boolean,
		signal: AbortSignal,
	) {
		const sealing = openVault();
		const state = await tryOut({ ...owner, credentials }, replaces, signal);
		const key_hint = credentials.api_key.slice(-HINT_LENGTH);
		return { revision: entropy.hex(8), state, key_hint, sealed: sealing.seal(owner, credentials) };
	}

	/** One reading for all who ask at the same time. Never throws but for the store and the caller's abort. */
	async function readOne(
		userId: string,
		account: StoredAccount,
		signal: AbortSignal,
		{ freshMs, limitMs }: { freshMs: number; limitMs: number },
	): Promise<AccountState> {
		const { account_id, revision, record, state } = account;
		const nowMs = clock.now();
		const fresh = state.last_error === null && nowMs - (state.held?.as_of_ms ?? 0) < freshMs;
		// Noted in the store, so that no process asks before the pause is over.
		if (fresh || nowMs < (state.retry_at_ms ?? 0)) return state;
		const look = async (own: AbortSignal): Promise<AccountState> => {
			const owner = { user_id: userId, account_id, exchange: record.exchange };
			const credentials = vault?.open(owner, record.sealed) ?? null;
			const limits = { nowMs, limitMs, signal: own };
			const after: AccountState = credentials
				? (await lookAt(exchanges, { ...owner, credentials }, state, limits)).state
				: { ...state, last_error: "key_unreadable" };
			await store.note(userId, account, nowMs, after);
			return after;
		};
		return flights.run(`${account_id}:${revision}`, signal, look).result;
	}

	return {
		list: async (userId) => (await store.list(userId)).map(viewOf),
		get: async (userId, accountId) => viewOf(await stored(userId, accountId)),
		async add(userId, { exchange, label, credentials }, signal) {
			openVault();
			if (!(await exchanges.knows(exchange)))
				throw validationFailed([
					{ path: "body.exchange", message: "is no exchange known here, such as binance or kraken" },
				]);
			if ((await store.list(userId)).length >= ACCOUNTS_MAX)
				throw new ApiError("limit_reached", `At most ${ACCOUNTS_MAX} exchange accounts are kept`);
			const account_id = entropy.uuid();
			const owner = { user_id: userId, account_id, exchange };
			const { revision, state, key_hint, sealed } = await keyed(owner, credentials, false, signal);
			const record = { exchange, label, key_hint, sealed, created_at: isoOf(clock.now()) };
			const account = { account_id, revision, record, state };
			await store.insert(userId, account);
			return viewOf(account);
		},
		async change(userId, accountId, { label, credentials }, signal) {
			const { record } = await stored(userId, accountId);
			const owner = { user_id: userId, account_id: accountId, exchange: record.exchange };
			const key = credentials ? await keyed(owner, credentials, true, signal) : null;
			for (let turn = 0; turn < CHANGES_MAX; turn++) {
				const before = await stored(userId, accountId);
				const after: StoredAccount = {
					account_id: accountId,
					revision: key?.revision ?? before.revision,
					record: {
						...before.record,
						label: label === undefined ? before.record.label : label,
						...(key ? { key_hint: key.key_hint, sealed: key.sealed } : {}),
					},
					state: key?.state ?? before.state,
				};
				if (await store.replace(userId, before, after)) return viewOf(after);
			}
			throw new ApiError("store_unavailable");
		},
		async remove(userId, accountId) {
			const account = await stored(userId, accountId);
			await store.remove(userId, accountId);
			return viewOf(account);
		},
		async read(userId, signal, limitMs) {
			const accounts = await store.list(userId);
			const limits = { freshMs: Math.max(READING_FRESH_MS, accounts.length * READING_FRESH_MS_EACH), limitMs };
			return Promise.all(
				accounts.map(async (account): Promise<AccountHoldings> => {
					const { held, last_error } = await readOne(userId, account, signal, limits).catch((error: unknown) => {
						if (signal.aborted) throw error;
						// The reading may be there although it could not be noted.
						log.warn({ account_id: account.account_id, err: error }, "an exchange account was not read");
						return { ...account.state, last_error: codeOf(error) };
					});
					return { account_id: account.account_id, exchange: account.record.exchange, held, error: last_error };
				}),
			);
		},
	};
}
