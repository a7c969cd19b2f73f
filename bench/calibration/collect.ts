import { evaluate } from "../../src/strategies/evaluate.ts";
import type { Reliability } from "../../src/strategies/evidence/reliability.ts";
import { BUCKETS_BPS, fundingEvidence } from "../../src/strategies/funding-evidence.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import { requestOn, type Scene } from "../../test/support/evaluate-on.ts";
import { benchPortfolio } from "../scene.ts";

/** Stated probabilities of one rule against what came of them. */
export interface Calibrated {
	strategy: string;
	/** Which record of the strategy: a side, a variant, a bucket. */
	part: string;
	reliability: Pick<Reliability, "scored" | "brier" | "skill" | "ece" | "eceRecent" | "bins" | "years">;
}

/** Round trip of the measured table. */
const TABLE_COST = 0.003;

/** The records of strategies on a market, all registered ones by default. */
export async function collect(scene: Scene, ids: readonly string[] = builtStrategyIds()): Promise<Calibrated[]> {
	const portfolio = await benchPortfolio(scene);
	const found: Calibrated[] = [];
	for (const id of ids) {
		const request = await requestOn(id, scene, portfolio);
		found.push(...recordsIn(id, "", evaluate(request).report));
		if (id === "ai_funding_arbitrage") found.push(...fundingRecords(id, request.view));
	}
	return found.filter(({ reliability }) => reliability.scored > 0);
}

interface ShownCalibration {
	scored: number;
	brier: number | null;
	brier_skill: number | null;
	ece: number | null;
	ece_last_200: number | null;
	bins: Reliability["bins"];
	years?: Reliability["years"];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** Wherever a report shows a calibration: found by its shape, so that new strategies need no entry here. */
function recordsIn(strategy: string, path: string, node: Record<string, unknown>): Calibrated[] {
	return Object.entries(node).flatMap(([key, value]): Calibrated[] => {
		if (!isRecord(value)) return [];
		if (key !== "calibration" || !Array.isArray(value.bins)) {
			return recordsIn(strategy, path === "" ? key : `${path}.${key}`, value);
		}
		const { scored, brier, brier_skill, ece, ece_last_200, bins, years = [] } = value as unknown as ShownCalibration;
		const reliability = { scored, brier, skill: brier_skill, ece, eceRecent: ece_last_200, bins, years };
		return [{ strategy, part: path, reliability }];
	});
}

function fundingRecords(strategy: string, view: Parameters<typeof fundingEvidence>[0]): Calibrated[] {
	const evidence = fundingEvidence(view);
	return BUCKETS_BPS.map((from, i) => {
		const to = BUCKETS_BPS[i + 1];
		const part = `3-day mean ${to === undefined ? `above ${from}` : `${from} to ${to}`} bp, cost 30 bp`;
		return { strategy, part, reliability: evidence.bucket(i, TABLE_COST).reliability };
	});
}
