import type { BarColumns } from "./series.ts";
import { createBarColumns, normaliseBars } from "./series.ts";

/** A file of the data set that cannot be used. The message names the file and, where there is one, the line. */
export class RecordedFileError extends Error {
	constructor(file: string, problem: string) {
		super(`${file}: ${problem}`);
		this.name = "RecordedFileError";
	}
}

export interface CsvColumn {
	name: string;
	kind: "number" | "text";
	optional?: boolean;
}

export interface CsvTable {
	rows: number;
	numbers: Record<string, Float64Array>;
	texts: Record<string, string[]>;
}

const NEWLINE = 10;
const COMMA = 44;
const POINT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const CARRIAGE_RETURN = 13;
/** Above this a digit string no longer fits a double exactly. */
const EXACT_INTEGER_MAX = 2 ** 53;
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, i) => 10 ** i);

/**
 * The number in bytes [start, end). A plain decimal whose digits fit 2^53 is one exact division by a
 * power of ten up to 10^22, which rounds correctly (Clinger 1990, fast path); all else goes to Number().
 */
export function parseNumber(bytes: Buffer, start: number, end: number): number {
	let mantissa = 0;
	let decimals = -1;
	for (let i = start; i < end; i++) {
		const byte = bytes[i] as number;
		if (byte >= DIGIT_0 && byte <= DIGIT_9) {
			mantissa = mantissa * 10 + byte - DIGIT_0;
			if (decimals >= 0) decimals++;
			if (mantissa > EXACT_INTEGER_MAX || decimals > 22) return slowNumber(bytes, start, end);
		} else if (byte === POINT && decimals < 0) decimals = 0;
		else return slowNumber(bytes, start, end);
	}
	if (end - start < 1 || (decimals === 0 && end - start < 2)) return Number.NaN;
	return decimals > 0 ? mantissa / (POWERS_OF_TEN[decimals] as number) : mantissa;
}

function slowNumber(bytes: Buffer, start: number, end: number): number {
	const text = bytes.toString("latin1", start, end).trim();
	return text === "" ? Number.NaN : Number(text);
}

/**
 * Rows of a CSV text with a header, by column name; other columns are skipped. Throws RecordedFileError
 * for a missing column, a row with another number of fields, or a field that is no finite number.
 */
export function parseCsv(bytes: Buffer, file: string, wanted: readonly CsvColumn[]): CsvTable {
	const headerEnd = lineEnd(bytes, 0);
	const header = bytes.toString("utf8", 0, headerEnd).trim().split(",");
	const rowsMax = countLines(bytes, headerEnd + 1);
	const table: CsvTable = { rows: 0, numbers: {}, texts: {} };
	const targets: (Float64Array | string[] | undefined)[] = header.map(() => undefined);
	for (const column of wanted) {
		const index = header.indexOf(column.name);
		if (index < 0 && column.optional) continue;
		if (index < 0)
			throw new RecordedFileError(file, `column '${column.name}' is missing from the header '${header.join(",")}'`);
		if (column.kind === "number") targets[index] = table.numbers[column.name] = new Float64Array(rowsMax);
		else targets[index] = table.texts[column.name] = [];
	}
	for (let start = headerEnd + 1, line = 2; start < bytes.length; line++) {
		const end = lineEnd(bytes, start);
		const contentEnd = end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
		if (contentEnd > start) parseRow(bytes, start, contentEnd, targets, table.rows++, file, line);
		start = end + 1;
	}
	for (const [name, column] of Object.entries(table.numbers)) table.numbers[name] = column.subarray(0, table.rows);
	return table;
}

function parseRow(
	bytes: Buffer,
	start: number,
	end: number,
	targets: readonly (Float64Array | string[] | undefined)[],
	row: number,
	file: string,
	line: number,
): void {
	let field = 0;
	for (let from = start; from <= end; field++) {
		let to = from;
		while (to < end && bytes[to] !== COMMA) to++;
		const target = targets[field];
		if (Array.isArray(target)) target.push(bytes.toString("utf8", from, to));
		else if (target !== undefined) {
			const value = parseNumber(bytes, from, to);
			if (!Number.isFinite(value)) {
				throw new RecordedFileError(file, `line ${line}: '${bytes.toString("utf8", from, to)}' is not a number`);
			}
			target[row] = value;
		}
		from = to + 1;
	}
	if (field !== targets.length) {
		throw new RecordedFileError(file, `line ${line}: ${field} fields where the header has ${targets.length}`);
	}
}

function lineEnd(bytes: Buffer, start: number): number {
	const end = bytes.indexOf(NEWLINE, start);
	return end < 0 ? bytes.length : end;
}

function countLines(bytes: Buffer, start: number): number {
	let lines = 0;
	for (let from = start; from < bytes.length; lines++) from = lineEnd(bytes, from) + 1;
	return lines;
}

const BAR_COLUMNS: readonly CsvColumn[] = [
	...["open_time", "open", "high", "low", "close", "volume"].map((name) => ({ name, kind: "number" as const })),
	{ name: "quote_volume", kind: "number", optional: true },
];

/**
 * Candles of one file in strictly growing order; unsorted rows are sorted, repeated ones dropped and
 * counted. Without a quote_volume column it is estimated as volume * (o+h+l+c)/4 (median error
 * 0.03-0.05 %, market README). Throws RecordedFileError for a row that cannot be a candle.
 */
export function parseBars(bytes: Buffer, file: string, stepMs: number): BarColumns {
	const { rows, numbers } = parseCsv(bytes, file, BAR_COLUMNS);
	const bars = createBarColumns(rows);
	for (const [name, column] of Object.entries(numbers)) bars[name as "open"].set(column);
	const estimated = numbers.quote_volume === undefined;
	for (let i = 0; i < rows; i++) {
		const [open, high, low, close] = [bars.open[i], bars.high[i], bars.low[i], bars.close[i]] as [
			number,
			number,
			number,
			number,
		];
		const volume = bars.volume[i] as number;
		const inOrder = low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close);
		if (!inOrder || volume < 0)
			throw new RecordedFileError(
				file,
				`line ${i + 2}: not a candle (open ${open}, high ${high}, low ${low}, close ${close}, volume ${volume})`,
			);
		if ((bars.open_time[i] as number) % stepMs !== 0) {
			throw new RecordedFileError(
				file,
				`line ${i + 2}: open_time ${bars.open_time[i]} does not lie on the ${stepMs} ms grid`,
			);
		}
		if (estimated) bars.quote_volume[i] = (volume * (open + high + low + close)) / 4;
	}
	return normaliseBars(bars);
}
