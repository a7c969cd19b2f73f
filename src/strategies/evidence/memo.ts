import { areSealed, columnDigest } from "../../market/content.ts";
import type { FundingSeries, Series, TradeTape, VolatilityHistory } from "../../market/contract.ts";
import type { MarketView } from "../contract.ts";
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
		this.set(key, value);
		return value;
	}

	/** What is kept under the key, if anything; does not count as a use. */
	peek(key: string): Value | undefined {
		return this.#values.get(key);
	}

	set(key: string, value: Value): void {
		this.#values.delete(key);
		this.#values.set(key, value);
		if (this.#values.size > this.#entriesMax) {
			const oldest = this.#values.keys().next();
			if (!oldest.done) this.#values.delete(oldest.value);
		}
	}
}

/** Whatever has columns and is told from others of its kind by them. */
type Content = Series | FundingSeries | VolatilityHistory | TradeTape;

/** Fingerprints that came with objects from another thread, where their columns had been sealed. */
const known = new WeakMap<Content, string>();

/** Gives objects of this thread the fingerprints that the sending thread had of them. */
export function learnFingerprints(pairs: readonly (readonly [Content, string])[]): void {
	for (const [content, fingerprint] of pairs) known.set(content, fingerprint);
}

/**
 * Name, ends and newest values are read anew each time, so that a source that rewrites its newest bar in
 * place is noticed; the rest stands in the columns' digests, a lookup for sealed ones.
 */
function fingerprint(name: string, columns: readonly (Float64Array | Int8Array)[]): string {
	const ends = columns.map((column) => `${column[0]}:${column[column.length - 1]}:${columnDigest(column)}`).join();
	return `${name}:${hashText(ends).toString(36)}${hashText(ends, 0x9e3779b9).toString(36)}`;
}

/** Identity of a series by content: a changed bar changes it. */
export const seriesFingerprint = (series: Series): string =>
	known.get(series) ??
	fingerprint(`${series.venue}/${series.symbol}/${series.timeframe}/${series.length}`, seriesColumns(series));

const seriesColumns = ({ open_time, open, high, low, close, volume }: Series) => [
	open_time,
	open,
	high,
	low,
	close,
	volume,
];

/** Fingerprints of one evaluation, in which series do not change: each object is hashed once. */
export function fingerprints(): (series: Series) => string {
	const seen = new Map<Series, string>();
	return (series) => {
		const found = seen.get(series) ?? seriesFingerprint(series);
		seen.set(series, found);
		return found;
	};
}

export const fundingFingerprint = (funding: FundingSeries): string =>
	known.get(funding) ??
	fingerprint(`${funding.venue}/${funding.symbol}/${funding.interval_hours}/${funding.length}`, [
		funding.funding_time,
		funding.rate_e8,
	]);

export const volatilityFingerprint = (history: VolatilityHistory): string =>
	known.get(history) ??
	fingerprint(`${history.venue}/${history.base}/${history.length}`, [history.time, history.atm_iv]);

/** Identity of a tape by content: a changed, added or moved trade changes it. */
export const tapeFingerprint = (tape: TradeTape): string =>
	known.get(tape) ?? fingerprint(`${tape.venue}/${tape.symbol}/${tape.since_ms}/${tape.length}`, tapeColumns(tape));

const tapeColumns = ({ time, price, quantity, taker_side }: TradeTape) => [time, price, quantity, taker_side];

/**
 * Fingerprints to send along with a view: of what was sealed where it entered the program. What was not
 * (a cut series, a market that bypasses the cache) is hashed by whoever asks, as it may yet change.
 */
export function sealedFingerprints(view: MarketView): [Content, string][] {
	const { series, funding, trades = {}, volatility = {}, evidence } = view;
	const found = new Map<Content, string>();
	for (const one of [...Object.values(series), ...evidence.series])
		if (!found.has(one) && areSealed(seriesColumns(one))) found.set(one, seriesFingerprint(one));
	const rivals = (evidence.venue_funding ?? []).map((one) => one.funding);
	for (const one of [...Object.values(funding), ...evidence.funding, ...rivals])
		if (!found.has(one) && areSealed([one.funding_time, one.rate_e8])) found.set(one, fundingFingerprint(one));
	for (const one of Object.values(trades)) if (areSealed(tapeColumns(one))) found.set(one, tapeFingerprint(one));
	for (const one of Object.values(volatility))
		if (areSealed([one.time, one.atm_iv])) found.set(one, volatilityFingerprint(one));
	return [...found];
}

/** Identity of series in the order in which they stand. */
export const orderedFingerprint = (series: readonly Series[]): string => series.map(seriesFingerprint).join("|");

/** Identity of a whole universe; its order does not matter. */
export const universeFingerprint = (fingerprints: readonly string[]): string => [...fingerprints].sort().join("|");
