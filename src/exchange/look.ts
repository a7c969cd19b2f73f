import type { AccountState } from "../accounts/exchange-account-store.ts";
import { isoOf } from "../clock.ts";
import { isDollarQuote } from "../dollars.ts";
import { BLOCK_MS_MAX } from "../market/gate.ts";
import type { Holdings } from "../services.ts";
import {
	type AccountErrorCode,
	type AccountReading,
	type ExchangeAccount,
	ExchangeAccountError,
	type ExchangeAccounts,
	LIMITED_PAUSE_MS,
} from "./contract.ts";

/** An exchange is asked again what a key may do once its word is as old as this. */
const RIGHTS_FRESH_MS = 3_600_000;

/** Exchanges that trade coins against dollars proper rather than USDT. */
const DOLLAR_EXCHANGES = new Set(["kraken", "coinbase", "coinbaseadvanced", "coinbaseexchange", "gemini", "bitstamp"]);

/** What a symbol is made of; an asset named otherwise has no price anywhere. */
const ASSET = /^[A-Za-z0-9.]{1,30}$/;

/** Dollars become cash, coins positions in the quote that their exchange trades them in. */
export function holdingsOf(exchange: string, { balances, positions, as_of_ms, missing }: AccountReading): Holdings {
	const quote = DOLLAR_EXCHANGES.has(exchange) ? "USD" : "USDT";
	const coins = balances.filter(({ asset }) => !isDollarQuote(asset) && ASSET.test(asset));
	const dollars = balances.filter(({ asset }) => isDollarQuote(asset));
	return {
		cash_usd: dollars.reduce((sum, { quantity }) => sum + quantity, 0),
		positions: [
			...coins.map(({ asset, quantity }) => ({ symbol: `${asset}/${quote}`, quantity, entry_price: null })),
			...positions,
		],
		as_of_ms,
		missing,
	};
}

/** The word for whatever a look at an account ended with. */
export const codeOf = (error: unknown): AccountErrorCode =>
	error instanceof ExchangeAccountError ? error.code : "exchange_error";

/** Until when an exchange that asked for fewer requests is left alone; nothing when it did not. */
function leftAlone(nowMs: number, looks: readonly PromiseSettledResult<unknown>[]): Pick<AccountState, "retry_at_ms"> {
	const pauses = looks.flatMap((look): number[] => {
		if (look.status === "fulfilled") {
			const pauseMs = (look.value as Partial<AccountReading> | null)?.retry_after_ms;
			return pauseMs === undefined ? [] : [pauseMs];
		}
		if (codeOf(look.reason) !== "rate_limited") return [];
		return [(look.reason as ExchangeAccountError).retryAfterMs ?? LIMITED_PAUSE_MS];
	});
	return pauses.length === 0 ? {} : { retry_at_ms: nowMs + Math.min(BLOCK_MS_MAX, Math.max(...pauses)) };
}

/**
 * Reads an account and, when its word about the key has aged, asks the exchange what the key may do; both at
 * once. Answers the state to be noted; a failure is a code in it and keeps the earlier reading, a key that may
 * trade or withdraw loses it.
 */
export async function lookAt(
	exchanges: ExchangeAccounts,
	account: ExchangeAccount,
	before: AccountState,
	{ nowMs, limitMs, signal }: { nowMs: number; limitMs: number; signal: AbortSignal },
): Promise<AccountState> {
	const known = before.permissions_at_ms;
	const asks = known === null || nowMs - known >= RIGHTS_FRESH_MS;
	const [reading, rights] = await Promise.allSettled([
		exchanges.read(account, signal, limitMs),
		asks ? exchanges.permissions(account, signal, limitMs) : null,
	]);
	signal.throwIfAborted();
	const said = rights.status === "fulfilled" ? rights.value : null;
	if (said?.trade || said?.withdraw) {
		const last_error = "account_key_too_powerful" as const;
		return { last_read_at: before.last_read_at, last_error, permissions_at_ms: null, held: null };
	}
	const permissions_at_ms = said ? nowMs : known;
	const pause = leftAlone(nowMs, [reading, rights]);
	if (reading.status === "rejected") {
		const { last_read_at, held } = before;
		return { last_read_at, last_error: codeOf(reading.reason), permissions_at_ms, held, ...pause };
	}
	const held = holdingsOf(account.exchange, reading.value);
	return { last_read_at: isoOf(held.as_of_ms), last_error: null, permissions_at_ms, held, ...pause };
}
