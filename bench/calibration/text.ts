import { wilsonInterval } from "../../src/strategies/evidence/intervals.ts";
import { markdownTable } from "../docs/blocks.ts";
import type { Calibrated } from "./collect.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1).padStart(5)} %`;
const figure = (value: number | null, digits = 4): string => (value === null ? "-" : value.toFixed(digits));

/** The reliability table: one block a record, bins of ten points, then the same year by year. */
export function reliabilityText(title: string, records: readonly Calibrated[]): string {
	return [title, "=".repeat(title.length), "", summary(records), ...records.map(block)].join("\n");
}

function summary(records: readonly Calibrated[]): string {
	const width = Math.max(10, ...records.map((record) => nameOf(record).length));
	const head = `${"record".padEnd(width)}  scored   Brier    skill     ECE  ECE last 200`;
	const lines = records.map((record) => {
		const { scored, brier, skill, ece, eceRecent } = record.reliability;
		const cells = [
			String(scored).padStart(6),
			figure(brier).padStart(7),
			figure(skill).padStart(8),
			figure(ece, 3).padStart(7),
			figure(eceRecent, 3).padStart(13),
		];
		return `${nameOf(record).padEnd(width)}  ${cells.join(" ")}`;
	});
	const note =
		"Brier: mean squared error, 0.25 for a coin. Skill: against the pooled rate. ECE: expected calibration error.";
	return [head, ...lines, "", note].join("\n");
}

export const nameOf = ({ strategy, part }: Calibrated): string => (part === "" ? strategy : `${strategy}: ${part}`);

function block(record: Calibrated): string {
	const { bins, years } = record.reliability;
	const ofBins = bins.map(({ from, n, predicted, observed }) => {
		const [low, high] = wilsonInterval(observed, n);
		const range = `${(100 * from).toFixed(0).padStart(3)} to ${(100 * from + 10).toFixed(0).padStart(3)} %`;
		return `  ${range}  ${String(n).padStart(6)}  ${percent(predicted)}  ${percent(observed)}  [${percent(low)}, ${percent(high)}]`;
	});
	const ofYears = years.map(({ year, n, predicted, observed, brier, ece }) => {
		return `  ${String(year).padEnd(12)}  ${String(n).padStart(6)}  ${percent(predicted)}  ${percent(observed)}  Brier ${brier.toFixed(4)}  ECE ${ece.toFixed(3)}`;
	});
	const head = "                       n  predicted  observed";
	return ["", nameOf(record), "-".repeat(nameOf(record).length), head, ...ofBins, ...ofYears].join("\n");
}

/** Fewer forecasts of a year say nothing about it. */
const YEAR_FORECASTS_MIN = 30;

/** The summary as a Markdown table, a row a record. */
export function recordsMarkdown(records: readonly Calibrated[]): string {
	const rows = records.map((record) => {
		const { scored, brier, skill, ece, eceRecent, years } = record.reliability;
		const miss = (year: (typeof years)[number]) => Math.abs(year.predicted - year.observed);
		const worst = years.filter(({ n }) => n >= YEAR_FORECASTS_MIN).sort((a, b) => miss(b) - miss(a))[0];
		return [
			nameOf(record).replaceAll(" evidence", " all").replaceAll(".evidence", ""),
			String(scored),
			figure(brier),
			figure(skill),
			figure(ece, 3),
			figure(eceRecent, 3),
			worst
				? `${worst.year}: ${(100 * worst.predicted).toFixed(0)} stated, ${(100 * worst.observed).toFixed(0)} observed`
				: "-",
		];
	});
	const head = [
		"record",
		"forecasts",
		"Brier",
		"skill",
		"ECE",
		"ECE of the newest 200",
		`worst year of at least ${YEAR_FORECASTS_MIN}, %`,
	];
	return markdownTable(head, rows);
}
