/**
 * Objects that have the same members, told member by member instead of one by one: what they have in common is written
 * once, at less cost than it takes to pack it. A column is `[value]` where all values are the same, an object of columns
 * where they are such objects again, and otherwise the list of them, or the number of the same list among those that
 * were written before.
 */
export type Column = unknown[] | number | { [name: string]: Column };

/** The lists of one text in their order: to be handed to all of its columns, read in the order in which they were made. */
export type Lists = unknown[][];

type Json = Record<string, unknown>;

const isEmpty = (value: object): boolean => {
	for (const _ in value) return false;
	return true;
};

/** Equal references, or nothing in either: what is made anew each time is mostly empty. */
function isSame(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	return Array.isArray(a) === Array.isArray(b) && isEmpty(a) && isEmpty(b);
}

/** The names that all of `values` have in this order; null: they are no such objects, or JSON would not give them back. */
function sharedNames(values: readonly unknown[]): string[] | null {
	let names: string[] | null = null;
	for (const value of values) {
		if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
		names ??= Object.keys(value);
		let at = 0;
		for (const name in value) {
			if (name !== names[at] || name === "__proto__" || (value as Json)[name] === undefined) return null;
			at += 1;
		}
		if (at !== names.length) return null;
	}
	return names;
}

const isEqual = (a: readonly unknown[], b: readonly unknown[]): boolean =>
	a.length === b.length && a.every((value, i) => value === b[i]);

function listOf(values: readonly unknown[], lists: Lists): Column {
	const known = lists.findIndex((list) => isEqual(list, values));
	if (known >= 0) return known;
	const list = [...values];
	lists.push(list);
	return list;
}

/** @param values JSON, one at least */
export function columnOf(values: readonly unknown[], lists: Lists): Column {
	const [first] = values;
	return values.every((value) => isSame(value, first)) ? [first] : columnOfDifferent(values, lists);
}

function columnOfDifferent(values: readonly unknown[], lists: Lists): Column {
	const names = sharedNames(values);
	if (names === null) return listOf(values, lists);
	const columns: Record<string, Column> = {};
	for (const name of names) columns[name] = columnOfMember(values as Json[], name, lists);
	return columns;
}

/** The column of one member of `objects`. Most members are the same in all of them, and then no list of them is made. */
export function columnOfMember<Name extends string>(
	objects: readonly { readonly [name in Name]: unknown }[],
	name: Name,
	lists: Lists,
): Column {
	const first = objects[0]?.[name];
	let same = 1;
	while (same < objects.length && isSame(objects[same]?.[name], first)) same += 1;
	if (same >= objects.length) return [first];
	return columnOfDifferent(
		objects.map((object) => object[name]),
		lists,
	);
}

/** The `count` values of a column again. */
export function valuesOf(column: Column, count: number, lists: Lists): unknown[] {
	if (typeof column === "number") return lists[column] ?? [];
	if (Array.isArray(column)) {
		if (column.length === 1) return Array(count).fill(column[0]);
		lists.push(column);
		return column;
	}
	const objects = Array.from({ length: count }, (): Json => ({}));
	for (const [name, inner] of Object.entries(column)) {
		const values = valuesOf(inner, count, lists);
		for (let i = 0; i < count; i++) (objects[i] as Json)[name] = values[i];
	}
	return objects;
}
