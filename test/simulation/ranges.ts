/** Numbers, ranges and ids as Redis reads them. */
export type Reply = string | number | null | Reply[] | { ok: string };

export class RedisError extends Error {}

export type Stream = { id: [ms: number, seq: number]; fields: string[] }[];

export const wrong = (text: string): never => {
	throw new RedisError(text);
};

export function integer(text: string | undefined): number {
	const value = Number(text);
	return text !== undefined && text !== "" && Number.isInteger(value)
		? value
		: wrong("ERR value is not an integer or out of range");
}

export function score(text: string | undefined): number {
	if (text === "-inf") return Number.NEGATIVE_INFINITY;
	if (text === "+inf" || text === "inf") return Number.POSITIVE_INFINITY;
	const value = Number(text);
	return text && !Number.isNaN(value) ? value : wrong("ERR value is not a valid float");
}

export const shown = (value: number | undefined): string | null =>
	value === undefined
		? null
		: Math.abs(value) === Number.POSITIVE_INFINITY
			? value > 0
				? "inf"
				: "-inf"
			: String(value);

export function slice<T>(items: readonly T[], from: number, to: number): T[] {
	const start = from < 0 ? Math.max(0, items.length + from) : from;
	const end = to < 0 ? items.length + to : to;
	return items.slice(start, end + 1);
}

const bound = (text = ""): { at: number; open: boolean } =>
	text.startsWith("(") ? { at: score(text.slice(1)), open: true } : { at: score(text), open: false };

export function within(rows: [string, number][], from: string | undefined, to: string | undefined): [string, number][] {
	const low = bound(from);
	const high = bound(to);
	return rows.filter(([, at]) => (low.open ? at > low.at : at >= low.at) && (high.open ? at < high.at : at <= high.at));
}

export const withScores = (rows: [string, number][], options: readonly string[]): Reply[] =>
	options.some((word) => word.toUpperCase() === "WITHSCORES")
		? rows.flatMap(([member, at]) => [member, shown(at)])
		: rows.map(([member]) => member);

const compareIds = (a: [number, number], b: [number, number]): number => a[0] - b[0] || a[1] - b[1];

export function nextId(text: string, last: [number, number], now: number): [number, number] {
	if (text === "*") return compareIds([now, 0], last) > 0 ? [now, 0] : [last[0], last[1] + 1];
	const [ms = 0, seq = 0] = text.split("-").map(Number);
	return compareIds([ms, seq], last) > 0
		? [ms, seq]
		: wrong("ERR The ID specified in XADD is equal or smaller than the target stream top item");
}

function streamBound(text: string, missing: number): { id: [number, number]; open: boolean } {
	if (text === "-") return { id: [0, 0], open: false };
	if (text === "+") return { id: [Number.POSITIVE_INFINITY, 0], open: false };
	const open = text.startsWith("(");
	const [ms = 0, seq = missing] = (open ? text.slice(1) : text).split("-").map(Number);
	return { id: [ms, seq], open };
}

export function streamRange(entries: Stream, from: string, to: string, options: readonly string[]): Reply[] {
	const low = streamBound(from, 0);
	const high = streamBound(to, Number.POSITIVE_INFINITY);
	const count = options[0]?.toUpperCase() === "COUNT" ? integer(options[1]) : Number.POSITIVE_INFINITY;
	return entries
		.filter(({ id }) => {
			const above = compareIds(id, low.id);
			const under = compareIds(high.id, id);
			return (low.open ? above > 0 : above >= 0) && (high.open ? under > 0 : under >= 0);
		})
		.slice(0, count)
		.map(({ id, fields }) => [id.join("-"), [...fields]]);
}

/** A pattern of SCAN as the program writes them: only `*` stands for anything. */
export const globOf = (pattern: string): RegExp =>
	new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "s");
