import type { FundingSeries, Series, VolatilityHistory } from "../../market/contract.ts";
import { hashText } from "../random.ts";

/**
 * A bounded least-recently-used memo of this thread. Keys state everything a value depends on, so a
 * hit is the value that would have been computed; evaluation stays pure.
 */
export class Memo<Value> {
	readonly #values = new Map<string, Value>();
	readonly #entriesMax: number;

	constructor(entriesMax: number) {
		if (!Number.isInteger(entriesMax) || entriesMax < 1) {
			throw new RangeError(`entriesMax must be a positive integer, got ${entriesMax}`);
		}
		this.#entriesMax = entriesMax;
	}

	get size(): number {
		return this.#values.size;
	}

	get(key: string, compute: () => Value): Value {
		const known = this.#values.get(key);
		const value = known === undefined ? compute() : known;
		this.#values.delete(key);
		this.#values.set(key, value);
		if (this.#values.size > this.#entriesMax) {
			const oldest = this.#values.keys().next();
			if (!oldest.done) this.#values.delete(oldest.value);
		}
		return value;
	}
}

/** Two FNV lanes over the raw words of a column: 64 bits, far cheaper than a cryptographic hash. */
function hashWords(column: Float64Array, lanes: [number, number]): void {
	const words = new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
	let [a, b] = lanes;
	for (const word of words) {
		a = Math.imul(a ^ word, 0x01000193);
		b = Math.imul(b ^ (word >>> 15) ^ (word << 17), 0x85ebca6b);
	}
	lanes[0] = a >>> 0;
	lanes[1] = b >>> 0;
}

function fingerprint(name: string, columns: readonly Float64Array[]): string {
	const lanes: [number, number] = [hashText(name), hashText(name, 0x9e3779b9)];
	for (const column of columns) hashWords(column, lanes);
	return `${name}:${lanes[0].toString(36)}${lanes[1].toString(36)}`;
}

/** Identity of a series by content: a changed bar changes it. */
export const seriesFingerprint = (series: Series): string =>
	fingerprint(`${series.venue}/${series.symbol}/${series.timeframe}/${series.length}`, [
		series.open_time,
		series.open,
		series.high,
		series.low,
		series.close,
		series.volume,
	]);

/** Fingerprints of one evaluation, in which series do not change: each object is hashed once. */
export function fingerprints(): (series: Series) => string {
	const known = new Map<Series, string>();
	return (series) => {
		const found = known.get(series) ?? seriesFingerprint(series);
		known.set(series, found);
		return found;
	};
}

export const fundingFingerprint = (funding: FundingSeries): string =>
	fingerprint(`${funding.venue}/${funding.symbol}/${funding.interval_hours}/${funding.length}`, [
		funding.funding_time,
		funding.rate_e8,
	]);

export const volatilityFingerprint = (history: VolatilityHistory): string =>
	fingerprint(`${history.venue}/${history.base}/${history.length}`, [history.time, history.atm_iv]);

/** Identity of a whole universe; its order does not matter. */
export const universeFingerprint = (fingerprints: readonly string[]): string => [...fingerprints].sort().join("|");
