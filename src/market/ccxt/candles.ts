import type { Exchange } from "ccxt";
import type { Timeframe } from "../contract.ts";
import { MarketError, TIMEFRAME_MS } from "../contract.ts";
import type { BarColumns } from "../series.ts";
import { createBarColumns, mergeBars, normaliseBars, resampleBars, sliceBars } from "../series.ts";
import type { ClosedBy } from "./dates.ts";
import { type ListedMarket, typeOf, unitOf } from "./listing.ts";
import { createHistories } from "./pages.ts";
import type { ExchangeProfile } from "./profiles.ts";

/**
 * How far back a history is read, in bars: decades of days, because evidence rests on them; of the shorter
 * steps what the strategies look at, because each page costs a request.
 */
export const HISTORY_BARS: Record<Timeframe, number> = {
	"1m": 3000,
	"5m": 2000,
	"15m": 3000,
	"1h": 10_000,
	"4h": 6000,
	"1d": 4000,
};
const PAGE_BARS_DEFAULT = 500;

export interface Candles {
	/** Bars that closed by as_of, the `limit` newest or all within HISTORY_BARS; maybe older ones too. */
	read(market: ListedMarket, timeframe: Timeframe, asOfMs: number, limit: number | null): Promise<BarColumns>;
}

/** `closedBy`: up to when, of the wanted end, bars have closed; absent: up to that end. */
export function createCandles(
	exchange: Exchange,
	profile: ExchangeProfile,
	closedBy: ClosedBy = async (toMs) => toMs,
): Candles {
	keepValues(exchange, profile);
	const histories = createHistories<BarColumns>();

	const read: Candles["read"] = async (market, timeframe, asOfMs, limit) => {
		const source = sourceOf(exchange, market, timeframe);
		const [stepMs, sourceMs] = [TIMEFRAME_MS[timeframe], TIMEFRAME_MS[source]];
		if (source !== timeframe) {
			const finer = await read(market, source, asOfMs, limit === null ? null : (limit + 1) * (stepMs / sourceMs));
			return resampleBars(finer, sourceMs, stepMs);
		}
		const to_ms = Math.floor(asOfMs / stepMs) * stepMs;
		const from_ms = Math.max(0, to_ms - Math.min(limit ?? Number.POSITIVE_INFINITY, HISTORY_BARS[timeframe]) * stepMs);
		const bars = await histories.read(`${market.symbol}:${timeframe}`, {
			from_ms,
			to_ms,
			window_ms: pageBars(exchange, profile, market) * stepMs,
			ended: market.active === false,
			first: (bars) => (bars.length === 0 ? null : (bars.open_time[0] as number)),
			settled: (bars) => (bars.length === 0 ? 0 : (bars.open_time[bars.length - 1] as number) + stepMs),
			page: (fromMs, toMs) => page({ exchange, profile, closedBy }, market, timeframe, fromMs, toMs),
			oldest: profile.pages_from_begin
				? async () => (await exchange.fetchOHLCV(market.symbol, timeframe, from_ms, 1))[0]?.[0] ?? null
				: null,
			merge: mergeBars,
		});
		if (bars.length > 0 || limit !== null) return bars;
		throw new MarketError("not_supported", `${exchange.id} has no ${timeframe} candles of ${market.symbol}`, false);
	};
	return { read };
}

function pageBars(exchange: Exchange, profile: ExchangeProfile, market: ListedMarket): number {
	if (profile.candles_max !== null) return profile.candles_max;
	const features = exchange.features as
		| Record<string, { fetchOHLCV?: { limit?: number }; linear?: { fetchOHLCV?: { limit?: number } } } | undefined>
		| undefined;
	const own = market.spot ? features?.spot : (features?.swap?.linear ?? features?.swap);
	return own?.fetchOHLCV?.limit ?? PAGE_BARS_DEFAULT;
}

