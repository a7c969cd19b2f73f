/**
 * Columns are read in loops whose bounds are checked once, so each read needs no guard of its own.
 * An index outside the column gives NaN, which no comparison lets pass.
 */
export type Column = Float64Array;

export const at = (column: Column, index: number): number => column[index] ?? Number.NaN;

export const last = (column: Column): number => at(column, column.length - 1);

/** What a recursive indicator had come to on a bar of a column, so that it can go on from there. */
export interface Known {
	bar: number;
	value: number;
}

/** A column of NaN: "not known yet" until an indicator is warm. */
export const unknownColumn = (length: number): Column => new Float64Array(length).fill(Number.NaN);
