import { at } from "../columns.ts";

/** A symmetric matrix brought to tridiagonal form by reflections. */
interface Tridiagonal {
	n: number;
	diagonal: Float64Array;
	/** Entry i couples i and i + 1. */
	off: Float64Array;
	/** Row k: the vector of reflection k, which leaves 0 .. k alone. */
	reflectors: Float64Array;
	/** 2 / v'v of each reflection; 0 where none was needed. */
	scales: Float64Array;
}

/**
 * The largest eigenvalues of a symmetric matrix with their unit eigenvectors, one by one, largest first.
 * A full decomposition spends most of its time on vectors nobody asks for: here the matrix is brought to
 * tridiagonal form once (Householder), and each further pair costs a bisection on Sturm counts and two
 * steps of inverse iteration (Golub and Van Loan, Matrix Computations, 8.3 to 8.4). The answer depends
 * on the matrix alone, not on one before it as a warm start would.
 */
export class LeadingEigen {
	readonly #t: Tridiagonal;
	readonly #norm: number;
	/** Vectors found so far in the coordinates of the tridiagonal form. */
	readonly #found: Float64Array[] = [];

	/** `matrix`: n x n, row by row, symmetric. It is not changed. */
	constructor(matrix: Float64Array, n: number) {
		this.#t = tridiagonal(matrix, n);
		this.#norm = normOf(this.#t);
	}

