import type { Exchange } from "ccxt";
import type { Clock } from "../../clock.ts";
import type { SourceGate } from "../gate.ts";
import type { AnswerDates } from "./dates.ts";
import { loadExchange, redirectExchange } from "./load.ts";
import { type ExchangeProfile, usedWeightOf } from "./profiles.ts";
import { guardRequests, type ShareRequest } from "./requests.ts";

export interface VenueOptions {
	id: string;
	/** Every request goes to this origin instead of the exchange's; null: to the exchange. */
	baseUrl: string | null;
	gate: Pick<SourceGate, "take" | "report">;
	clock: Clock;
	requestLimitMs?: number;
	/** Where what is kept of the exchange is shared with other processes; absent: this one asks for itself. */
	share?: ShareRequest;
}

/** An instance of ccxt whose requests pass the gate; nothing is asked yet. Throws ExchangeLoadError as `loadExchange` does. */
export async function openExchange(
	{ id, baseUrl, gate, requestLimitMs, share }: VenueOptions,
	profile: ExchangeProfile,
	settings: Record<string, unknown>,
	dates: AnswerDates | null = null,
): Promise<Exchange> {
	const Constructor = await loadExchange(id);
	const exchange = new Constructor(settings);
	// Currencies are of no use here, and at some exchanges they need a key.
	exchange.has.fetchCurrencies = false;
	if (baseUrl !== null) redirectExchange(exchange, baseUrl);
	guardRequests(exchange, {
		source: id,
		gate,
		weightOf: profile.weightOf,
		budgetOf: profile.budgetOf,
		usedWeight: (headers, budget) => usedWeightOf(profile, headers, budget),
		...(dates ? { answered: dates.note } : {}),
		...(requestLimitMs === undefined ? {} : { requestLimitMs }),
		...(share ? { share } : {}),
	});
	return exchange;
}
