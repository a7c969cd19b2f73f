import type { Exchange } from "ccxt";
import { MarketError, TIMEFRAME_MS } from "../contract.ts";
import type { RawSettlement } from "../funding.ts";
import { buildFundingColumns, mergeFunding } from "../funding.ts";
import type { FundingColumns } from "../series.ts";
import type { ListedMarket } from "./listing.ts";
import { createHistories } from "./pages.ts";
import type { ExchangeProfile } from "./profiles.ts";

/** How far back settlements are read; the oldest perps of today are younger. */
const HISTORY_MS = 8 * 365 * TIMEFRAME_MS["1d"];
/** Pages within one window: a contract that once settled more often than it does now. */
const WINDOW_PAGES_MAX = 48;
/** So many settlements fewer than a page may hold are asked for at once, so that a full page is one that was cut. */
const PAGE_SPARE = 2;
const INTERVAL_HOURS_DEFAULT = 8;
/** Exchanges stamp a settlement some milliseconds after its hour, from which on it counts. */
const LATE_STAMP_MS = 1000;

export interface Settlements {
	/** Settled rates up to as_of; null: the exchange has no such history. */
	read(market: ListedMarket, intervalHours: number | null, asOfMs: number): Promise<FundingColumns | null>;
	/** Hours between settlements by symbol, as the exchange lists them now. */
	intervals(symbols: readonly string[]): Promise<Map<string, number>>;
}

export function createSettlements(exchange: Exchange, profile: ExchangeProfile): Settlements {
	const histories = createHistories<FundingColumns>();
	return {
		async read(market, intervalHours, asOfMs) {
			if (!market.swap || !exchange.has.fetchFundingRateHistory) return null;
			const stepMs = (intervalHours ?? INTERVAL_HOURS_DEFAULT) * TIMEFRAME_MS["1h"];
			const to_ms = asOfMs + LATE_STAMP_MS;
			const from_ms = to_ms - HISTORY_MS;
			return histories.read(market.symbol, {
				from_ms,
				to_ms,
				window_ms: (profile.funding_max - PAGE_SPARE) * stepMs,
				// A contract that settles every hour now may have settled once a day before.
				spacing_ms: TIMEFRAME_MS["1d"],
				ended: market.active === false,
				first: (columns) => (columns.length === 0 ? null : (columns.funding_time[0] as number)),
				settled: (columns) => (columns.length === 0 ? 0 : (columns.funding_time[columns.length - 1] as number) + 1),
				page: (fromMs, toMs) => page(exchange, profile, market, fromMs, toMs),
				oldest: profile.pages_from_begin
					? async () => (await exchange.fetchFundingRateHistory(market.symbol, from_ms, 1))[0]?.timestamp ?? null
					: null,
				merge: mergeFunding,
			});
		},
		async intervals(symbols) {
			const listed = await listedIntervals(exchange);
			const found = new Map<string, number>();
			for (const symbol of symbols) {
				const hours = listed.get(symbol) ?? profile.funding_interval_default;
				if (hours !== null) found.set(symbol, hours);
			}
			return found;
		},
	};
}

async function listedIntervals(exchange: Exchange): Promise<Map<string, number>> {
	const listed = exchange.has.fetchFundingIntervals === true ? "fetchFundingIntervals" : "fetchFundingRates";
	if (exchange.has[listed] !== true) return new Map();
	const rates = (await exchange[listed]()) as unknown as Record<string, { interval?: string } | undefined>;
	const hours = new Map<string, number>();
	for (const [symbol, rate] of Object.entries(rates)) {
		const value = /^(\d+)h$/.exec(rate?.interval ?? "")?.[1];
		if (value !== undefined) hours.set(symbol, Number(value));
	}
	return hours;
}

/**
 * Settlements of [fromMs, toMs). A full page hides the rest of its window: newer ones where the exchange counts from the
 * begin, older ones where it counts from the end. Both sides of it are asked for, unless the exchange is known.
 * Throws MarketError fetch_failed for a window that holds more than WINDOW_PAGES_MAX pages: a part of it would look whole.
 */
async function page(
	exchange: Exchange,
	profile: ExchangeProfile,
	market: ListedMarket,
	fromMs: number,
	toMs: number,
): Promise<FundingColumns> {
	const found: RawSettlement[] = [];
	const open: { from: number; until: number }[] = [{ from: fromMs, until: toMs - 1 }];
	for (let pages = 0; ; pages++) {
		const next = open.pop();
		if (next === undefined) return buildFundingColumns(found);
		if (pages >= WINDOW_PAGES_MAX) {
			const text = `${exchange.id} has more settlements of ${market.symbol} than can be read`;
			throw new MarketError("fetch_failed", text, false);
		}
		const { from, until } = next;
		const params = profile.fundingUntil(until);
		const rates = await exchange.fetchFundingRateHistory(market.symbol, from, profile.funding_max, params);
		let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
		for (const row of rates) {
			const { timestamp } = row;
			const rate = profile.settledRate(row);
			if (timestamp === undefined) continue;
			oldest = Math.min(oldest, timestamp);
			newest = Math.max(newest, timestamp);
			if (rate !== undefined && timestamp >= from && timestamp <= until) found.push({ time: timestamp, rate });
		}
		// A page that lies outside of what was asked for brings nobody further.
		if (rates.length < profile.funding_max || newest < from || oldest > until) continue;
		const sides = [
			{ from: newest + 1, until },
			{ from, until: oldest - 1 },
		];
		open.push(...(profile.pages_from_begin ? sides.slice(0, 1) : sides).filter((side) => holdsOne(side)));
	}
}

/** Contracts settle on whole hours, so a shorter stretch beside a settlement holds none. */
const holdsOne = ({ from, until }: { from: number; until: number }): boolean =>
	until - from >= TIMEFRAME_MS["1h"] - LATE_STAMP_MS;