	/** The next eigenvalue in descending order and its vector; the sign is the solver's. */
	next(): { value: number; vector: Float64Array } {
		const value = eigenvalue(this.#t, this.#found.length, this.#norm);
		const vector = inverseIteration(this.#t, value, this.#norm, this.#found);
		this.#found.push(vector);
		return { value, vector: reflectedBack(this.#t, vector) };
	}
}

function tridiagonal(matrix: Float64Array, n: number): Tridiagonal {
	const a = new Float64Array(matrix);
	const reflectors = new Float64Array(n * n);
	const scales = new Float64Array(n);
	const off = new Float64Array(n);
	const v = new Float64Array(n);
	const p = new Float64Array(n);
	for (let k = 0; k < n - 1; k++) {
		let tail = 0;
		for (let i = k + 2; i < n; i++) tail += (a[i * n + k] as number) ** 2;
		const first = a[(k + 1) * n + k] as number;
		if (tail === 0) {
			off[k] = first;
			continue;
		}
		const size = Math.sqrt(first * first + tail);
		const target = first > 0 ? -size : size;
		off[k] = target;
		v[k + 1] = first - target;
		for (let i = k + 2; i < n; i++) v[i] = a[i * n + k] as number;
		const scale = 2 / ((v[k + 1] as number) ** 2 + tail);
		scales[k] = scale;
		for (let i = k + 1; i < n; i++) reflectors[k * n + i] = v[i] as number;
		reflect(a, n, k + 1, v, p, scale);
	}
	const diagonal = new Float64Array(n);
	for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i] as number;
	return { n, diagonal, off, reflectors, scales };
}

/**
 * a - v w' - w v' on the rows and columns from `from` on, which is (1 - scale v v') a (1 - scale v v'). Only
 * the lower triangle is kept up: the matrix stays symmetric.
 */
function reflect(a: Float64Array, n: number, from: number, v: Float64Array, w: Float64Array, scale: number): void {
	w.fill(0, from);
	for (let i = from; i < n; i++) {
		const vi = v[i] as number;
		let sum = (a[i * n + i] as number) * vi;
		for (let j = from; j < i; j++) {
			const entry = a[i * n + j] as number;
			sum += entry * (v[j] as number);
			w[j] = (w[j] as number) + entry * vi;
		}
		w[i] = (w[i] as number) + sum;
	}
	let product = 0;
	for (let i = from; i < n; i++) product += (v[i] as number) * (w[i] as number);
	const half = (scale * product) / 2;
	for (let i = from; i < n; i++) w[i] = scale * ((w[i] as number) - half * (v[i] as number));
	for (let i = from; i < n; i++) {
		const vi = v[i] as number;
		const wi = w[i] as number;
		for (let j = from; j <= i; j++) {
			a[i * n + j] = (a[i * n + j] as number) - vi * (w[j] as number) - wi * (v[j] as number);
		}
	}
}

/** Largest sum of sizes in a row: no eigenvalue lies further out. */
function normOf({ n, diagonal, off }: Tridiagonal): number {
	let norm = 0;
	for (let i = 0; i < n; i++) {
		const before = i > 0 ? Math.abs(at(off, i - 1)) : 0;
		const after = i < n - 1 ? Math.abs(at(off, i)) : 0;
		norm = Math.max(norm, before + Math.abs(at(diagonal, i)) + after);
	}
	return norm;
}

/** Eigenvalue number `rank` from above, by bisection down to the spacing of doubles at the norm. */
function eigenvalue(t: Tridiagonal, rank: number, norm: number): number {
	let [low, high] = [-norm, norm];
	const spacing = Number.EPSILON * norm;
	while (high - low > spacing) {
		const middle = (low + high) / 2;
		if (middle <= low || middle >= high) break;
		if (countAbove(t, middle, norm) > rank) low = middle;
		else high = middle;
	}
	return (low + high) / 2;
}

/** Eigenvalues above x: positive pivots of the elimination of T - x. */
function countAbove({ n, diagonal, off }: Tridiagonal, x: number, norm: number): number {
	let count = 0;
	let pivot = 1;
	for (let i = 0; i < n; i++) {
		const coupling = i > 0 ? (off[i - 1] as number) : 0;
		pivot = (diagonal[i] as number) - x - (coupling * coupling) / pivot;
		if (pivot === 0) pivot = -Number.EPSILON * norm;
		if (pivot > 0) count++;
	}
	return count;
}

const ITERATIONS = 3;

/**
 * Vector of an eigenvalue: solves with T - value grow along it. What is known of vectors found before is
 * taken out each time, so that equal eigenvalues get vectors at right angles.
 */
function inverseIteration(t: Tridiagonal, value: number, norm: number, found: readonly Float64Array[]): Float64Array {
	const { n } = t;
	const solve = solver(t, value, norm);
	// Fixed, of no special direction, another one for each vector.
	const x = new Float64Array(n);
	for (let i = 0; i < n; i++) x[i] = 1 + (((i + 1) * (found.length + 1) * 0.6180339887498949) % 1);
	for (let pass = 0; pass < ITERATIONS; pass++) {
		clearOf(x, found);
		solve(x);
		clearOf(x, found);
		let squares = 0;
		for (let i = 0; i < n; i++) squares += at(x, i) ** 2;
		const size = Math.sqrt(squares);
		for (let i = 0; i < n; i++) x[i] = at(x, i) / size;
	}
	return x;
}

function clearOf(x: Float64Array, found: readonly Float64Array[]): void {
	for (const other of found) {
		let product = 0;
		for (let i = 0; i < x.length; i++) product += (x[i] as number) * (other[i] as number);
		for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) - product * (other[i] as number);
	}
}

/** Elimination of T - value with row exchanges, done once; solves in place. A pivot of 0 is made tiny. */
function solver({ n, diagonal, off }: Tridiagonal, value: number, norm: number): (x: Float64Array) => void {
	const tiny = Number.EPSILON * norm || Number.MIN_VALUE;
	const main = new Float64Array(n);
	for (let i = 0; i < n; i++) main[i] = (diagonal[i] as number) - value;
	const upper = new Float64Array(off);
	const second = new Float64Array(n);
	const factors = new Float64Array(n);
	const exchanged = new Uint8Array(n);
	for (let i = 0; i < n - 1; i++) {
		const below = off[i] as number;
		const pivot = main[i] as number;
		if (Math.abs(below) > Math.abs(pivot)) {
			exchanged[i] = 1;
			const factor = pivot / below;
			const [nextMain, nextUpper] = [main[i + 1] as number, i < n - 2 ? (upper[i + 1] as number) : 0];
			factors[i] = factor;
			main[i + 1] = (upper[i] as number) - factor * nextMain;
			main[i] = below;
			upper[i] = nextMain;
			second[i] = nextUpper;
			if (i < n - 2) upper[i + 1] = -factor * nextUpper;
		} else {
			if (Math.abs(pivot) < tiny) main[i] = tiny;
			const factor = below / (main[i] as number);
			factors[i] = factor;
			main[i + 1] = (main[i + 1] as number) - factor * (upper[i] as number);
		}
	}
	if (Math.abs(main[n - 1] as number) < tiny) main[n - 1] = tiny;
	return (x) => {
		for (let i = 0; i < n - 1; i++) {
			const [here, next] = exchanged[i] ? [x[i + 1] as number, x[i] as number] : [x[i] as number, x[i + 1] as number];
			x[i] = here;
			x[i + 1] = next - (factors[i] as number) * here;
		}
		for (let i = n - 1; i >= 0; i--) {
			let rest = x[i] as number;
			if (i < n - 1) rest -= (upper[i] as number) * (x[i + 1] as number);
			if (i < n - 2) rest -= (second[i] as number) * (x[i + 2] as number);
			x[i] = rest / (main[i] as number);
		}
	};
}

function reflectedBack({ n, reflectors, scales }: Tridiagonal, vector: Float64Array): Float64Array {
	const x = new Float64Array(vector);
	for (let k = n - 2; k >= 0; k--) {
		const scale = scales[k] as number;
		if (scale === 0) continue;
		let product = 0;
		for (let i = k + 1; i < n; i++) product += (reflectors[k * n + i] as number) * (x[i] as number);
		for (let i = k + 1; i < n; i++) x[i] = (x[i] as number) - scale * product * (reflectors[k * n + i] as number);
	}
	return x;
}
