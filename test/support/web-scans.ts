import type { Effects } from "../../src/effects/contract.ts";
import type { Opportunity } from "../../src/strategies/contract.ts";
import { createFakeMarket, fakeSeries } from "./fake-market.ts";
import { sampleRow, sampleUnproven } from "./records.ts";
import { T0, tally } from "./scan-input.ts";
import { quickEffects } from "./system.ts";

/** Scans for tests of pages: whole rows, reasons, near misses, and bars of one coin. */

const HOUR_MS = 3_600_000;

export const fakeBars = createFakeMarket({
	nowMs: T0,
	series: [
		fakeSeries({
			symbol: "BTC/USDT",
			asOfMs: T0,
			bars: Array.from({ length: 90 }, (_, i) => ({ close: 90 + 10 * Math.sin(i / 7) + i / 9 })),
		}),
	],
});

/** What the first strategy finds; the second finds nothing, with reasons. */
export interface Found {
	rows: Opportunity[];
	unproven?: Opportunity[];
	/** Strategies wait for it. */
	until?: Promise<void>;
}

const BINS = [
	{ from: 0.4, n: 120, predicted: 0.46, observed: 0.4 },
	{ from: 0.5, n: 60, predicted: 0.52, observed: 0.55 },
];

export const manyRows = (count: number): Opportunity[] =>
	Array.from({ length: count }, (_, i) =>
		sampleRow(`row_${i}`, {
			symbol: i === 0 ? "BTC/USDT" : `COIN${i}/USDT`,
			exchange: "fake",
			profit_potential_usd: ((i * 37) % count) + 1,
			confidence_score: 50 + (i % 40),
			risk_level: i % 2 === 0 ? "medium" : "high",
			metadata: { ...sampleRow("x").metadata, reliability_bins: BINS },
		}),
	);

export const oneUnproven = (): Opportunity =>
	sampleUnproven("row_weak", {
		symbol: "DOGE/USDT",
		unproven_reason: "insufficient_evidence",
		evidence: { ...sampleRow("x").evidence, grade: "C", brier: null, ece: null },
	});

export function effectsFinding({ rows, unproven = [], until }: Found): Partial<Effects> {
	const quick = quickEffects();
	return {
		async discoverAssets(context) {
			const { assets, attachments } = await quick.discoverAssets(context);
			const data_source = { kind: "recorded" as const, name: fakeBars.source.name, as_of: null };
			return { assets: { ...assets, as_of_ms: T0, data_source }, attachments };
		},
		async evaluateStrategy({ strategy_id, attempt }) {
			await until;
			const finds = strategy_id === "ai_spot_momentum_strategy";
			const [shown, weak] = finds ? [rows, unproven] : [[], []];
			const counts = finds
				? { rejected: { no_trigger: 4, illiquid: 2 } }
				: {
						rejected: { no_trigger: 5 },
						near_misses: [{ symbol: "ETH/USDT", reason: "no_trigger", value: 0.42, threshold: 0.5, distance: 0.08 }],
					};
			const candidates = shown.length + weak.length + (finds ? 6 : 5);
			return {
				report: {
					strategy_id,
					attempt,
					kind: "finished",
					degraded: null,
					tally: tally({
						candidates_total: candidates,
						evaluated: candidates,
						row_ids: shown.map((row) => row.opportunity_id),
						unproven_ids: weak.map((row) => row.opportunity_id),
						data_as_of: new Date(T0 - HOUR_MS).toISOString(),
						data_age_seconds: 3_600,
						...counts,
					}),
				},
				attachments: {
					rows: new Map([...shown, ...weak].map((row) => [row.opportunity_id, row])),
				},
			};
		},
		async rankOpportunities(context) {
			const all = [...(await context.rows()).values()];
			const ranked = all.filter((row) => row.unproven_reason === undefined).map((row) => row.opportunity_id);
			const weak = all.filter((row) => row.unproven_reason !== undefined).map((row) => row.opportunity_id);
			const ranking = {
				ranked_count: ranked.length,
				unproven_count: weak.length,
				cut: {},
				recommendations_count: 0,
				recommendations: "skipped" as const,
				duration_ms: 1,
			};
			return { ranking, attachments: { documents: { ranking: { ranked, unproven: weak, recommendations: [] } } } };
		},
	};
}
