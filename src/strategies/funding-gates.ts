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
import type { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";

export const VOLUME_USD_MIN = 10_000_000;
export const OPEN_INTEREST_USD_MIN = 5_000_000;
export const SETTLEMENTS_MIN = 30;
/** Two of the longest intervals: contracts change theirs, so their usual one is no measure. */
export const STALE_HOURS = 16;
/** Percent a year of 1 bp per 8 hours. */
const THRESHOLD_APR_PERCENT = 100 * simpleApr(BP_E8 / E8, 8);

/** A perp whose funding is worth a look. */
export interface Carry {
	candidate: Candidate;
	market: Market;
	funding: FundingSeries;
	window: FundingWindow;
	/** 3-day mean per 8 hours, fraction, signed. */
	past: number;
}

export const aprPercent = (carry: Pick<Carry, "past">): number => 100 * simpleApr(Math.abs(carry.past), 8);

/** A perp above the threshold that fails for another reason: shown by its annual rate. */
export function noteCarry(carry: Carry, reason: string, ledger: Ledger): void {
	const { symbol } = carry.candidate;
	ledger.nearMiss({ symbol, reason, value: aprPercent(carry), threshold: THRESHOLD_APR_PERCENT, distance: 0 });
}

/** Gates on data, liquidity and size of the rate, in the order in which they are counted. */
export function readCarry(candidate: Candidate, view: MarketView, ledger: Ledger): Carry | Refusal {
	const { symbol, market } = candidate;
	const error = view.errors[symbol];
	if (error !== undefined || !market)
		return { reason: "fetch_failed", detail: error ?? "no market description was read" };
	if (!((market.volume_usd_24h ?? 0) > VOLUME_USD_MIN) || !((market.open_interest_usd ?? 0) > OPEN_INTEREST_USD_MIN)) {
		return {
			reason: "illiquid",
			detail: `volume ${known(market.volume_usd_24h)} USD, open interest ${known(market.open_interest_usd)} USD`,
		};
	}
	const funding = view.funding[symbol];
	if (!funding || funding.length === 0) return { reason: "fetch_failed", detail: "no funding was read" };
	const newest = last(funding.funding_time);
	if (view.as_of_ms - newest > STALE_HOURS * HOUR_MS) {
		return {
			reason: "stale_data",
			detail: `the last settlement was ${((view.as_of_ms - newest) / HOUR_MS).toFixed(1)} hours ago`,
		};
	}
	ledger.sawDatumAt(newest);
	const window = pastWindow(funding, view.as_of_ms);
	const past = window.sumE8 / PAST_UNITS / E8;
	if (!exceedsThreshold(window.sumE8)) {
		const value = aprPercent({ past });
		ledger.nearMiss({
			symbol,
			reason: "below_threshold",
			value,
			threshold: THRESHOLD_APR_PERCENT,
			distance: THRESHOLD_APR_PERCENT - value,
		});
		return { reason: "below_threshold", detail: `${(past * 10_000).toFixed(3)} bp per 8 h` };
	}
	return { candidate, market, funding, window, past };
}

const known = (value: number | null): string => (value === null ? "unknown" : String(Math.round(value)));

/** The spot market that carries the other leg; null where the source lists none. */
export const spotLeg = ({ candidate }: Carry): Market | null =>
	candidate.asset?.markets.find((market) => market.type === "spot" && market.tags.length === 0) ?? null;

function legGate(carry: Carry): Refusal | null {
	const detail = `${(carry.past * 10_000).toFixed(2)} bp per 8 h, ${aprPercent(carry).toFixed(1)} % a year`;
	if (carry.past < 0)
		return { reason: "not_borrowable", detail: `${detail}: the short spot leg needs a borrow and its rate` };
	return spotLeg(carry) ? null : { reason: "no_spot_market", detail };
}

/** The leg, the length of the record and the persistence of the rate, in this order; null when all hold. */
export function carryGate(carry: Carry, ledger: Ledger): Refusal | null {
	const missingLeg = legGate(carry);
	if (missingLeg) {
		noteCarry(carry, missingLeg.reason, ledger);
		return missingLeg;
	}
	if (carry.funding.length < SETTLEMENTS_MIN) {
		return { reason: "insufficient_history", detail: `${carry.funding.length} of ${SETTLEMENTS_MIN} settlements` };
	}
	if (isPersistent(carry.window)) return null;
	return {
		reason: "below_threshold",
		detail: `${carry.window.agreeing} of the last 9 settlements agree, or one alone makes the mean`,
	};
}
