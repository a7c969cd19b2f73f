/**
 * Random numbers as a function of a key, never of what was drawn before elsewhere: the simulated
 * market gives the same bar whoever asks first, in whatever order, in whichever process.
 */

/** A 32-bit hash of text and numbers (FNV-1a over the text, then Murmur3's finaliser per number). */
export function hashKey(seed: number, text: string, ...numbers: number[]): number {
	let hash = 0x811c9dc5 ^ seed;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	hash = finalise(hash);
	for (const number of numbers) hash = finalise(hash ^ Math.imul(number, 0x9e3779b1));
	return hash >>> 0;
}

function finalise(value: number): number {
	let hash = value;
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return hash ^ (hash >>> 16);
}

/** One sequence of draws. */
export interface Draws {
	/** In (0, 1), both ends excluded. */
	uniform(): number;
	/** Standard normal. */
	normal(): number;
	/**
	 * Unit variance with fat tails: a normal whose scale is 2.2 times the usual one in 6 of 100 draws.
	 * Its kurtosis is about 6, like a Student t with 6 degrees of freedom.
	 */
	fatTailed(): number;
}

const WIDE_SHARE = 0.06;
const WIDE_SCALE = 2.2;
const MIXTURE_SCALE = 1 / Math.sqrt(1 - WIDE_SHARE + WIDE_SHARE * WIDE_SCALE ** 2);

/** A sequence that depends on its key alone (generator: sfc32 by Chris Doty-Humphrey, public domain). */
export const createDraws = (key: number): Draws => new KeyedDraws(key);

/** A class, because histories make one for each minute: three functions for each of them cost more than the draws. */
class KeyedDraws implements Draws {
	#a: number;
	#b: number;
	#c: number;
	#counter = 1;
	#spare = Number.NaN;

	constructor(key: number) {
		this.#a = key | 0;
		this.#b = finalise(key ^ 0x5bd1e995);
		this.#c = finalise(key + 0x27d4eb2f);
		// The first outputs still show the key.
		for (let i = 0; i < 8; i++) this.uniform();
	}

	uniform(): number {
		const [a, b, c] = [this.#a, this.#b, this.#c];
		const sum = (((a + b) | 0) + this.#counter) | 0;
		this.#counter = (this.#counter + 1) | 0;
		this.#a = b ^ (b >>> 9);
		this.#b = (c + (c << 3)) | 0;
		this.#c = (((c << 21) | (c >>> 11)) + sum) | 0;
		return ((sum >>> 0) + 0.5) / 4294967296;
	}

	normal(): number {
		const spare = this.#spare;
		if (!Number.isNaN(spare)) {
			this.#spare = Number.NaN;
			return spare;
		}
		// Box and Muller 1958: two uniforms make two independent normals.
		const radius = Math.sqrt(-2 * Math.log(this.uniform()));
		const angle = 2 * Math.PI * this.uniform();
		this.#spare = radius * Math.sin(angle);
		return radius * Math.cos(angle);
	}

	fatTailed(): number {
		const scale = this.uniform() < WIDE_SHARE ? WIDE_SCALE : 1;
		return this.normal() * scale * MIXTURE_SCALE;
	}
}
