import type { FundingSeries } from "../../src/market/contract.ts";
import { fundingOf } from "./recorded-bars.ts";
import { START_MS } from "./synthetic-market.ts";

const INTERVAL_MS = 8 * 3_600_000;

/** Settlements every 8 hours from a rate per settlement number. */
export const settlements = (symbol: string, count: number, rate: (i: number) => number): FundingSeries =>
	fundingOf(
		Array.from({ length: count }, (_, i) => [START_MS + i * INTERVAL_MS, rate(i)] as const),
		symbol,
		START_MS + count * INTERVAL_MS,
	);
