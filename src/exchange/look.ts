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
	type KeyRights,
	LIMITED_PAUSE_MS,
} from "./contract.ts";

/** An exchange is asked again what a key may do once its word is as old as this. */
const RIGHTS_FRESH_MS = 3_600_000;

/** Its last word holds for so long when it does not answer. */
const RIGHTS_KEPT_MS = 86_400_000;

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

export interface Look {
	/** To be noted. */
	state: AccountState;
	/** Why an exchange that can say what a key may do has not said it; null: it has, cannot, or was not asked. */
	unsaid: AccountErrorCode | null;
}

/** The word for a key whose rights nobody knows although the exchange could have said them; null: they are known enough. */
function doubtOf(said: KeyRights | null, unsaid: AccountErrorCode | null, known: number | null, nowMs: number) {
	if (said !== null) return null;
	if (known === null) return unsaid;
	return nowMs - known < RIGHTS_KEPT_MS ? null : (unsaid ?? "bad_response");
}

/**
 * Reads an account and, when its word about the key has aged, asks the exchange what the key may do; both at
 * once. A failure is a code in the state and keeps the earlier reading. A key that may trade or withdraw loses it, and
 * stays refused until the exchange says otherwise; one that the exchange has not spoken of for a day is not read on.
 */
export async function lookAt(
	exchanges: ExchangeAccounts,
	account: ExchangeAccount,
	before: AccountState,
	{ nowMs, limitMs, signal }: { nowMs: number; limitMs: number; signal: AbortSignal },
): Promise<Look> {
	const known = before.permissions_at_ms;
	const asks = known === null || nowMs - known >= RIGHTS_FRESH_MS;
	const [reading, rights] = await Promise.allSettled([
		exchanges.read(account, signal, limitMs),
		asks ? exchanges.permissions(account, signal, limitMs) : null,
	]);
	signal.throwIfAborted();
	const said = rights.status === "fulfilled" ? rights.value : null;
	const unsaid = rights.status === "rejected" ? codeOf(rights.reason) : null;
	const pause = leftAlone(nowMs, [reading, rights]);
	const { last_read_at } = before;
	if (said ? said.trade || said.withdraw : before.last_error === "account_key_too_powerful") {
		const last_error = "account_key_too_powerful" as const;
		return { state: { last_read_at, last_error, permissions_at_ms: null, held: null, ...pause }, unsaid };
	}
	const permissions_at_ms = said ? nowMs : known;
	const failure = reading.status === "rejected" ? codeOf(reading.reason) : doubtOf(said, unsaid, known, nowMs);
	if (reading.status === "rejected" || failure !== null)
		return { state: { last_read_at, last_error: failure, permissions_at_ms, held: before.held, ...pause }, unsaid };
	const held = holdingsOf(account.exchange, reading.value);
	return { state: { last_read_at: isoOf(held.as_of_ms), last_error: null, permissions_at_ms, held, ...pause }, unsaid };
}
