/**
 * Names of an error's class and of those above it. ccxt's classes are compared by name: an error that crossed a
 * module or a thread is no instance of the class that this module would import.
 */
export function classesOf(error: unknown): Set<string> {
	const names = new Set<string>();
	for (let of: unknown = error; of !== null && typeof of === "object"; of = Object.getPrototypeOf(of)) {
		const name = (of as { constructor?: { name?: unknown } }).constructor?.name;
		if (typeof name === "string") names.add(name);
	}
	return names;
}
