/** What strategies say of a recorded set at its reference moment, for the measured parts of the documents. */
import { strategyById } from "../../src/catalogue.ts";
import type { Evaluation, Evidence } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { fundingEvidence } from "../../src/strategies/funding-evidence.ts";
import { BUCKETS_BPS } from "../../src/strategies/funding-samples.ts";
import { findBuiltStrategy } from "../../src/strategies/registry.ts";
import { NO_PORTFOLIO, requestOn, type Scene } from "../../test/support/evaluate-on.ts";
import { benchPortfolio } from "../scene.ts";
import { markdownTable } from "./blocks.ts";

const FUNDING_COST = 0.003;
const HELD_COINS_USUAL = 10;
/** Of ten equal coins none carries enough of the risk to be hedged. */
const HELD_COINS: Readonly<Record<string, number>> = { ai_hedge_position: 3 };

/** A record by name, as a report or a row states it. */
interface NamedEvidence {
	name: string;
	evidence: Evidence;
}

/** One strategy on the whole recorded universe, symbol limits lifted. */
export interface Measured {
	id: string;
	/** Without a position. */
	evaluation: Evaluation;
	/** Only of strategies about positions: on a portfolio of the coins of highest volume, equal in value. */
	held: { coins: number; evaluation: Evaluation } | null;
	records: NamedEvidence[];
}

export async function measureAll(scene: Scene, ids: readonly string[]): Promise<Measured[]> {
	const found: Measured[] = [];
	for (const id of ids) {
		const request = await requestOn(id, scene, NO_PORTFOLIO);
		const evaluation = evaluate(request);
		const ofPositions = findBuiltStrategy(id)?.needs.candidates === "positions";
		const coins = HELD_COINS[id] ?? HELD_COINS_USUAL;
		const portfolio = ofPositions ? await benchPortfolio(scene, coins) : null;
		const held = portfolio && { coins, evaluation: evaluate(await requestOn(id, scene, portfolio)) };
		const records = held
			? rowRecords(held.evaluation)
			: [
					...reportRecords("", evaluation.report),
					...(id === "ai_funding_arbitrage" ? fundingRecords(request.view) : []),
				];
		found.push({ id, evaluation, held, records });
	}
	return found;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** Wherever a report shows a record with a grade: found by its shape, so that new strategies need no entry here. */
function reportRecords(path: string, node: Record<string, unknown>): NamedEvidence[] {
	return Object.entries(node).flatMap(([key, value]): NamedEvidence[] => {
		if (!isRecord(value)) return [];
		const name = [path, key].filter((part) => part !== "" && part !== "evidence").join(" / ");
		if (!("n_effective" in value && "grade" in value)) return reportRecords(name, value);
		const { calibration } = value;
		const scores = isRecord(calibration) ? { brier: calibration.brier, ece: calibration.ece } : {};
		return [{ name: name === "" ? "all trades" : name, evidence: { ...value, ...scores } as unknown as Evidence }];
	});
}

function fundingRecords(view: Parameters<typeof fundingEvidence>[0]): NamedEvidence[] {
	const record = fundingEvidence(view);
	return BUCKETS_BPS.slice(1).map((from, i) => {
		const to = BUCKETS_BPS[i + 2];
		const name = `3-day mean ${to === undefined ? `above ${from}` : `${from} to ${to}`} bp, cost 30 bp`;
		return { name, evidence: record.bucket(i + 1, FUNDING_COST).evidence };
	});
}

const rowRecords = ({ published, unproven }: Evaluation): NamedEvidence[] =>
	[...published, ...unproven].map(({ opportunity_type, symbol, metadata, evidence }) => ({
		name: [opportunity_type, symbol, metadata.method].filter(Boolean).join(" / "),
		evidence,
	}));

const share = (value: number | null): string => (value === null ? "-" : `${(100 * value).toFixed(1)} %`);
const bps = (value: number | null): string => (value === null ? "-" : `${value.toFixed(0)} bp`);
const figure = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));

const HEAD = [
	"record",
	"n",
	"effective",
	"hit rate",
	"mean net",
	"90 % of the mean",
	"profit factor",
	"placebo",
	"Brier",
	"ECE",
	"grade",
];

const recordCells = ({ name, evidence: e }: NamedEvidence): string[] => [
	name,
	String(e.n),
	figure(e.n_effective, 0),
	share(e.hit_rate),
	bps(e.mean_net_bps),
	e.bootstrap_90 ? `${bps(e.bootstrap_90[0])} to ${bps(e.bootstrap_90[1])}` : "-",
	figure(e.profit_factor, 2),
	figure(e.p_placebo, 3),
	figure(e.brier, 4),
	figure(e.ece, 3),
	e.grade,
];

/** Reasons and their counts, most frequent first. */
export function countsOf({ rejected }: Evaluation): [reason: string, n: number][] {
	const counts = new Map<string, number>();
	for (const { reason } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

const outcome = (evaluation: Evaluation): string => {
	const { evaluated, candidate_unit, published, unproven } = evaluation;
	const rejected = countsOf(evaluation).map(([reason, n]) => `${n} \`${reason}\``);
	return `${evaluated} ${candidate_unit}s: ${[`${published.length} published`, `${unproven.length} unproven`, ...rejected].join(", ")}.`;
};

/** The measured part of a page. */
export function evidenceBlock({ evaluation, held, records }: Measured, asOf: string): string {
	const looked = held ? "Without positions" : "Whole recorded universe, symbol limits lifted";
	return [
		`Recorded set as of ${asOf}. ${looked}: ${outcome(evaluation)}`,
		...(held ? [`With ${held.coins} coins of equal value: ${outcome(held.evaluation)}`] : []),
		...statement(evaluation),
		records.every(({ evidence }) => evidence.n === 0) ? NO_RECORD : markdownTable(HEAD, records.map(recordCells)),
	].join("\n\n");
}

const NO_RECORD =
	"No record: the recorded set has none of the order books, trades or option chains of this time that one would be made of.";

/** The forecast that stands beside a trade, where a strategy makes one. */
function statement({ report }: Evaluation): string[] {
	if (!isRecord(report.statement)) return [];
	const rate = (key: string) => {
		const found = (report.statement as Record<string, unknown>)[key];
		return isRecord(found) ? `${share(Number(found.rate))} of ${found.n}` : "-";
	};
	return [`The forecast held on ${rate("squeezed")} squeezed days, against ${rate("base")} days of any kind.`];
}

export const titleOf = (id: string): string => strategyById(id).name;
