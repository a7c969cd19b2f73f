/** Public trades as columns over one shared buffer; see TradeTape in contract.ts. */
export interface TradeColumns {
	length: number;
	/** Epoch ms, growing. */
	time: Float64Array;
	price: Float64Array;
	/** Base units. */
	quantity: Float64Array;
	/** 1: the taker bought, -1: the taker sold. */
	taker_side: Int8Array;
}

/** Columns of `length` zeros over one shared buffer, so that a worker thread reads them without a copy. */
export function createTradeColumns(length: number): TradeColumns {
	const bytes = length * Float64Array.BYTES_PER_ELEMENT;
	const buffer = new SharedArrayBuffer(bytes * 3 + length);
	return {
		length,
		time: new Float64Array(buffer, 0, length),
		price: new Float64Array(buffer, bytes, length),
		quantity: new Float64Array(buffer, bytes * 2, length),
		taker_side: new Int8Array(buffer, bytes * 3, length),
	};
}

/** Views of the trades from `start` up to but not including `end`; nothing is copied. */
export const sliceTrades = (trades: TradeColumns, start: number, end: number): TradeColumns => ({
	length: end - start,
	time: trades.time.subarray(start, end),
	price: trades.price.subarray(start, end),
	quantity: trades.quantity.subarray(start, end),
	taker_side: trades.taker_side.subarray(start, end),
});
