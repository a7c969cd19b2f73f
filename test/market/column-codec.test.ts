import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeAnswer, encodeAnswer } from "../../src/market/column-codec.ts";

const test = suite("market/column-codec");
const BYTES_MAX = 1 << 24;
const bits = (column: Float64Array): string =>
	Buffer.from(new Uint8Array(new Float64Array(column).buffer)).toString("hex");

const price = fc
	.tuple(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), fc.integer({ min: 0, max: 12 }))
	.map(([whole, digits]) => whole / 10 ** digits);
const anyNumber = fc.oneof(
	fc.double(),
	price,
	fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 5e-324),
);

test("an answer with columns comes back to the bit, whatever the numbers are", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.oneof(fc.array(price, { maxLength: 80 }), fc.array(anyNumber, { maxLength: 80 })),
			fc.array(fc.integer({ min: -128, max: 127 }), { maxLength: 80 }),
			fc.nat(20),
			async (numbers, sides, skipped) => {
				// A view into a longer buffer, as series of one history are.
				const backing = new Float64Array([...Array(skipped).fill(7), ...numbers]);
				const value = {
					symbol: "BTC/USDT",
					taker_side: Int8Array.from(sides),
					close: backing.subarray(skipped),
					limit: null,
				};
				const decoded = (await decodeAnswer(await encodeAnswer(value), BYTES_MAX)) as typeof value;
				assert.is(bits(decoded.close), bits(value.close));
				assert.equal([...decoded.taker_side], sides);
				assert.equal([decoded.symbol, decoded.limit], ["BTC/USDT", null]);
				assert.ok(decoded.close.buffer instanceof SharedArrayBuffer);
			},
		),
		{ numRuns: 400 },
	);
});

test("an answer without columns is its JSON", async () => {
	await fc.assert(
		fc.asyncProperty(fc.jsonValue(), async (value) => {
			const plain = JSON.parse(JSON.stringify(value));
			assert.equal(await decodeAnswer(await encodeAnswer(plain), BYTES_MAX), plain);
		}),
		{ numRuns: 100 },
	);
});

test("decimal prices take a fraction of their raw bytes", async () => {
	const length = 5_000;
	const close = Float64Array.from(
		{ length },
		(_, i) => Math.round(6_000_000 + 90_000 * Math.sin(i / 40) + ((i * 7919) % 997)) / 100,
	);
	const bytes = (await encodeAnswer({ close })).length;
	assert.ok(bytes < length * 8 * 0.4, `${bytes} bytes for ${length * 8}`);
});

test("bytes that were cut off or unfold beyond the bound are refused", async () => {
	const encoded = await encodeAnswer({ close: Float64Array.from({ length: 1_000 }, (_, i) => i / 3) });
	const refused = (bytes: Uint8Array, bytesMax: number) =>
		decodeAnswer(bytes, bytesMax).then(
			() => false,
			() => true,
		);
	assert.ok(await refused(encoded.subarray(0, encoded.length - 20), BYTES_MAX));
	assert.ok(await refused(encoded, 1_000));
});

test.run();
