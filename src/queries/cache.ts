/**
 * Texts derived from one commit of one scan. A commit never changes, so a hit equals a new
 * derivation; whether the scan may be shown at all is decided from the store at every read.
 * Bounded by size and entries; the oldest unused one goes first.
 */
export interface SizedCache<T> {
	get(key: string): T | undefined;
	set(key: string, value: T): void;
}

export type TextCache = SizedCache<readonly string[]>;

export const createTextCache = (entriesMax: number, charactersMax: number): TextCache =>
	createSizedCache(entriesMax, charactersMax, (texts) => texts.reduce((sum, text) => sum + text.length, 0));

/** @param sizeOf in the unit of `sizeMax`; what alone is larger than that is not kept. */
export function createSizedCache<T>(entriesMax: number, sizeMax: number, sizeOf: (value: T) => number): SizedCache<T> {
	const held = new Map<string, { value: T; size: number }>();
	let sum = 0;
	const drop = (key: string) => {
		const entry = held.get(key);
		if (!entry) return;
		held.delete(key);
		sum -= entry.size;
	};
	return {
		get(key) {
			const entry = held.get(key);
			if (!entry) return undefined;
			held.delete(key);
			held.set(key, entry);
			return entry.value;
		},
		set(key, value) {
			drop(key);
			const size = sizeOf(value);
			if (size > sizeMax) return;
			held.set(key, { value, size });
			sum += size;
			for (const oldest of held.keys()) {
				if (held.size <= entriesMax && sum <= sizeMax) break;
				drop(oldest);
			}
		},
	};
}
