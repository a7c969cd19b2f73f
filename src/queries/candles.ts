import { isoOf } from "../clock.ts";
import type { MarketData, Series, Timeframe } from "../market/contract.ts";
import type { Viewer } from "../store/contract.ts";
import { absentError, foundOr } from "./absent.ts";
import type { ScanLookup } from "./lookup.ts";

/** Bars of one market as a scan could see them. */
export interface CandleQuery {
	/** ccxt unified. */
	symbol: string;
	/** Venue, where several list the symbol; null: the source's only one. */
	exchange: string | null;
	timeframe: Timeframe;
	/** Newest bars, at most. */
	limit: number;
}

export interface CandleQueries {
	/**
	 * Closed bars up to the moment the scan looked at. A market that cannot be read gives no bars and says why in
	 * `unavailable`; nothing is put in their place. Throws scan_not_found, scan_expired.
	 */
	candles(viewer: Viewer, scanId: string, query: CandleQuery, signal: AbortSignal): Promise<object>;
}

/** The bars are an extra: whoever asks for them waits no longer than this. */
const READ_LIMIT_MS = 5_000;

type Source = Pick<MarketData, "source" | "candles">;

export function createCandleQueries(lookup: ScanLookup, market: Source): CandleQueries {
	return {
		async candles(viewer, scanId, query, signal) {
			const record = foundOr(await lookup.byId(viewer, scanId), absentError);
			const { symbol, timeframe } = query;
			const { assets } = record.context;
			const answer = (bars: object[], unavailable: string | null) => ({
				success: true,
				scan_id: record.scan_id,
				symbol,
				timeframe,
				as_of: assets ? isoOf(assets.as_of_ms) : null,
				source: market.source.name,
				candles: bars,
				unavailable,
			});
			if (!assets) return answer([], "The scan has read no market.");
			// Bars are not kept with the scan: they can only be read again from the source it used.
			if (assets.data_source.name !== market.source.name) {
				return answer([], "The scan read another source than this server does now, and bars are not kept.");
			}
			const bounded = AbortSignal.any([signal, AbortSignal.timeout(READ_LIMIT_MS)]);
			try {
				return answer(barsOf(await market.candles(symbol, timeframe, readOf(query, assets.as_of_ms, bounded))), null);
			} catch (error) {
				if (signal.aborted) throw error;
				return answer([], bounded.aborted ? "The source did not answer in time." : "The source has no bars for it.");
			}
		},
	};
}

const readOf = ({ exchange, limit }: CandleQuery, as_of_ms: number, signal: AbortSignal) => ({
	signal,
	as_of_ms,
	limit,
	...(exchange === null ? {} : { venue: exchange }),
});

const barsOf = ({ length, open_time, open, high, low, close, volume }: Series): object[] =>
	Array.from({ length }, (_, i) => ({
		at: isoOf(open_time[i] as number),
		open: open[i],
		high: high[i],
		low: low[i],
		close: close[i],
		volume: volume[i],
	}));
