/**
 * What Lookout asks of an account at an exchange: to be read. Keys cross this border in memory only; nothing
 * that comes back holds them, errors least of all.
 */
import type { Position } from "../strategies/contract.ts";

/** As the exchange issued it, or as one's owner typed it. */
export interface ExchangeCredentials {
	api_key: string;
	secret: string;
	/** Third part of the key that some exchanges ask for. */
	password: string | null;
}

/** An account while it is asked something. */
export interface ExchangeAccount {
	/** Whose it is: each user has a share of the calls. */
	user_id: string;
	/** Id of the exchange as ccxt names it: binance, bybit, okx, kraken, ... */
	exchange: string;
	credentials: ExchangeCredentials;
}

/** What a key may do beyond reading. */
export interface KeyRights {
	trade: boolean;
	/** Withdrawals and transfers of any kind. */
	withdraw: boolean;
}

/** Parts of an account that were not read although the exchange has them. */
export type MissingPart = "positions" | "futures_wallet" | "beyond_limit";

export interface AccountReading {
	/** Units of each asset, money in contract wallets included; unrealised results are not in them. */
	balances: { asset: string; quantity: number }[];
	/** Open contracts, base units, short ones negative. */
	positions: Position[];
	/** Epoch ms of this machine when the exchange was asked. */
	as_of_ms: number;
	missing: MissingPart[];
	/** The exchange refused a part because there were too many requests, and named this pause, ms; absent: it did not. */
	retry_after_ms?: number;
}

/** Why an account could not be read; the only word about it that is stored or shown. */
export const ACCOUNT_ERRORS = [
	"authentication_failed",
	"permission_denied",
	"clock_skew",
	"rate_limited",
	"timeout",
	"exchange_unavailable",
	"not_supported",
	"bad_response",
	"exchange_error",
	"overloaded",
	"unknown_exchange",
	"key_unreadable",
	"account_key_too_powerful",
] as const;
export type AccountErrorCode = (typeof ACCOUNT_ERRORS)[number];

/** After "too many requests" without a word for how long, ms. */
export const LIMITED_PAUSE_MS = 60_000;

/** Carries the code alone: what an exchange says may repeat the request, and with it the key. */
export class ExchangeAccountError extends Error {
	readonly code: AccountErrorCode;
	/** Of `rate_limited`: the pause that the exchange named; null: it named none. */
	readonly retryAfterMs: number | null;
	constructor(code: AccountErrorCode, retryAfterMs: number | null = null) {
		super(`the exchange account could not be read: ${code}`);
		this.name = "ExchangeAccountError";
		this.code = code;
		this.retryAfterMs = retryAfterMs;
	}
}

/**
 * Reads accounts. Every call ends within its limit; it rejects with ExchangeAccountError, or with the signal's
 * reason when that aborts.
 */
export interface ExchangeAccounts {
	/** Whether there is such an exchange. */
	knows(exchange: string): Promise<boolean>;
	read(account: ExchangeAccount, signal: AbortSignal, limitMs: number): Promise<AccountReading>;
	/** null: the exchange does not say. Rejects only for one that does. */
	permissions(account: ExchangeAccount, signal: AbortSignal, limitMs: number): Promise<KeyRights | null>;
	close(): Promise<void>;
}
