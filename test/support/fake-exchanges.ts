import {
	type AccountErrorCode,
	type AccountReading,
	ExchangeAccountError,
	type ExchangeAccounts,
	type KeyRights,
} from "../../src/exchange/contract.ts";

/** An exchange that answers what a test puts into it, by key. */
export function createFakeExchanges(now: () => number) {
	const rights = new Map<string, KeyRights | null>();
	const failing = new Map<string, AccountErrorCode>();
	/** Keys of which it does not say what they may do, with the word for why. */
	const mute = new Map<string, AccountErrorCode>();
	const calls = { read: 0, permissions: 0 };
	const held: Pick<AccountReading, "balances" | "positions" | "missing"> = {
		balances: [
			{ asset: "USDT", quantity: 100 },
			{ asset: "BTC", quantity: 1 },
		],
		positions: [],
		missing: [],
	};
	const exchanges: ExchangeAccounts = {
		knows: async (exchange) => exchange === "binance",
		async read({ credentials }) {
			calls.read++;
			const code = failing.get(credentials.api_key);
			if (code) throw new ExchangeAccountError(code);
			return { ...held, as_of_ms: now() };
		},
		async permissions({ credentials }) {
			calls.permissions++;
			const code = mute.get(credentials.api_key);
			if (code) throw new ExchangeAccountError(code);
			return rights.has(credentials.api_key)
				? (rights.get(credentials.api_key) ?? null)
				: { trade: false, withdraw: false };
		},
		close: async () => undefined,
	};
	return { exchanges, rights, failing, mute, calls, held };
}
