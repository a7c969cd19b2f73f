import { systemClock } from "./clock.ts";
import { type AccountBook, createAccountBook } from "./exchange/account-book.ts";
import { createExchangeAccounts } from "./exchange/accounts.ts";
import type { Foundation } from "./foundation.ts";
import type { SourceGate } from "./market/gate.ts";
import { createSourceGate } from "./market/source-gate.ts";
import { createMarketBudget } from "./store/market-budget.ts";

/** Exchange accounts in this process: the book of them, and the thread that reads them. */
export interface AccountParts {
	book: AccountBook;
	close(): Promise<void>;
}

/** `market`: the gate before the market's live exchanges; without one accounts have a gate of their own. */
export function createAccountParts(
	{ config, users, vault, entropy, logger, provision, redis }: Foundation,
	market: SourceGate | null,
): AccountParts {
	const budget = provision.kind === "memory" ? null : createMarketBudget(redis, config.marketBaseUrl);
	const gate = market ?? createSourceGate({ budget, clock: systemClock, entropy });
	const exchanges = createExchangeAccounts({ baseUrl: config.marketBaseUrl, gate, clock: systemClock });
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
