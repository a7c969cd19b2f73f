import type { Column } from "../columns.ts";

/** Sums of n columns and their products over the newest `window` rows; rows enter and leave one by one. */
export class RollingCovariance {
	#columns: readonly Column[];
	readonly #window: number;
	readonly #sums: Float64Array;
	readonly #products: Float64Array;
	readonly #row: Float64Array;
	#next: number;

	/** `first`: the row that enters first. */
	constructor(columns: readonly Column[], window: number, first: number) {
		this.#columns = columns;
		this.#window = window;
		this.#sums = new Float64Array(columns.length);
		this.#products = new Float64Array(columns.length ** 2);
		this.#row = new Float64Array(columns.length);
		this.#next = first;
		for (let row = 0; row < window; row++) this.#add(this.#next++, 1);
	}

	/** The newest row inside the window. */
	get row(): number {
		return this.#next - 1;
	}

	/** The same columns with more rows at their end. */
	extend(columns: readonly Column[]): void {
		this.#columns = columns;
	}

	advance(): void {
		this.#add(this.#next - this.#window, -1);
		this.#add(this.#next++, 1);
	}

	#add(row: number, sign: 1 | -1): void {
		const [values, sums, products] = [this.#row, this.#sums, this.#products];
		const n = values.length;
		for (let i = 0; i < n; i++) values[i] = (this.#columns[i] as Column)[row] as number;
		for (let i = 0; i < n; i++) {
			const value = sign * (values[i] as number);
			sums[i] = (sums[i] as number) + value;
			for (let j = 0; j <= i; j++)
				products[i * n + j] = (products[i * n + j] as number) + value * (values[j] as number);
		}
	}

	/** Sample standard deviations and the correlation matrix, row by row. */
	standardised(): { deviations: Float64Array; correlation: Float64Array } {
		const [sums, products, window] = [this.#sums, this.#products, this.#window];
		const n = sums.length;
		const covariance = (i: number, j: number) =>
			((products[i * n + j] as number) - ((sums[i] as number) * (sums[j] as number)) / window) / (window - 1);
		const deviations = new Float64Array(n);
		for (let i = 0; i < n; i++) deviations[i] = Math.sqrt(covariance(i, i));
		const correlation = new Float64Array(n * n);
		for (let i = 0; i < n; i++) {
			correlation[i * n + i] = 1;
			for (let j = 0; j < i; j++) {
				const value = covariance(i, j) / ((deviations[i] as number) * (deviations[j] as number));
				correlation[i * n + j] = value;
				correlation[j * n + i] = value;
			}
		}
		return { deviations, correlation };
	}
}
