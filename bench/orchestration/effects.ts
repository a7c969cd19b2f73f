import { CATALOGUE } from "../../src/catalogue.ts";
import type { Effects, FetchedPortfolio, Ranked, RankingDocument } from "../../src/effects/contract.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import { rankingOf, rowOf, STRATEGIES, type WorkRow } from "../peers/work.mjs";

const built = new Set(builtStrategyIds());
/** The first fourteen strategies that are built. */
export const strategyIds = CATALOGUE.map(({ id }) => id)
	.filter((id) => built.has(id))
	.slice(0, STRATEGIES);

const data_source = { kind: "simulated" as const, name: "bench", as_of: null };
const portfolio = { positions: [], cash_usd: 0, version: 0, capital_usd: 10_000, assumed: true };

/** The program's effects with nothing in them: what is left is the orchestration. */
export const trivialEffects: Effects = {
	fetchPortfolio: async () => fetched(),
	portfolioAtOnce: fetched,
	async discoverAssets() {
		const assets = {
			total_assets: 35,
			tiers: { tier_institutional: 30, tier_retail: 5 },
			excluded: {},
			sources: [{ name: "bench", ok: true, error: null, assets: 35 }],
			universe_ref: "0".repeat(64),
			as_of_ms: 0,
			data_source,
			filters_unmatched: [],
			duration_ms: 0,
		};
		return { assets, attachments: {} };
	},
	async evaluateStrategy({ strategy_id, attempt }, { scan }) {
		const row = { ...rowOf(scan.input.scan_id, strategyIds.indexOf(strategy_id)), strategy_id };
		const tally = {
			candidate_unit: "symbol" as const,
			candidates_total: 10,
			evaluated: 10,
			row_ids: [row.opportunity_id],
			unproven_ids: [],
			rejected: { no_trigger: 9 },
			near_misses: [],
			data_as_of: null,
			data_age_seconds: null,
		};
		return {
			report: { strategy_id, attempt, kind: "finished", degraded: null, tally },
			attachments: { rows: new Map([[row.opportunity_id, row]]) },
		};
	},
	async rankOpportunities(context) {
		return ranked(await context.rows());
	},
	rankAtOnce: (_scan, rows) => ranked(rows),
};

function fetched(): FetchedPortfolio {
	const { positions, version: portfolio_version, capital_usd, assumed } = portfolio;
	const summary = { positions: positions.length, portfolio_version, capital_usd, assumed, source: "default" };
	return { portfolio: { ...summary, duration_ms: 0 }, attachments: { portfolio } };
}

function ranked(rows: ReadonlyMap<string, unknown>): Ranked {
	const ids = rankingOf([...rows.values()] as WorkRow[]);
	const document: RankingDocument = { ranked: ids, unproven: [], recommendations: [] };
	const ranking = {
		ranked_count: ids.length,
		unproven_count: 0,
		cut: {},
		recommendations_count: 0,
		recommendations: "skipped" as const,
		duration_ms: 0,
	};
	return { ranking, attachments: { documents: { ranking: document } } };
}
