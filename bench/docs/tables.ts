/** Tables about a strategy that follow from the running definitions alone. */
import { CATALOGUE, strategyById } from "../../src/catalogue.ts";
import type { DataNeeds, Evaluation, Strategy } from "../../src/strategies/contract.ts";
import { findBuiltStrategy, gatesOf } from "../../src/strategies/registry.ts";
import { NO_PORTFOLIO } from "../../test/support/evaluate-on.ts";
import { markdownTable } from "./blocks.ts";

/** File of a strategy's page, without folder. */
export const pageOf = (id: string): string =>
	`${id
		.replace(/^ai_/, "")
		.replace(/_strategy$/, "")
		.replaceAll("_", "-")}.md`;

export const STRATEGY_IDS: readonly string[] = CATALOGUE.map(({ id }) => id);

function built(id: string): Strategy {
	const strategy = findBuiltStrategy(id);
	if (!strategy) throw new RangeError(`strategy '${id}' is not built`);
	return strategy;
}

/** What a strategy says about nothing: its unit of counting and its thresholds. */
const aboutNothing = (id: string): Evaluation =>
	built(id).evaluate(
		[],
		{
			as_of_ms: 0,
			data_source: { kind: "simulated", name: "none", as_of: null },
			series: {},
			funding: {},
			books: {},
			evidence: { series: [], funding: [] },
			markets: {},
			errors: {},
		},
		NO_PORTFOLIO,
		{ rows_max: 1, risk_per_trade: 0.01, max_position_share: 0.25 },
	);

export const thresholdsOf = (id: string): Record<string, number> => aboutNothing(id).thresholds;

const CANDIDATES: Record<DataNeeds["candidates"], string> = {
	spot: "spot markets against a dollar",
	perp: "perpetual contracts against a dollar",
	positions: "positions of the portfolio",
	chain: "coins, whose option chains are looked for",
};

export function profileTable(id: string): string {
	const entry = strategyById(id);
	const { needs } = built(id);
	return markdownTable(
		["", ""],
		[
			["id", `\`${id}\``],
			["opportunity types", entry.types.map((type) => `\`${type}\``).join(", ")],
			["in the default set", entry.standard ? "yes" : "no, on demand"],
			["looks at", CANDIDATES[needs.candidates]],
			["counts", `${aboutNothing(id).candidate_unit}s`],
			[
				"looked at by default",
				entry.symbols_max === null ? "all positions" : `the ${entry.symbols_max} of highest volume`,
			],
		],
	);
}

const days = (ms: number): string => `${Math.round(ms / 86_400_000)} days`;
const list = (items: readonly string[]): string => items.map((item) => `\`${item}\``).join(", ");

export function inputsTable(id: string): string {
	const { needs } = built(id);
	const { history, evidence } = needs;
	const rows: [string, string][] = [];
	if (needs.candles && needs.timeframe) rows.push(["closed bars of each candidate", `\`${needs.timeframe}\``]);
	if (history) {
		rows.push(["least history", `${history.bars_min} bars`]);
		rows.push(["older bars move no present figure by more than 0.1 % from", `${history.bars_settled} bars on`]);
	}
	if (needs.funding) rows.push(["settled funding", "of each candidate"]);
	if (needs.orderBook) rows.push(["order book", "of each candidate, if the source has one"]);
	if (needs.trades_window_ms)
		rows.push(["public trades", `of each candidate, the last ${days(needs.trades_window_ms)}`]);
	if (needs.open_interest_change_ms) {
		rows.push([
			"open interest",
			`of each candidate, now and ${days(needs.open_interest_change_ms)} before; context only`,
		]);
	}
	if (needs.chain) rows.push(["option chain and history of implied volatility", "of each candidate's coin"]);
	if (needs.companions) rows.push(["other markets of each candidate's coin", list(needs.companions)]);
	if (needs.rival_venues) {
		rows.push(["the same of the coin's perpetuals at other venues", "if the source has several venues"]);
	}
	if (needs.benchmarks.length > 0) {
		rows.push([
			needs.benchmark_markets ? "always read, with the market's description" : "always read",
			list(needs.benchmarks),
		]);
	}
	if (needs.volatility_bases) rows.push(["implied volatility always read", list(needs.volatility_bases)]);
	rows.push(["history for the record", evidence === null ? "the candidates' own" : recordUniverse(evidence)]);
	return markdownTable(["input", "which"], rows);
}

const recordUniverse = ({ market, timeframe, bars_min, funding }: NonNullable<DataNeeds["evidence"]>): string =>
	`every ${market} market with at least ${bars_min} bars of \`${timeframe}\`${funding ? ", and its funding" : ""}, whoever asks`;

const number = (value: number): string =>
	Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(12)));

/** Gates in the order of asking, with the running thresholds. */
export function gatesTable(id: string): string {
	const thresholds = thresholdsOf(id);
	const rows = gatesOf(id).map(({ reason, asks, thresholds: names = [] }, i) => [
		String(i + 1),
		`\`${reason}\``,
		asks,
		names.map((name) => `\`${name}\` ${number(thresholds[name] ?? Number.NaN)}`).join(", "),
	]);
	return markdownTable(["", "reason if not", "what must hold", "threshold"], rows);
}

/** Stated numbers that are no gate: exits, windows, sizes. */
export function numbersTable(id: string): string {
	const gates = new Set(gatesOf(id).flatMap(({ thresholds = [] }) => thresholds));
	const rest = Object.entries(thresholdsOf(id)).filter(([name]) => !gates.has(name));
	if (rest.length === 0) return "No other number is stated beside the thresholds of the gates.";
	return markdownTable(
		["number", "value"],
		rest.map(([name, value]) => [`\`${name}\``, number(value)]),
	);
}

/** The parts of a page that need no data. */
export const staticBlocks = (id: string): Record<string, string> => ({
	profile: profileTable(id),
	inputs: inputsTable(id),
	gates: gatesTable(id),
	numbers: numbersTable(id),
});

/** The list of all pages. */
export const indexTable = (): string =>
	markdownTable(
		["strategy", "what it does", "looks at", "bars", "default set"],
		CATALOGUE.map(({ id, name, description, standard }) => {
			const { needs } = built(id);
			return [
				`[${name}](${pageOf(id)})`,
				description,
				CANDIDATES[needs.candidates],
				needs.timeframe ?? "-",
				standard ? "yes" : "no",
			];
		}),
	);
