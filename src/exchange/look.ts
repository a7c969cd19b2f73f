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

/** The longest that an exchange that asked for fewer requests wants to be left alone, ms; 0: it did not ask. */
function pauseNamed(looks: readonly PromiseSettledResult<unknown>[]): number {
	const pauses = looks.map((look): number => {
		if (look.status === "fulfilled") return (look.value as Partial<AccountReading> | null)?.retry_after_ms ?? 0;
		if (codeOf(look.reason) !== "rate_limited") return 0;
		return (look.reason as ExchangeAccountError).retryAfterMs ?? LIMITED_PAUSE_MS;
	});
	return Math.min(BLOCK_MS_MAX, Math.max(...pauses));
}

/** Pauses after looks that failed, ms: the first, doubled with each failure up to the last. */
const FAILURE_PAUSE_MS = [10_000, 600_000] as const;
/** What hardly mends by itself. */
const LASTING_PAUSE_MS = [60_000, 3_600_000] as const;
const LASTING: ReadonlySet<AccountErrorCode> = new Set(["authentication_failed", "permission_denied"]);

function pauseAfter(code: AccountErrorCode, failures: number): number {
	const [first, last] = LASTING.has(code) ? LASTING_PAUSE_MS : FAILURE_PAUSE_MS;
	return Math.min(last, first * 2 ** (failures - 1));
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
 * Each failure makes the pause before the next look longer.
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
	const named = pauseNamed([reading, rights]);
	const left = (pauseMs: number) => (pauseMs > 0 ? { retry_at_ms: nowMs + pauseMs } : {});
	const failed = (last_error: AccountErrorCode, rest: Pick<AccountState, "permissions_at_ms" | "held">): Look => {
		const failures = (before.failures ?? 0) + 1;
		const pause = left(Math.max(named, pauseAfter(last_error, failures)));
		return { state: { last_read_at: before.last_read_at, last_error, ...rest, ...pause, failures }, unsaid };
	};
	if (said ? said.trade || said.withdraw : before.last_error === "account_key_too_powerful")
		return failed("account_key_too_powerful", { permissions_at_ms: null, held: null });
	const permissions_at_ms = said ? nowMs : known;
	if (reading.status === "rejected") return failed(codeOf(reading.reason), { permissions_at_ms, held: before.held });
	const doubt = doubtOf(said, unsaid, known, nowMs);
	if (doubt !== null) return failed(doubt, { permissions_at_ms, held: before.held });
	const held = holdingsOf(account.exchange, reading.value);
	return {
		state: { last_read_at: isoOf(held.as_of_ms), last_error: null, permissions_at_ms, held, ...left(named) },
		unsaid,
	};
}
