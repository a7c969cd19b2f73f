import { systemClock } from "./clock.ts";
import { type AccountBook, createAccountBook } from "./exchange/account-book.ts";
import { createExchangeAccounts } from "./exchange/accounts.ts";
import type { Foundation } from "./foundation.ts";

/** Exchange accounts in this process: the book of them, and the thread that reads them. */
export interface AccountParts {
	book: AccountBook;
	close(): Promise<void>;
}

export function createAccountParts({ config, users, vault, entropy, logger }: Foundation): AccountParts {
	const exchanges = createExchangeAccounts({ baseUrl: config.marketBaseUrl, clock: systemClock });
	// The first scan with an account would wait for the thread and its packages otherwise.
	if (vault) void exchanges.knows("binance").catch(() => undefined);
	return {
		book: createAccountBook({
			store: users.exchangeAccounts,
			vault,
			exchanges,
			clock: systemClock,
			entropy,
			log: logger,
		}),
		close: () => exchanges.close(),
	};
}
