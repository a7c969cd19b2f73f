interface Entry<V> {
	value: V;
	bytes: number;
}

/** Least-recently-used map bounded by the bytes of its values. A value above the bound is not kept. */
export class ByteLru<V> {
	readonly bytesMax: number;
	#entries = new Map<string, Entry<V>>();
	#bytes = 0;
	#evictions = 0;

	/** Throws RangeError when the bound is not a positive number. */
	constructor(bytesMax: number) {
		if (!(bytesMax > 0)) throw new RangeError(`bytesMax must be positive, got ${bytesMax}`);
		this.bytesMax = bytesMax;
	}

	get size(): number {
		return this.#entries.size;
	}

	get bytes(): number {
		return this.#bytes;
	}

	get evictions(): number {
		return this.#evictions;
	}

	get(key: string): V | undefined {
		const entry = this.#entries.get(key);
		if (entry === undefined) return undefined;
		// A Map iterates in insertion order: putting the entry back makes it the newest.
		this.#entries.delete(key);
		this.#entries.set(key, entry);
		return entry.value;
	}

	set(key: string, value: V, bytes: number): void {
		this.delete(key);
		if (bytes > this.bytesMax) return;
		this.#entries.set(key, { value, bytes });
		this.#bytes += bytes;
		for (const oldest of this.#entries.keys()) {
			if (this.#bytes <= this.bytesMax) break;
			this.delete(oldest);
			this.#evictions++;
		}
	}

	delete(key: string): void {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		this.#entries.delete(key);
		this.#bytes -= entry.bytes;
	}

	clear(): void {
		this.#entries.clear();
		this.#bytes = 0;
	}
}
