import type { OptionChain, OptionQuote } from "../../src/market/contract.ts";
import { black76, YEAR_MS } from "../../src/pricing/black76.ts";
import { DAY_MS } from "./synthetic-market.ts";

export interface ChainParts {
	base: string;
	atMs: number;
	/** Premiums in the base currency. */
	inverse?: boolean;
	forward?: number;
	days?: readonly number[];
	/** By days to expiry; flat over strikes. */
	volatility?: (days: number) => number;
	/** In volatility. */
	halfSpread?: number;
	openInterest?: number;
	contractSize?: number;
	size?: number;
	/** Last word on a quote. */
	change?: (quote: OptionQuote) => OptionQuote;
}

/** A chain without arbitrage: one volatility an expiry, strikes 4 % of the forward apart, the same spread everywhere. */
export function quotedChain(parts: ChainParts): OptionChain {
	const { base, atMs, inverse = false, forward = 100, halfSpread = 0.005, size = 500 } = parts;
	const quotes = (parts.days ?? [14, 35]).flatMap((days) => {
		const years = (days * DAY_MS) / YEAR_MS;
		const volatility = parts.volatility?.(days) ?? 0.5;
		return Array.from({ length: 17 }, (_, i) => forward * (0.68 + 0.04 * i)).flatMap((strike) =>
			(["call", "put"] as const).map((kind): OptionQuote => {
				const paid = (v: number) => black76({ kind, forward, strike, years }, v) / (inverse ? forward : 1);
				const quote: OptionQuote = {
					symbol: `${base}/USD:${base}-D${days}-${strike.toPrecision(6)}-${kind === "call" ? "C" : "P"}`,
					kind,
					strike,
					expiry_ms: atMs + days * DAY_MS,
					bid: paid(volatility - halfSpread),
					ask: paid(volatility + halfSpread),
					bid_quantity: size,
					ask_quantity: size,
					mark_price: paid(volatility),
					bid_iv: volatility - halfSpread,
					ask_iv: volatility + halfSpread,
					mark_iv: volatility,
					open_interest: parts.openInterest ?? 1000,
					forward,
					at_ms: atMs,
				};
				return parts.change?.(quote) ?? quote;
			}),
		);
	});
	return { base, venue: "test_options", inverse, contract_size: parts.contractSize ?? 0.1, quotes, at_ms: atMs };
}
