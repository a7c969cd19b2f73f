import type { Timeframe } from "./contract.ts";
import { MarketError, TIMEFRAME_MS } from "./contract.ts";
import { mergeFunding } from "./funding.ts";
import type { RecordedFiles } from "./recorded-files.ts";
import type { RecordedLayout, RecordedMarket } from "./recorded-layout.ts";
import type { FundingTable } from "./recorded-worker.ts";
import type { BarColumns, FundingColumns } from "./series.ts";
import { createFundingColumns, mergeBars, resampleBars } from "./series.ts";

/**
 * The whole recorded history of one market, put together from the files that hold parts of it. Cutting
 * at as_of is the caller's; nothing here knows what time it is.
 */
export interface RecordedSeries {
	/** MarketError not_supported: the set has no candles of this market and timeframe. */
	bars(market: RecordedMarket, timeframe: Timeframe, signal: AbortSignal): Promise<BarColumns>;
	hasBars(market: RecordedMarket, timeframe: Timeframe): boolean;
	/** Settlements by market id; null without any. */
	funding(market: RecordedMarket, signal: AbortSignal): Promise<FundingColumns | null>;
}

export function createRecordedSeries(layout: RecordedLayout, files: RecordedFiles): RecordedSeries {
	const readBars = (file: string, timeframe: Timeframe, signal: AbortSignal) =>
		files.read(file, { kind: "bars", stepMs: TIMEFRAME_MS[timeframe] }, signal);

	const merged = async (names: readonly (string | undefined)[], timeframe: Timeframe, signal: AbortSignal) => {
		const present = names.filter((name) => name !== undefined);
		const parts = await Promise.all(present.map((name) => readBars(name, timeframe, signal)));
		return parts.length === 0 ? null : parts.reduce(mergeBars);
	};

	const hourlyFiles = ({ id, type }: RecordedMarket): (string | undefined)[] =>
		type === "spot"
			? [layout.spotHourly.get(id)]
			: // The first has true quote volumes; the longer ones begin earlier.
				[layout.perpHourly.get(id), ...layout.perpHourlyLong.map((folder) => folder.get(id))];

	const dailyFile = ({ id, type }: RecordedMarket) =>
		type === "spot" ? layout.spotDaily.get(id) : layout.perpDaily.get(id);

	const hourly = (market: RecordedMarket, signal: AbortSignal) => merged(hourlyFiles(market), "1h", signal);

	/**
	 * Spot: the daily file (true quote volumes, long, but it ends early) and whole days of the hourly
	 * one. Perps: the daily file alone, so that a universe of daily perps is that one collection.
	 */
	const daily = async (market: RecordedMarket, signal: AbortSignal) => {
		const recorded = await merged([dailyFile(market)], "1d", signal);
		if (market.type === "perp") return recorded;
		const hours = await hourly(market, signal);
		const built = hours && resampleBars(hours, TIMEFRAME_MS["1h"], TIMEFRAME_MS["1d"]);
		return recorded && built ? mergeBars(recorded, built) : (recorded ?? built);
	};

	const build = async (market: RecordedMarket, timeframe: Timeframe, signal: AbortSignal) => {
		if (timeframe === "1h") return hourly(market, signal);
		if (timeframe === "1d") return daily(market, signal);
		const hours = timeframe === "4h" ? await hourly(market, signal) : null;
		return hours && resampleBars(hours, TIMEFRAME_MS["1h"], TIMEFRAME_MS["4h"]);
	};

	const hasBars = (market: RecordedMarket, timeframe: Timeframe): boolean => {
		const hasHours = hourlyFiles(market).some((file) => file !== undefined);
		if (timeframe === "1d") return dailyFile(market) !== undefined || (market.type === "spot" && hasHours);
		return (timeframe === "1h" || timeframe === "4h") && hasHours;
	};

	const fundingIn = async (file: string | null | undefined, id: string, signal: AbortSignal) => {
		if (!file) return null;
		const table = await files.read(file, { kind: "funding", symbolColumn: id !== "" }, signal);
		return settlementsOf(table, id);
	};

	return {
		hasBars,
		async bars(market, timeframe, signal) {
			if (!hasBars(market, timeframe)) {
				throw new MarketError(
					"not_supported",
					`the recorded set has no ${timeframe} candles of ${market.symbol}`,
					false,
				);
			}
			const make = async (own: AbortSignal) => (await build(market, timeframe, own)) as BarColumns;
			return files.derive(`series:${market.symbol}:${timeframe}`, make, signal);
		},
		async funding(market, signal) {
			if (market.type !== "perp") return null;
			const make = async (own: AbortSignal): Promise<FundingColumns> => {
				const recent = await fundingIn(layout.fundingAll, market.id, own);
				const long = await fundingIn(layout.fundingLong.get(market.id), "", own);
				return recent && long ? mergeFunding(recent, long) : (recent ?? long ?? createFundingColumns(0));
			};
			const columns = await files.derive(`funding:${market.symbol}`, make, signal);
			return columns.length === 0 ? null : columns;
		},
	};
}

/** Views of one contract's rows; null when the file has none. */
function settlementsOf(table: FundingTable, id: string): FundingColumns | null {
	const index = table.symbols.indexOf(id);
	if (index < 0) return null;
	const [start, end] = [table.offsets[index] ?? 0, table.offsets[index + 1] ?? 0];
	return {
		length: end - start,
		funding_time: table.funding_time.subarray(start, end),
		rate_e8: table.rate_e8.subarray(start, end),
	};
}
