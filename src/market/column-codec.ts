import { promisify } from "node:util";
import { constants, deflateRaw, inflateRaw } from "node:zlib";

/**
 * Answers of a market as bytes: what is a column (Float64Array, Int8Array) delta encoded and put apart byte by byte,
 * so that a fast deflate finds the zeros; all the rest as JSON. Decoding gives the same numbers to the bit, columns
 * over one shared buffer as the port promises.
 *
 * Layout before the compression: length of the head (uint32, little endian), head (JSON), columns one after another.
 */

type Column = Float64Array | Int8Array;

interface ColumnHead {
	name: string;
	length: number;
	/** `raw`: the eight bytes of each number; `delta`: whole differences of value * 10^digits; `bytes`: an Int8Array. */
	form: "raw" | "delta" | "bytes";
	digits: number;
	/** The first value times 10^digits, of a `delta` column. */
	first: number;
}

interface Head {
	/** The answer without its columns; absent: the answer is `null`. */
	rest: unknown;
	columns: ColumnHead[];
}

const compress = promisify(deflateRaw);
const inflate = promisify(inflateRaw);
const FAST = { level: constants.Z_BEST_SPEED };
/** Prices and quantities of exchanges have no more decimals. */
const DIGITS_MAX = 10;
const INT32_MAX = 0x7fffffff;
const EXACT_MAX = Number.MAX_SAFE_INTEGER;

/** Columns of the answer, so that nobody else needs to know what kinds of answers there are. */
const columnsOf = (value: object): [name: string, column: Column][] =>
	Object.entries(value).filter(
		(entry): entry is [string, Column] => entry[1] instanceof Float64Array || entry[1] instanceof Int8Array,
	);

/** The bytes of an answer. Numbers outside of columns must be finite, as JSON knows no others. */
export async function encodeAnswer(value: unknown): Promise<Buffer> {
	const columns = typeof value === "object" && value !== null && !Array.isArray(value) ? columnsOf(value) : [];
	const rest =
		columns.length === 0
			? value
			: Object.fromEntries(Object.entries(value as object).filter(([name]) => !columns.some(([own]) => own === name)));
	const packed = columns.map(([name, column]) => packColumn(name, column));
	const head: Head = { rest, columns: packed.map(({ head: own }) => own) };
	const headBytes = Buffer.from(JSON.stringify(head));
	const length = Buffer.alloc(4);
	length.writeUInt32LE(headBytes.length);
	return compress(Buffer.concat([length, headBytes, ...packed.map(({ bytes }) => bytes)]), FAST);
}

/** Throws for bytes that `encodeAnswer` has not written. `bytesMax` bounds what the bytes may unfold to. */
export async function decodeAnswer(bytes: Uint8Array, bytesMax: number): Promise<unknown> {
	const whole = await inflate(bytes, { maxOutputLength: bytesMax });
	const headEnd = 4 + whole.readUInt32LE(0);
	const { rest, columns } = JSON.parse(whole.toString("utf8", 4, headEnd)) as Head;
	if (columns.length === 0) return rest;
	const sizes = columns.map(({ form, length }) => (form === "bytes" ? length : length * 8));
	// Float64 columns begin at multiples of eight: those of single bytes come after them.
	const order = columns
		.map((_, i) => i)
		.sort((a, b) => Number(columns[a]?.form === "bytes") - Number(columns[b]?.form === "bytes"));
	const buffer = new SharedArrayBuffer(sizes.reduce((sum, size) => sum + size, 0));
	const places = new Map<number, number>();
	let place = 0;
	for (const i of order) {
		places.set(i, place);
		place += sizes[i] as number;
	}
	const value: Record<string, unknown> = { ...(rest as object) };
	let at = headEnd;
	for (const [i, head] of columns.entries()) {
		const { column, end } = unpackColumn(head, whole, at, buffer, places.get(i) as number);
		value[head.name] = column;
		at = end;
	}
	if (at !== whole.length) throw new TypeError("columns do not fill the bytes");
	return value;
}

