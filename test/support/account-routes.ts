import type { Users } from "../../src/accounts/users.ts";
import { createVault } from "../../src/accounts/vault.ts";
import type { RouteSpec } from "../../src/api/route.ts";
import { createExchangeAccountRoutes } from "../../src/api/routes/exchange-accounts.ts";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { type AccountBook, createAccountBook } from "../../src/exchange/account-book.ts";
import { ExchangeAccountError, type ExchangeAccounts } from "../../src/exchange/contract.ts";
import { testLogger } from "./store.ts";

/** Binance alone; keys that begin with `strong` may trade, those with `broken` are not accepted. */
export const wordyExchanges: ExchangeAccounts = {
	knows: async (exchange) => exchange === "binance",
	async read({ credentials }) {
		if (credentials.api_key.startsWith("broken")) throw new ExchangeAccountError("authentication_failed");
		const balances = [
			{ asset: "USDT", quantity: 1_000 },
			{ asset: "BTC", quantity: 0.5 },
		];
		return { balances, positions: [], as_of_ms: systemClock.now(), missing: [] };
	},
	permissions: async ({ credentials }) => ({ trade: credentials.api_key.startsWith("strong"), withdraw: false }),
	close: async () => undefined,
};

/** The routes of exchange accounts over the users' own Redis, with exchanges of a few lines. */
export function accountRoutesOn(users: () => Users): RouteSpec[] {
	const book = (): AccountBook =>
		createAccountBook({
			store: users().exchangeAccounts,
			vault: createVault(["a sealing key of thirty-two bytes or more"], systemEntropy),
			exchanges: wordyExchanges,
			clock: systemClock,
			entropy: systemEntropy,
			log: testLogger(),
		});
	// The users come after the routes.
	return createExchangeAccountRoutes({
		list: (...args) => book().list(...args),
		get: (...args) => book().get(...args),
		add: (...args) => book().add(...args),
		change: (...args) => book().change(...args),
		remove: (...args) => book().remove(...args),
		read: (...args) => book().read(...args),
	});
}
