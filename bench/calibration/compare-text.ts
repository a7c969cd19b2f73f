import { markdownTable } from "../docs/blocks.ts";
import type { Compared, ComparedScores } from "./compare.ts";

const figure = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));
const met = (outside: readonly string[]): string => (outside.length === 0 ? "yes" : `no: ${outside.join(", ")}`);

const HEAD = ["rule", "trades", "hit rate", "mean net %", "profit factor", "effective trades", "met"];
const SCORE_HEAD = ["rule", "Brier", "ECE", "Brier of the pool", "Brier of 80 %", "ECE of 80 %", "met"];

/** `measured / published` in each cell. */
const cells = ({ rule, published, measured, outside }: Compared): string[] => {
	const pair = (key: keyof typeof published, digits: number) =>
		published[key] === null ? "-" : `${figure(measured[key], digits)} / ${figure(published[key], digits)}`;
	return [
		rule,
		pair("n", 0),
		pair("hit", 3),
		pair("meanPercent", 2),
		pair("profitFactor", 2),
		pair("nEffective", 0),
		met(outside),
	];
};
const scoreCells = ({ rule, stated, pool, constant, outside }: ComparedScores): string[] => {
	const pair = (measured: number, published: number, digits: number) =>
		`${measured.toFixed(digits)} / ${published.toFixed(digits)}`;
	return [
		rule,
		pair(stated.measured.brier, stated.published.brier, 4),
		pair(stated.measured.ece, stated.published.ece, 3),
		pair(pool.measured, pool.published, 4),
		pair(constant.measured.brier, constant.published.brier, 4),
		pair(constant.measured.ece, constant.published.ece, 3),
		met(outside),
	];
};

export const tableMarkdown = (rows: readonly Compared[]): string => markdownTable(HEAD, rows.map(cells));
export const scoresMarkdown = (rows: readonly ComparedScores[]): string =>
	markdownTable(SCORE_HEAD, rows.map(scoreCells));

/** Both tables with their columns aligned, for the terminal. */
export function compareText(table: readonly Compared[], scores: readonly ComparedScores[]): string {
	const aligned = (lines: readonly (readonly string[])[]) => {
		const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
		return lines.map((line) =>
			line
				.map((cell, i) => cell.padEnd(widths[i] ?? 0))
				.join("  ")
				.trimEnd(),
		);
	};
	return [
		"Rules of the published table: measured here / published",
		"",
		...aligned([HEAD, ...table.map(cells)]),
		"",
		"Probabilities stated out of sample: measured here / published",
		"",
		...aligned([SCORE_HEAD, ...scores.map(scoreCells)]),
	].join("\n");
}