function packColumn(name: string, column: Column): { head: ColumnHead; bytes: Buffer } {
	const { length } = column;
	if (column instanceof Int8Array) {
		const bytes = Buffer.from(new Uint8Array(column.buffer, column.byteOffset, length));
		return { head: { name, length, form: "bytes", digits: 0, first: 0 }, bytes };
	}
	const digits = digitsOf(column);
	const deltas = digits === null ? null : deltasOf(column, 10 ** digits);
	if (digits !== null && deltas) {
		const first = length === 0 ? 0 : Math.round((column[0] as number) * 10 ** digits);
		return { head: { name, length, form: "delta", digits, first }, bytes: apart(deltas, 4) };
	}
	// A copy: the column may be a view of shared memory that begins anywhere.
	return { head: { name, length, form: "raw", digits: 0, first: 0 }, bytes: apart(new Float64Array(column), 8) };
}

/** Decimals with which every number is exactly a whole number over a power of ten; null where there are none. */
function digitsOf(column: Float64Array): number | null {
	let digits = 0;
	for (let i = 0; i < column.length; i++) {
		const value = column[i] as number;
		while (!isWhole(value, 10 ** digits)) if (++digits > DIGITS_MAX) return null;
	}
	// More digits suit those that needed fewer, unless the whole number grows too large: then the column stays raw.
	for (let i = 0; i < column.length; i++) if (!isWhole(column[i] as number, 10 ** digits)) return null;
	return digits;
}

function isWhole(value: number, scale: number): boolean {
	const whole = Math.round(value * scale);
	// Sums of differences have no negative zero.
	return Math.abs(whole) <= EXACT_MAX && whole / scale === value && !Object.is(value, -0);
}

function deltasOf(column: Float64Array, scale: number): Int32Array | null {
	const deltas = new Int32Array(column.length);
	let last = column.length === 0 ? 0 : Math.round((column[0] as number) * scale);
	for (let i = 0; i < column.length; i++) {
		const whole = Math.round((column[i] as number) * scale);
		const delta = whole - last;
		if (Math.abs(delta) > INT32_MAX) return null;
		deltas[i] = delta;
		last = whole;
	}
	return deltas;
}

/** First all lowest bytes, then all next ones: neighbours are alike then. */
function apart(numbers: Float64Array | Int32Array, width: number): Buffer {
	const from = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
	const to = Buffer.allocUnsafe(from.length);
	const { length } = numbers;
	for (let byte = 0; byte < width; byte++)
		for (let i = 0, source = byte; i < length; i++, source += width) to[byte * length + i] = from[source] as number;
	return to;
}

function together(from: Buffer, at: number, to: Float64Array | Int32Array, width: number): number {
	const bytes = new Uint8Array(to.buffer, to.byteOffset, to.byteLength);
	const { length } = to;
	if (at + bytes.length > from.length) throw new TypeError("a column is cut off");
	for (let byte = 0; byte < width; byte++)
		for (let i = 0, target = byte; i < length; i++, target += width)
			bytes[target] = from[at + byte * length + i] as number;
	return at + bytes.length;
}

function unpackColumn(
	{ length, form, digits, first }: ColumnHead,
	whole: Buffer,
	at: number,
	buffer: SharedArrayBuffer,
	place: number,
): { column: Column; end: number } {
	if (form === "bytes") {
		const column = new Int8Array(buffer, place, length);
		column.set(whole.subarray(at, at + length));
		return { column, end: at + length };
	}
	const column = new Float64Array(buffer, place, length);
	if (form === "raw") return { column, end: together(whole, at, column, 8) };
	const deltas = new Int32Array(length);
	const end = together(whole, at, deltas, 4);
	const scale = 10 ** digits;
	let last = first;
	for (let i = 0; i < length; i++) {
		last += deltas[i] as number;
		column[i] = last / scale;
	}
	return { column, end };
}
