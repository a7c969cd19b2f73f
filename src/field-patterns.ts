/**
 * Fields of a hash that say nearly the same, told to the server as what all of them have in common and the words in which
 * they differ: it puts them together. A field's name is `prefix` and its first word; its text begins with the first of
 * `texts`, and each of its words is followed by the next of them.
 */
export interface Pattern {
	prefix: string;
	/** One more than a row has words; in neither is a NUL, where the server would cut a word. */
	texts: readonly string[];
	rows: readonly (readonly string[])[];
}

/** The text that `words` make with `texts` around them. */
export function filled(texts: readonly string[], words: readonly string[]): string {
	let text = texts[0] as string;
	for (let i = 0; i < words.length; i++) text += (words[i] as string) + (texts[i + 1] as string);
	return text;
}

/**
 * The same fields with fewer words: those that are equal in all rows become a part of the texts. The first stays, since it
 * names the field.
 */
export function patternOf({ prefix, texts, rows }: Pattern): Pattern {
	const [first = []] = rows;
	const kept: number[] = [];
	const merged: string[] = [texts[0] as string];
	for (let column = 0; column < first.length; column++) {
		const after = texts[column + 1] as string;
		if (column > 0 && isShared(rows, column)) merged[merged.length - 1] += (first[column] as string) + after;
		else {
			kept.push(column);
			merged.push(after);
		}
	}
	return { prefix, texts: merged, rows: rows.map((row) => kept.map((column) => row[column] as string)) };
}

/** Do all rows have the same word there? */
function isShared(rows: Pattern["rows"], column: number): boolean {
	const word = rows[0]?.[column];
	for (let i = 1; i < rows.length; i++) if (rows[i]?.[column] !== word) return false;
	return true;
}

/** The fields as they will stand in the hash. */
export const fieldsOf = ({ prefix, texts, rows }: Pattern): Record<string, string> =>
	Object.fromEntries(rows.map((row) => [prefix + row[0], filled(texts, row)]));
