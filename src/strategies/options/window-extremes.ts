/**
 * The newest values of a stream with their least and largest, each found without looking at all of them again: of
 * values that wait, one that a newer and more extreme one has overtaken can never be the answer. NaN among them makes
 * both NaN, as it does for Math.min and Math.max.
 */
export class WindowExtremes {
	readonly #most: number;
	readonly #values: number[] = [];
	/** Places of the candidates for the least and the largest value, oldest first; `next` is the first that counts. */
	readonly #low = { places: [] as number[], next: 0 };
	readonly #high = { places: [] as number[], next: 0 };
	#unknown = 0;

	constructor(valuesMax: number) {
		this.#most = valuesMax;
	}

	get length(): number {
		return Math.min(this.#values.length, this.#most);
	}

	get least(): number {
		return this.#at(this.#low);
	}

	get most(): number {
		return this.#at(this.#high);
	}

	/** Adds a value; the one that leaves the window for it, null while there is room. */
	push(value: number): number | null {
		const place = this.#values.push(value) - 1;
		if (Number.isNaN(value)) this.#unknown++;
		this.#wait(this.#low, place, (waiting) => waiting >= value);
		this.#wait(this.#high, place, (waiting) => waiting <= value);
		if (place < this.#most) return null;
		const left = this.#values[place - this.#most] as number;
		if (Number.isNaN(left)) this.#unknown--;
		return left;
	}

	/** Added up from the oldest on. */
	sum(): number {
		let sum = 0;
		for (let i = this.#values.length - this.length; i < this.#values.length; i++) sum += this.#values[i] as number;
		return sum;
	}

	#wait(queue: { places: number[]; next: number }, place: number, overtaken: (waiting: number) => boolean): void {
		const { places } = queue;
		while (places.length > queue.next && overtaken(this.#values[places[places.length - 1] as number] as number))
			places.pop();
		places.push(place);
		while ((places[queue.next] as number) <= place - this.#most) queue.next++;
	}

	#at({ places, next }: { places: number[]; next: number }): number {
		return this.#unknown > 0 ? Number.NaN : (this.#values[places[next] as number] ?? Number.NaN);
	}
}
