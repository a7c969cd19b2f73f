import type { Series } from "../market/contract.ts";
import { Memo } from "./evidence/memo.ts";
import { extendsSeries, sliceOf } from "./history.ts";
import type { Carried, Replayable } from "./rule.ts";

/** The part of a rule that reading a series needs. */
interface Readable<R> {
	readonly name: string;
	readonly horizonBars: number;
	readonly windowBars?: number;
	read(series: Series, carried?: Carried): R;
}

/** A reading of the newest bars that says of them exactly what one of the whole series would. */
export interface NewestReading<R> {
	reading: R;
	/** The bars that were read: the end of the series. */
	tail: Series;
	/** Bars of the series before the tail. */
	offset: number;
	/** First bar of the series of which the reading holds. */
	from: number;
}

/** What a rule's recursive indicators had come to on bar `bar` of a series that has grown since, or not. */
interface Checkpoint {
	series: Series;
	bar: number;
	values: Readonly<Record<string, number>>;
}

/** A dozen rules over the series of a few universes. A checkpoint is a handful of numbers and a reference. */
const ENTRIES_MAX = 4096;
const checkpoints = new Memo<Checkpoint>(ENTRIES_MAX);

export const seriesKey = ({ venue, symbol, timeframe }: Series): string => `${venue}/${symbol}/${timeframe}`;

/**
 * Reads only what has come since this thread last read the series, with the window before it that the rule
 * looks back on; a series that is new, cut or revised is read whole. The checkpoint lies one horizon back, so
 * that every trade still open is within the reading.
 */
export function readNewest<R extends Replayable>(rule: Readable<R>, series: Series): NewestReading<R> {
	const { windowBars } = rule;
	if (windowBars === undefined) return { reading: rule.read(series), tail: series, offset: 0, from: 0 };
	const key = `${rule.name}#${seriesKey(series)}`;
	const known = checkpoints.peek(key);
	const newest =
		known && extendsSeries(series, known.series)
			? continued(rule, series, known, windowBars)
			: { reading: rule.read(series), tail: series, offset: 0, from: 0 };
	keepCheckpoint(key, series, newest, series.length - rule.horizonBars - 3);
	return newest;
}

function continued<R>(rule: Readable<R>, series: Series, known: Checkpoint, windowBars: number): NewestReading<R> {
	const from = known.bar + 1;
	const offset = Math.max(0, from - windowBars);
	const tail = sliceOf(series, offset, series.length);
	const reading = rule.read(tail, { bar: known.bar - offset, values: known.values });
	return { reading, tail, offset, from };
}

function keepCheckpoint<R extends Replayable>(
	key: string,
	series: Series,
	{ reading, offset, from }: NewestReading<R>,
	bar: number,
): void {
	if (bar < from || !reading.carriedAt) return;
	const values = reading.carriedAt(bar - offset);
	// What is not warm yet has nothing to go on from.
	if (Object.values(values).every(Number.isFinite)) checkpoints.set(key, { series, bar, values });
}
