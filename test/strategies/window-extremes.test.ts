import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WindowExtremes } from "../../src/strategies/options/window-extremes.ts";

const test = suite("extremes of a window");

test("least, largest, sum and what leaves are those of the newest values", () => {
	const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double(), fc.constant(Number.NaN));
	fc.assert(
		fc.property(fc.array(value, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (values, most) => {
			const window = new WindowExtremes(most);
			const plain: number[] = [];
			for (const one of values) {
				plain.push(one);
				assert.equal(window.push(one), plain.length > most ? plain.shift() : null);
				// Zeros of both signs are one value here.
				assert.equal([window.least + 0, window.most + 0], [Math.min(...plain) + 0, Math.max(...plain) + 0]);
				assert.equal(window.sum() + 0, plain.reduce((sum, value) => sum + value, 0) + 0);
				assert.is(window.length, plain.length);
			}
		}),
		{ numRuns: 300 },
	);
});

test.run();
