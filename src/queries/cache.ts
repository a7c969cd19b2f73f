/**
 * Texts derived from one revision of one scan. A revision never changes, so a hit equals a new
 * derivation; whether the scan may be shown at all is decided from the store at every read.
 * Bounded by characters and entries; the oldest unused text goes first.
 */
export interface TextCache {
	get(key: string): readonly string[] | undefined;
	set(key: string, texts: readonly string[]): void;
}

export function createTextCache(entriesMax: number, charactersMax: number): TextCache {
	const held = new Map<string, { texts: readonly string[]; characters: number }>();
	let characters = 0;
	const drop = (key: string) => {
		const entry = held.get(key);
		if (!entry) return;
		held.delete(key);
		characters -= entry.characters;
	};
	return {
		get(key) {
			const entry = held.get(key);
			if (!entry) return undefined;
			held.delete(key);
			held.set(key, entry);
			return entry.texts;
		},
		set(key, texts) {
			drop(key);
			const size = texts.reduce((sum, text) => sum + text.length, 0);
			if (size > charactersMax) return;
			held.set(key, { texts, characters: size });
			characters += size;
			for (const oldest of held.keys()) {
				if (held.size <= entriesMax && characters <= charactersMax) break;
				drop(oldest);
			}
		},
	};
}