/** The steps from which bars of a step are built where the exchange has no such bars; the coarsest it has. */
function sourceOf(exchange: Exchange, market: ListedMarket, timeframe: Timeframe): Timeframe {
	const stepMs = TIMEFRAME_MS[timeframe];
	const offered = (Object.keys(TIMEFRAME_MS) as Timeframe[])
		.filter((name) => exchange.timeframes?.[name] !== undefined && stepMs % TIMEFRAME_MS[name] === 0)
		.sort((a, b) => TIMEFRAME_MS[b] - TIMEFRAME_MS[a]);
	const [coarsest] = offered;
	if (!exchange.has.fetchOHLCV || coarsest === undefined) {
		throw new MarketError("not_supported", `${exchange.id} has no ${timeframe} candles of ${market.symbol}`, false);
	}
	return coarsest;
}

/** ccxt's candles have six columns; the exchange's own value of a bar becomes the seventh. */
function keepValues(exchange: Exchange, profile: ExchangeProfile): void {
	const parse = exchange.parseOHLCV.bind(exchange);
	exchange.parseOHLCV = (raw, market) => {
		const candle = parse(raw, market);
		const value = profile.candleValue(raw);
		return value === null ? candle : ([...candle, value] as unknown as typeof candle);
	};
}

interface Paged {
	exchange: Exchange;
	profile: ExchangeProfile;
	closedBy: ClosedBy;
}

async function page(
	{ exchange, profile, closedBy }: Paged,
	market: ListedMarket,
	timeframe: Timeframe,
	fromMs: number,
	toMs: number,
): Promise<BarColumns> {
	const stepMs = TIMEFRAME_MS[timeframe];
	const limit = Math.round((toMs - fromMs) / stepMs);
	const beforeMs = await closedBy(toMs, false);
	const rows: unknown = await exchange.fetchOHLCV(market.symbol, timeframe, fromMs, limit, { until: toMs - 1 });
	const closedMs = beforeMs < toMs ? beforeMs : await closedBy(toMs, true);
	// The first open time of a bar that still ran.
	const endMs = closedMs < toMs ? closedMs - stepMs + 1 : toMs;
	const unit = typeOf(market) === "perp" && profile.candles_in_contracts ? unitOf(market) : 1;
	return barsOf(
		rows as number[][],
		{ fromMs, toMs: endMs, stepMs, unit },
		`${exchange.id} ${market.symbol} ${timeframe}`,
	);
}

/**
 * Rows of ccxt as columns: those of [fromMs, toMs), sorted, one per open time. The bar that still runs lies after
 * toMs, so it is never among them. Without a value of its own a bar's is estimated as volume * (o+h+l+c)/4.
 * Throws MarketError fetch_failed for a row that is no candle.
 */
export function barsOf(
	rows: readonly (readonly (number | undefined)[])[],
	{ fromMs, toMs, stepMs, unit }: { fromMs: number; toMs: number; stepMs: number; unit: number },
	name: string,
): BarColumns {
	const bars = createBarColumns(rows.length);
	let n = 0;
	for (const [time, open, high, low, close, volume, value] of rows) {
		if (time === undefined || time < fromMs || time >= toMs) continue;
		const whole = open !== undefined && high !== undefined && low !== undefined && close !== undefined;
		const inOrder = whole && low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close);
		if (!inOrder || time % stepMs !== 0 || !((volume ?? 0) >= 0)) {
			throw new MarketError("fetch_failed", `${name}: the exchange sent a row that is no candle`, true);
		}
		bars.open_time[n] = time;
		[bars.open[n], bars.high[n], bars.low[n], bars.close[n]] = [open, high, low, close];
		bars.volume[n] = (volume ?? 0) * unit;
		bars.quote_volume[n] = value ?? ((bars.volume[n] as number) * (open + high + low + close)) / 4;
		n++;
	}
	return normaliseBars(sliceBars(bars, 0, n));
}
