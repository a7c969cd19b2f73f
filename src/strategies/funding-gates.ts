import type { FundingSeries, Market } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Candidate, MarketView } from "./contract.ts";
import {
	BP_E8,
	E8,
	exceedsThreshold,
	type FundingWindow,
	HOUR_MS,
	isPersistent,
	PAST_UNITS,
	pastWindow,
	simpleApr,
} from "./funding-rates.ts";
import { aprPercent } from "./funding-row.ts";
import type { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";

export const VOLUME_USD_MIN = 10_000_000;
export const OPEN_INTEREST_USD_MIN = 5_000_000;
export const SETTLEMENTS_MIN = 30;
/** Two of the longest intervals: contracts change theirs, so their usual one is no measure. */
export const STALE_HOURS = 16;
/** Percent a year of 1 bp per 8 hours. */
const THRESHOLD_APR_PERCENT = 100 * simpleApr(BP_E8 / E8, 8);

/** Where what was seen of one candidate is noted. */
export type Notes = Pick<Ledger, "nearMiss" | "sawDatumAt">;

/** A perp whose funding was read and that trades enough. */
export interface FundedPerp {
	market: Market;
	funding: FundingSeries;
}

/** A perp whose own funding is worth a look. */
export interface Carry extends FundedPerp {
	candidate: Candidate;
	window: FundingWindow;
	/** 3-day mean per 8 hours, fraction, signed. */
	past: number;
}

/** A perp above the threshold that fails for another reason: shown by its annual rate. */
export function noteCarry(symbol: string, past: number, reason: string, ledger: Notes): void {
	ledger.nearMiss({ symbol, reason, value: aprPercent({ past }), threshold: THRESHOLD_APR_PERCENT, distance: 0 });
}

/** A mean that does not exceed the threshold, as a refusal and a near miss. */
export function tooSmall(symbol: string, past: number, ledger: Notes): Refusal {
	const value = aprPercent({ past });
	const distance = THRESHOLD_APR_PERCENT - value;
	ledger.nearMiss({ symbol, reason: "below_threshold", value, threshold: THRESHOLD_APR_PERCENT, distance });
	return { reason: "below_threshold", detail: `${(past * 10_000).toFixed(3)} bp per 8 h` };
}

/** Open interest that is not known is no small one; null: enough is traded and held. */
function liquidityGate(market: Market): Refusal | null {
	const { volume_usd_24h: volume, open_interest_usd: interest, open_interest_missing: missing } = market;
	const traded = (volume ?? 0) > VOLUME_USD_MIN;
	if (traded && missing === "unread") return { reason: "fetch_failed", detail: "its open interest could not be read" };
	if (traded && missing === "unpublished") {
		return { reason: "missing_open_interest", detail: `no open interest is read of ${market.venue}` };
	}
	if (traded && (interest ?? 0) > OPEN_INTEREST_USD_MIN) return null;
	return { reason: "illiquid", detail: `volume ${known(volume)} USD, open interest ${known(interest)} USD` };
}

/** The gates on what was read and traded of one perp. */
export function fundedPerp(market: Market, funding: FundingSeries | null, asOfMs: number): FundedPerp | Refusal {
	const illiquid = liquidityGate(market);
	if (illiquid) return illiquid;
	if (!funding || funding.length === 0) return { reason: "fetch_failed", detail: "no funding was read" };
	const newest = last(funding.funding_time);
	if (asOfMs - newest <= STALE_HOURS * HOUR_MS) return { market, funding };
	const hours = ((asOfMs - newest) / HOUR_MS).toFixed(1);
	return { reason: "stale_data", detail: `the last settlement was ${hours} hours ago` };
}

const known = (value: number | null): string => (value === null ? "unknown" : String(Math.round(value)));

/** The candidate's own perp, past the gates on data and liquidity. */
export function readPerp({ symbol, market }: Candidate, view: MarketView, ledger: Notes): FundedPerp | Refusal {
	const error = view.errors[symbol];
	if (error !== undefined || !market)
		return { reason: "fetch_failed", detail: error ?? "no market description was read" };
	const perp = fundedPerp(market, view.funding[symbol] ?? null, view.as_of_ms);
	if ("funding" in perp) ledger.sawDatumAt(last(perp.funding.funding_time));
	return perp;
}

/** A carry of the perp against spot: the size of the rate, the leg, the record and the persistence, in this order. */
export function readCarry(candidate: Candidate, perp: FundedPerp, view: MarketView, ledger: Notes): Carry | Refusal {
	const { symbol } = candidate;
	const window = pastWindow(perp.funding, view.as_of_ms);
	const past = window.sumE8 / PAST_UNITS / E8;
	if (!exceedsThreshold(window.sumE8)) return tooSmall(symbol, past, ledger);
	const carry = { candidate, ...perp, window, past };
	const missingLeg = legGate(carry);
	if (missingLeg) {
		noteCarry(symbol, past, missingLeg.reason, ledger);
		return missingLeg;
	}
	return historyGate([perp.funding], window) ?? carry;
}

/** The spot market that carries the other leg; null where the source lists none. */
export const spotLeg = ({ asset }: Candidate): Market | null =>
	asset?.markets.find((market) => market.type === "spot" && market.tags.length === 0) ?? null;

function legGate(carry: Carry): Refusal | null {
	const detail = `${(carry.past * 10_000).toFixed(2)} bp per 8 h, ${aprPercent(carry).toFixed(1)} % a year`;
	if (carry.past < 0)
		return { reason: "not_borrowable", detail: `${detail}: the short spot leg needs a borrow and its rate` };
	return spotLeg(carry.candidate) ? null : { reason: "no_spot_market", detail };
}

/** The length of the records and the persistence of the rate; null when both hold. */
export function historyGate(records: readonly FundingSeries[], window: FundingWindow): Refusal | null {
	const fewest = Math.min(...records.map(({ length }) => length));
	if (fewest < SETTLEMENTS_MIN) {
		return { reason: "insufficient_history", detail: `${fewest} of ${SETTLEMENTS_MIN} settlements` };
	}
	if (isPersistent(window)) return null;
	return {
		reason: "below_threshold",
		detail: `${window.agreeing} of the last 9 settlements agree, or one alone makes the mean`,
	};
}
