/** Option chains read of a stub of their exchange, through ccxt and over HTTP. */
import { systemClock } from "../../../src/clock.ts";
import { openVenue } from "../../../src/market/ccxt/venue.ts";
import type { OptionChain, OptionQuote } from "../../../src/market/contract.ts";
import { openGate } from "../../../src/market/gate.ts";
import { STUB_NOW_MS } from "./candles.ts";
import { NEAR_MS } from "./options.ts";
import { type StubAnswers, startExchangeStub } from "./server.ts";

const signal = AbortSignal.timeout(60_000);

export interface ChainRead {
	chain: OptionChain | null;
	/** Paths that were asked for, with their queries. */
	requests: readonly string[];
	missing: readonly string[];
}

/** The chain of a base as the venue `id` reads it of a stub, at the stub's instant. */
export async function chainOf(id: string, answers: StubAnswers, base: string, gate = openGate): Promise<ChainRead> {
	const stub = await startExchangeStub(answers);
	try {
		const venue = await openVenue({ id, baseUrl: stub.baseUrl, gate, clock: systemClock });
		const chain = await venue.optionChain({ base, as_of_ms: STUB_NOW_MS }, signal);
		return { chain, requests: stub.requests, missing: stub.missing };
	} finally {
		await stub.close();
	}
}

export const bySymbol = (chain: OptionChain | null): Record<string, OptionQuote> =>
	Object.fromEntries((chain?.quotes ?? []).map((quote) => [quote.symbol, quote]));

/** An option on which every stub agrees, in its own units. */
export const QUOTED: Omit<OptionQuote, "symbol" | "kind"> = {
	strike: 130,
	expiry_ms: NEAR_MS,
	bid: 0.0395,
	ask: 0.0425,
	bid_quantity: 20,
	ask_quantity: 90,
	mark_price: 0.0407,
	bid_iv: 0.605,
	ask_iv: 0.62,
	mark_iv: 0.6125,
	open_interest: 270,
	forward: 131.5,
	at_ms: STUB_NOW_MS - 500,
};
