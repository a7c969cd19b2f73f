/** Fields of an exchange's answers as they stand in the files. */
import { RecordError } from "./client.ts";

/** A member of an object of the answer; undefined where it has none. */
export const textField = (entry: unknown, name: string): unknown =>
	entry !== null && typeof entry === "object" ? (entry as Record<string, unknown>)[name] : undefined;

/** Epoch ms. Throws RecordError for anything else. */
export function timeField(value: unknown, name: string): number {
	const time = typeof value === "string" ? Number(value) : value;
	if (typeof time !== "number" || !Number.isSafeInteger(time) || time < 0) {
		throw new RecordError(`the exchange sent ${JSON.stringify(value) ?? "nothing"} as ${name}`);
	}
	return time;
}

/** The digits of a decimal number without needless zeros: `71066.50000000` -> `71066.5`. Throws RecordError. */
export function decimalField(value: unknown, name: string): string {
	const text = typeof value === "number" ? String(value) : value;
	if (typeof text !== "string" || !/^-?\d{1,30}(?:\.\d{1,30})?$/.test(text)) {
		throw new RecordError(`the exchange sent ${JSON.stringify(value)?.slice(0, 60) ?? "nothing"} as ${name}`);
	}
	return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
