/** One difference between two values read as JSON. */
export interface Change {
	path: string;
	kind: "added" | "removed" | "changed";
	before?: unknown;
	after?: unknown;
}

type Group = Record<string, unknown>;
const isGroup = (value: unknown): value is Group => typeof value === "object" && value !== null;

/** A member's name as people find it: `strategies[ai_pairs_trading].state` rather than its number. */
function nameIn(parent: unknown, key: string): string {
	if (!Array.isArray(parent)) return key;
	const id = (parent[Number(key)] as Group | undefined)?.strategy_id;
	return `[${typeof id === "string" ? id : key}]`;
}

const joined = (path: string, name: string): string =>
	path === "" || name.startsWith("[") ? `${path}${name}` : `${path}.${name}`;

/** What differs from `before` to `after`, leaf by leaf, at most `max` changes. */
export function changesBetween(before: unknown, after: unknown, max = 500): Change[] {
	const changes: Change[] = [];
	const visit = (a: unknown, b: unknown, path: string): void => {
		if (changes.length >= max || Object.is(a, b)) return;
		if (!isGroup(a) || !isGroup(b) || Array.isArray(a) !== Array.isArray(b)) {
			changes.push({ path, kind: "changed", before: a, after: b });
			return;
		}
		for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
			if (changes.length >= max) return;
			const [inA, inB] = [Object.hasOwn(a, key), Object.hasOwn(b, key)];
			const at = joined(path, nameIn(inB ? b : a, key));
			if (inA && inB) visit(a[key], b[key], at);
			else if (inB) changes.push({ path: at, kind: "added", after: b[key] });
			else changes.push({ path: at, kind: "removed", before: a[key] });
		}
	};
	visit(before, after, "");
	return changes;
}
