import type { ScanContext } from "../../machines/types.ts";
import { CATALOGUE, type CatalogueEntry } from "../catalogue.ts";
import type { RankingDocument } from "./contract.ts";
import type { MeasuredBenefit, MeasureStrategy, StrategyLookup } from "./ports.ts";

export const RECOMMENDATIONS_MAX = 3;
export type Recommendation = RankingDocument["recommendations"][number];

/**
 * Up to three strategies that the user does not own and this build can run: those about a held
 * portfolio first, then free ones, then by priority. The benefit is a measured figure with its n,
 * or the words "not measured"; no figure is ever made up.
 */
export async function recommendStrategies(
	scan: ScanContext,
	strategyOf: StrategyLookup,
	measure: MeasureStrategy | undefined,
	signal: AbortSignal,
): Promise<Recommendation[]> {
	if (!measure) return recommendUnmeasured(scan, strategyOf);
	const chosen = chosenFor(scan, strategyOf);
	const measured = await Promise.all(chosen.map(({ id }) => measure(id, signal)));
	return chosen.map((entry, i) => recommendation(scan, entry, measured[i] ?? null));
}

/** The same where nothing is measured, and so nothing waited for. */
export const recommendUnmeasured = (scan: ScanContext, strategyOf: StrategyLookup): Recommendation[] =>
	chosenFor(scan, strategyOf).map((entry) => recommendation(scan, entry, null));

const positionsOf = ({ portfolio }: ScanContext): number => portfolio?.positions ?? 0;

function chosenFor(scan: ScanContext, strategyOf: StrategyLookup): CatalogueEntry[] {
	const owned = new Set(scan.input.profile.strategy_ids);
	const positions = positionsOf(scan);
	const first = (entry: CatalogueEntry) => (positions > 0 && entry.category === "portfolio" ? 2 : entry.free ? 1 : 0);
	return CATALOGUE.filter((entry) => entry.standard && !owned.has(entry.id) && strategyOf(entry.id) !== undefined)
		.sort((a, b) => first(b) - first(a) || b.priority - a.priority || a.index - b.index)
		.slice(0, RECOMMENDATIONS_MAX);
}

const recommendation = (
	scan: ScanContext,
	entry: CatalogueEntry,
	measured: MeasuredBenefit | null,
): Recommendation => ({
	strategy_id: entry.id,
	name: entry.name,
	benefit: benefitText(measured),
	reason: reasonText(entry, positionsOf(scan)),
	type: "strategy",
});

function benefitText(measured: MeasuredBenefit | null): string {
	if (!measured || measured.n < 1 || !Number.isFinite(measured.mean_net_bps)) return "not measured";
	return `Mean net result of ${measured.mean_net_bps.toFixed(1)} bps per trade (n = ${measured.n})`;
}

function reasonText(entry: CatalogueEntry, positions: number): string {
	const held = entry.category === "portfolio" && positions > 0 ? ` The portfolio holds ${positions} positions.` : "";
	const price = entry.free ? "It is free." : `It costs ${entry.credits_monthly} credits a month.`;
	return `${entry.description}${held} ${price}`;
}
