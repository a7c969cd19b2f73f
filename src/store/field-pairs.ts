import type { Pattern } from "../field-patterns.ts";
import { pack } from "./packing.ts";
import type { ResultFields } from "./write-contract.ts";

/** Fields of hashes as arguments of a script. */
export type Fields = Readonly<Record<string, string>>;

export function count(fields: Fields): number {
	let held = 0;
	for (const _ in fields) held += 1;
	return held;
}

export function addPairs(args: (string | number)[], fields: Fields): void {
	for (const name in fields) args.push(name, fields[name] as string);
}

/** Rows are answered as they lie there; documents are only read by the program. */
export function addResults(args: (string | number)[], results: ResultFields): void {
	for (const [name, text] of results) args.push(name, name.startsWith("d:") ? pack(text) : text);
}

const asFormat = (text: string): string => (text.includes("%") ? text.replaceAll("%", "%%") : text);

/** As arguments of a script: prefix, number of rows, words of each, format of Lua, words. */
export function addPatterns(args: (string | number)[], patterns: readonly Pattern[]): void {
	for (const { prefix, texts, rows } of patterns) {
		args.push(prefix, rows.length, texts.length - 1, texts.map(asFormat).join("%s"));
		for (const row of rows) for (const word of row) args.push(word);
	}
}
