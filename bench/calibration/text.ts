import { wilsonInterval } from "../../src/strategies/evidence/intervals.ts";
import { selectionOf } from "../../src/strategies/evidence/selection.ts";
import { probabilisticSharpe } from "../../src/strategies/statistics/sharpe.ts";
import { markdownTable } from "../docs/blocks.ts";
import type { Calibrated } from "./collect.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1).padStart(5)} %`;
const figure = (value: number | null, digits = 4): string => (value === null ? "-" : value.toFixed(digits));

/** The reliability table: one block a record, bins of ten points, then the same year by year. */
export function reliabilityText(title: string, records: readonly Calibrated[]): string {
	const scored = records.filter(({ reliability }) => reliability.scored > 0);
	return [title, "=".repeat(title.length), "", summary(scored), deflation(records), ...scored.map(block)].join("\n");
}

function summary(records: readonly Calibrated[]): string {
	const width = Math.max(10, ...records.map((record) => nameOf(record).length));
	const head = `${"record".padEnd(width)}  scored   Brier    skill     ECE  ECE last 200     MCB     DSC`;
	const lines = records.map((record) => {
		const { scored, brier, skill, ece, eceRecent, recalibration } = record.reliability;
		const cells = [
			String(scored).padStart(6),
			figure(brier).padStart(7),
			figure(skill).padStart(8),
			figure(ece, 3).padStart(7),
			figure(eceRecent, 3).padStart(13),
			figure(recalibration?.miscalibration ?? null).padStart(7),
			figure(recalibration?.discrimination ?? null).padStart(7),
		];
		return `${nameOf(record).padEnd(width)}  ${cells.join(" ")}`;
	});
	const notes = [
		"Brier: mean squared error, 0.25 for a coin. Skill: against the pooled rate. ECE: expected calibration error.",
		"Brier = MCB - DSC + rate (1 - rate), by isotonic recalibration: MCB is what it would have saved, DSC what the ranking is worth.",
	];
	return [head, ...lines, "", ...notes].join("\n");
}

/** Whether a weekly Sharpe ratio stands out of all that were tried here: the best of many is high by chance. */
function deflation(records: readonly Calibrated[]): string {
	const trials = records.flatMap((record) =>
		record.sharpe === undefined ? [] : [[nameOf(record), record.sharpe] as const],
	);
	const selection = selectionOf(trials);
	if (selection === null) return "";
	const width = Math.max(10, ...trials.map(([name]) => name.length));
	const lines = trials.flatMap(([name, sharpe]) => {
		if (sharpe === null) return [];
		const cells = [
			String(sharpe.observations).padStart(6),
			figure(sharpe.ratio, 3).padStart(7),
			figure(probabilisticSharpe(sharpe, 0), 3).padStart(8),
			figure(selection.deflated[name] ?? null, 3).padStart(8),
		];
		return [`${name.padEnd(width)}  ${cells.join(" ")}`];
	});
	const head = `${"Sharpe ratio of weekly means".padEnd(width)}   weeks   ratio   P(>0) deflated`;
	const note = `Deflated: the probability that the ratio is real among ${selection.trials} trials, of which the best unskilled one would show ${figure(selection.expectedMaximum, 3)}.`;
	return ["", head, ...lines, "", note].join("\n");
}

export const nameOf = ({ strategy, part }: Calibrated): string => (part === "" ? strategy : `${strategy}: ${part}`);

function block(record: Calibrated): string {
	const { bins, years, recalibration } = record.reliability;
	const ofBins = bins.map(({ from, n, predicted, observed }) => {
		const [low, high] = wilsonInterval(observed, n);
		const range = `${(100 * from).toFixed(0).padStart(3)} to ${(100 * from + 10).toFixed(0).padStart(3)} %`;
		return `  ${range}  ${String(n).padStart(6)}  ${percent(predicted)}  ${percent(observed)}  [${percent(low)}, ${percent(high)}]`;
	});
	const ofYears = years.map(({ year, n, predicted, observed, brier, ece }) => {
		return `  ${String(year).padEnd(12)}  ${String(n).padStart(6)}  ${percent(predicted)}  ${percent(observed)}  Brier ${brier.toFixed(4)}  ECE ${ece.toFixed(3)}`;
	});
	const ofCurve = (recalibration?.curve ?? []).map(({ from, to, n, observed }) => {
		return `  ${(100 * from).toFixed(1).padStart(5)} to ${(100 * to).toFixed(1).padStart(5)} %  ${String(n).padStart(6)}  recalibrated ${percent(observed)}`;
	});
	const head = "                       n  predicted  observed";
	return ["", nameOf(record), "-".repeat(nameOf(record).length), head, ...ofBins, ...ofYears, ...ofCurve].join("\n");
}

/** Fewer forecasts of a year say nothing about it. */
const YEAR_FORECASTS_MIN = 30;

/** The summary as a Markdown table, a row a record. */
export function recordsMarkdown(records: readonly Calibrated[]): string {
	const scored = records.filter(({ reliability }) => reliability.scored > 0);
	const rows = scored.map((record) => {
		const { scored: forecasts, brier, skill, ece, eceRecent, years } = record.reliability;
		const miss = (year: (typeof years)[number]) => Math.abs(year.predicted - year.observed);
		const worst = years.filter(({ n }) => n >= YEAR_FORECASTS_MIN).sort((a, b) => miss(b) - miss(a))[0];
		return [
			nameOf(record).replaceAll(" evidence", " all").replaceAll(".evidence", ""),
			String(forecasts),
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
