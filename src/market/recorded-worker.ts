/**
 * Worker-thread entry of the recorded adapter: reads, inflates and parses one file, and answers with
 * columns over shared memory, so that nothing is copied on the way back and the event loop never waits.
 */
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import type { RawSettlement } from "./funding.ts";
import { buildFundingColumns } from "./funding.ts";
import { parseBars, parseCsv, RecordedFileError } from "./recorded-csv.ts";
import type { BarColumns } from "./series.ts";
import { createFundingColumns } from "./series.ts";

/** Larger than any file of the layout by far; a bomb stops here instead of filling the memory. */
const INFLATED_BYTES_MAX = 512 * 1024 * 1024;

interface FileRef {
	/** Where the file lies. */
	path: string;
	/** How it is named in errors: relative to the data set. */
	file: string;
}

export type RecordedTask = FileRef &
	(
		| { kind: "bars"; stepMs: number }
		/** With a symbol column: the settlements of many contracts; without: those of one. */
		| { kind: "funding"; symbolColumn: boolean }
		| { kind: "open_interest" }
		/** The largest value of the first column. */
		| { kind: "newest" }
	);

/**
 * Settlements by contract: those of `symbols[i]` stand in rows offsets[i] up to offsets[i + 1], rounded to
 * the hour, growing and unique. A file of one contract has the one symbol "".
 */
export interface FundingTable {
	symbols: string[];
	offsets: number[];
	funding_time: Float64Array;
	rate_e8: Float64Array;
}

export interface OpenInterestTable {
	rows: number;
	time: Float64Array;
	quantity_base: Float64Array;
	value_usd: Float64Array;
}

export interface RecordedResults {
	bars: BarColumns;
	funding: FundingTable;
	open_interest: OpenInterestTable;
	newest: number | null;
}

export type RecordedAnswer<K extends keyof RecordedResults = keyof RecordedResults> =
	| { ok: true; value: RecordedResults[K] }
	| { ok: false; message: string; retryable: boolean };

/** Errors are answered, not thrown: a class does not survive the way between threads. */
export default async function run(task: RecordedTask): Promise<RecordedAnswer> {
	try {
		return { ok: true, value: read(task, inflate(await readFile(task.path), task.file)) };
	} catch (error) {
		if (error instanceof RecordedFileError) return { ok: false, message: error.message, retryable: false };
		const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
		const permanent = code === "ENOENT" || code === "EACCES" || code === "EISDIR";
		return { ok: false, message: `${task.file}: cannot be read (${code})`, retryable: !permanent };
	}
}

function inflate(content: Buffer, file: string): Buffer {
	if (!file.endsWith(".gz")) return content;
	try {
		return gunzipSync(content, { maxOutputLength: INFLATED_BYTES_MAX });
	} catch (error) {
		throw new RecordedFileError(file, `is not a whole gzip file (${(error as Error).message})`);
	}
}

function read(task: RecordedTask, bytes: Buffer): RecordedResults[keyof RecordedResults] {
	if (task.kind === "bars") return parseBars(bytes, task.file, task.stepMs);
	if (task.kind === "funding") return readFunding(bytes, task.file, task.symbolColumn);
	if (task.kind === "open_interest") return readOpenInterest(bytes, task.file);
	const { rows, numbers } = parseCsv(bytes, task.file, [{ name: "open_time", kind: "number" }]);
	return rows === 0 ? null : (numbers.open_time ?? new Float64Array()).reduce((a, b) => Math.max(a, b));
}

function shared(column: Float64Array | undefined): Float64Array {
	const copy = new Float64Array(new SharedArrayBuffer((column?.length ?? 0) * Float64Array.BYTES_PER_ELEMENT));
	if (column) copy.set(column);
	return copy;
}

function readFunding(bytes: Buffer, file: string, symbolColumn: boolean): FundingTable {
	const { rows, numbers, texts } = parseCsv(bytes, file, [
		{ name: "funding_time", kind: "number" },
		{ name: "funding_rate", kind: "number" },
		{ name: "symbol", kind: "text", optional: !symbolColumn },
	]);
	const groups = new Map<string, RawSettlement[]>();
	for (let i = 0; i < rows; i++) {
		const symbol = symbolColumn ? (texts.symbol?.[i] ?? "") : "";
		if (symbolColumn && symbol === "") throw new RecordedFileError(file, `line ${i + 2}: no symbol`);
		const settlement = { time: numbers.funding_time?.[i] as number, rate: numbers.funding_rate?.[i] as number };
		const group = groups.get(symbol);
		if (group) group.push(settlement);
		else groups.set(symbol, [settlement]);
	}
	const columns = [...groups.values()].map(buildFundingColumns);
	const offsets = [0];
	for (const { length } of columns) offsets.push((offsets.at(-1) ?? 0) + length);
	const all = createFundingColumns(offsets.at(-1) ?? 0);
	for (const [i, { funding_time, rate_e8 }] of columns.entries()) {
		all.funding_time.set(funding_time, offsets[i]);
		all.rate_e8.set(rate_e8, offsets[i]);
	}
	return { symbols: [...groups.keys()], offsets, funding_time: all.funding_time, rate_e8: all.rate_e8 };
}

function readOpenInterest(bytes: Buffer, file: string): OpenInterestTable {
	const { rows, numbers } = parseCsv(bytes, file, [
		{ name: "time", kind: "number" },
		{ name: "sum_open_interest", kind: "number" },
		{ name: "sum_open_interest_value", kind: "number" },
	]);
	return {
		rows,
		time: shared(numbers.time),
		quantity_base: shared(numbers.sum_open_interest),
		value_usd: shared(numbers.sum_open_interest_value),
	};
}
