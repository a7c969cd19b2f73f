import { createHash } from "node:crypto";

/**
 * Canonical JSON: object keys in code-point order at every level, no blanks, absent members omitted.
 * Two values that mean the same give the same text, so its hash can name them.
 * Throws TypeError for numbers that JSON cannot carry (NaN, infinities).
 */
export function canonicalJson(value: unknown): string {
	if (typeof value === "number" && !Number.isFinite(value)) {
		throw new TypeError(`${value} has no JSON form`);
	}
	if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
	if (value !== null && typeof value === "object") {
		const members = Object.entries(value)
			.filter(([, member]) => member !== undefined)
			.sort(([a], [b]) => compareText(a, b))
			.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
		return `{${members.join(",")}}`;
	}
	return JSON.stringify(value) ?? "null";
}

/** SHA-256 of UTF-8 text, 64 lower-case hex digits. */
export const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Order by UTF-16 code units, the same on every machine; `localeCompare` depends on the locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
