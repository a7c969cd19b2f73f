import { harmless } from "./terminal.ts";

export interface Column<Row> {
	title: string;
	of(row: Row): string;
	right?: boolean;
	/** The widest it gets, characters. */
	max?: number;
}

const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);

/** Rows as aligned text; nothing but the title line when there are none. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
	const cells = rows.map((row) => columns.map(({ of, max = 60 }) => cut(harmless(of(row)), max)));
	const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((line) => line[i]?.length ?? 0)));
	const line = (texts: readonly string[]) =>
		texts
			.map((text, i) => (columns[i]?.right ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
			.join("  ")
			.trimEnd();
	return `${[line(columns.map(({ title }) => title)), ...cells.map(line)].join("\n")}\n`;
}

export const number = (value: unknown, digits = 2): string =>
	typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: digits }) : "-";
export const word = (value: unknown): string => (value === null || value === undefined ? "-" : String(value));
export const seconds = (ms: unknown): string => (typeof ms === "number" ? `${(ms / 1000).toFixed(1)} s` : "-");
