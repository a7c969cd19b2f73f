import { evaluate } from "../../src/strategies/evaluate.ts";
import type { Reliability } from "../../src/strategies/evidence/reliability.ts";
import { fundingEvidence } from "../../src/strategies/funding-evidence.ts";
import { BUCKETS_BPS } from "../../src/strategies/funding-samples.ts";
import { builtStrategyIds } from "../../src/strategies/registry.ts";
import type { SharpeSample } from "../../src/strategies/statistics/sharpe.ts";
import { requestOn, type Scene } from "../../test/support/evaluate-on.ts";
import { benchPortfolio } from "../scene.ts";

/** Stated probabilities of one rule against what came of them. */
export interface Calibrated {
	strategy: string;
	/** Which record of the strategy: a side, a variant, a bucket. */
	part: string;
	reliability: Pick<
		Reliability,
		"scored" | "brier" | "skill" | "ece" | "eceRecent" | "bins" | "years" | "recalibration"
	>;
	/** Of weekly mean nets; null with fewer than two signal weeks, undefined where the record is no trial of a rule. */
	sharpe: SharpeSample | null | undefined;
}

/** Round trip of the measured table. */
const TABLE_COST = 0.003;

/**
 * The records of strategies on a market, all registered ones by default; those too short to be scored as well,
 * because they were tried like the others.
 */
export async function collect(scene: Scene, ids: readonly string[] = builtStrategyIds()): Promise<Calibrated[]> {
	const portfolio = await benchPortfolio(scene);
	const found: Calibrated[] = [];
	for (const id of ids) {
		const request = await requestOn(id, scene, portfolio);
		found.push(...recordsIn(id, "", evaluate(request).report));
		if (id === "ai_funding_arbitrage") found.push(...fundingRecords(id, request.view));
	}
	return found;
}

interface ShownCalibration {
	scored: number;
	brier: number | null;
	brier_skill: number | null;
	ece: number | null;
	ece_last_200: number | null;
	bins: Reliability["bins"];
	years?: Reliability["years"];
	recalibration?: Reliability["recalibration"];
}

interface ShownSharpe {
	weeks: number;
	ratio: number;
	skewness: number;
	kurtosis: number;
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
		const { scored, brier, brier_skill, ece, ece_last_200, bins, ...rest } = value as unknown as ShownCalibration;
		const { years = [], recalibration = null } = rest;
		const reliability = { scored, brier, skill: brier_skill, ece, eceRecent: ece_last_200, bins, years, recalibration };
		return [{ strategy, part: path, reliability, sharpe: sharpeIn(node.sharpe_weekly) }];
	});
}

const sharpeIn = (shown: unknown): SharpeSample | null => {
	if (!isRecord(shown)) return null;
	const { weeks, ratio, skewness, kurtosis } = shown as unknown as ShownSharpe;
	return { observations: weeks, ratio, skewness, kurtosis };
};

function fundingRecords(strategy: string, view: Parameters<typeof fundingEvidence>[0]): Calibrated[] {
	const evidence = fundingEvidence(view);
	return BUCKETS_BPS.map((from, i) => {
		const to = BUCKETS_BPS[i + 1];
		const part = `3-day mean ${to === undefined ? `above ${from}` : `${from} to ${to}`} bp, cost 30 bp`;
		// Buckets are what a rate happens to be, no alternatives to choose from: they are no trials.
		return { strategy, part, reliability: evidence.bucket(i, TABLE_COST).reliability, sharpe: undefined };
	});
}
