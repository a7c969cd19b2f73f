/** What the stubs of exchanges answer: one coin, a straight line of hourly candles, two settlements. */

export const STUB_NOW_MS = Date.UTC(2026, 2, 19, 19);
const HOUR_MS = 3_600_000;
export const STUB_INTERVAL_MS = 8 * HOUR_MS;
/** Settlements known at STUB_NOW_MS. */
export const STUB_SETTLED_MS: readonly number[] = [
	Math.floor(STUB_NOW_MS / STUB_INTERVAL_MS) * STUB_INTERVAL_MS - STUB_INTERVAL_MS,
	Math.floor(STUB_NOW_MS / STUB_INTERVAL_MS) * STUB_INTERVAL_MS,
];
/** Hours of candles, the last of which still runs. */
const CANDLES = 30;

export interface StubCandle {
	ms: number;
	open: number;
	high: number;
	low: number;
	close: number;
	volume: number;
}
/** Oldest first. */
export const stubCandles = (): StubCandle[] =>
	Array.from({ length: CANDLES }, (_, i) => {
		const open = 100 + i;
		const ms = STUB_NOW_MS - (CANDLES - 1 - i) * HOUR_MS;
		return { ms, open, high: open + 2, low: open - 1, close: open + 1, volume: 10 };
	});
/** What a stub says a candle was worth, in quote currency: no function of its prices, so that its source shows. */
export const worthOf = ({ open }: Pick<StubCandle, "open">): number => open * 10 + 3;
