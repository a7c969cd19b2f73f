import { promisify } from "node:util";
import * as zlib from "node:zlib";

/** Content encodings in the order in which the server prefers them. */
const ENCODINGS = ["zstd", "br", "gzip", "deflate"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Shorter bodies are sent as they are. */
export const COMPRESSED_BYTES_MIN = 1024;
/** Brotli's usual quality takes many times as long for a few per cent. */
export const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

type Compressor = (body: Buffer) => Promise<Buffer>;
/** Zstandard is there from Node.js 22.15 on. */
const { zstdCompress } = zlib as {
	zstdCompress?: (body: Buffer, done: (error: Error | null, made: Buffer) => void) => void;
};
const COMPRESSORS: Partial<Record<Encoding, Compressor>> = {
	...(zstdCompress ? { zstd: promisify(zstdCompress) } : {}),
	br: (body) => promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress)(body, BROTLI),
	gzip: promisify<Buffer, Buffer>(zlib.gzip),
	deflate: promisify<Buffer, Buffer>(zlib.deflate),
};

/** A list of codings, known here or not, without weights or wildcards, as nearly every client sends it. */
const PLAIN_LIST = /^ *[a-z][a-z0-9-]*(?: *, *[a-z][a-z0-9-]*)* *$/;

/** Clients send few different lists. */
const HEADERS_MAX = 100;
const chosen = new Map<string, Encoding | null | undefined>();

function choose(header: string): Encoding | null | undefined {
	if (!PLAIN_LIST.test(header)) return undefined;
	const names = header.split(",").map((name) => name.trim());
	return ENCODINGS.find((name) => name in COMPRESSORS && names.includes(name)) ?? null;
}

/**
 * The encoding that an Accept-Encoding header without weights gets; null: none. `undefined` where the header has to
 * be read by its whole grammar.
 */
export function plainEncoding(header: string | undefined): Encoding | null | undefined {
	if (header === undefined) return null;
	if (!chosen.has(header) && chosen.size < HEADERS_MAX) chosen.set(header, choose(header));
	return chosen.has(header) ? chosen.get(header) : choose(header);
}

/** Encoded copies of bodies, kept as long as the body itself is. */
export function createEncodedCopies(): (body: Buffer, encoding: Encoding) => Promise<Buffer> {
	const copies = new WeakMap<Buffer, Map<Encoding, Promise<Buffer>>>();
	return (body, encoding) => {
		const held = copies.get(body) ?? new Map<Encoding, Promise<Buffer>>();
		copies.set(body, held);
		const known = held.get(encoding);
		if (known) return known;
		const compress = COMPRESSORS[encoding];
		if (!compress) throw new RangeError(`no compressor for ${encoding}`);
		const made = compress(body);
		held.set(encoding, made);
		made.catch(() => held.delete(encoding));
		return made;
	};
}
