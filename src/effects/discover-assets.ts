import type { AssetsSummary, SourceReport } from "../../machines/types.ts";
import { compareText } from "../canonical.ts";
import { ASSET_TIERS, type AssetTier } from "../catalogue.ts";
import { isoOf } from "../clock.ts";
import type { Asset, Universe } from "../market/contract.ts";
import { beginOf } from "./begin.ts";
import type { EffectContext, Effects } from "./contract.ts";
import { EffectError, failureOf, scrubMessage } from "./errors.ts";
import type { EffectDeps } from "./ports.ts";
import type { Instant, Universes } from "./universes.ts";
import { untilAborted } from "./waiting.ts";

/**
 * Pins the scan's instant once (source clock, as of the scan's acceptance), discovers the universe at it, stores it under its
 * content hash, and sums up what the user's floor and filters leave. Every later read of the scan
 * uses the pinned instant, so a restart repeats exactly.
 * Rejects with `asset_discovery_failed` when no source answered; one source down is only reported.
 */
export function createDiscoverAssets(
	deps: Pick<EffectDeps, "market" | "selectAssets" | "clock"> & { universes: Universes },
): Effects["discoverAssets"] {
	return async (context) => {
		const startedAtMs = deps.clock.now();
		const { begunMs, agoMs } = beginOf(context, deps.clock);
		const asOfMs = deps.market.now(agoMs);
		const universe = await discover(deps.universes, { asOfMs, begunMs }, context);
		const sources = universe.sources.map(sourceReport);
		// Last good markets of sources that fail now are a universe, if an old one.
		if (!sources.some((source) => source.ok || source.assets > 0)) throw allSourcesFailed(sources);
		const universe_ref = await untilAborted(deps.universes.save(universe), context.signal);
		const { kind, name } = deps.market.source;
		const assets: AssetsSummary = {
			...summaryOf(universe, deps.selectAssets, context),
			sources,
			universe_ref,
			as_of_ms: asOfMs,
			data_source: { kind, name, as_of: isoOf(asOfMs) },
			duration_ms: Math.max(0, deps.clock.now() - startedAtMs),
		};
		return { assets, attachments: {} };
	};
}

async function discover(universes: Universes, at: Instant, context: EffectContext): Promise<Universe> {
	try {
		return await untilAborted(universes.discover(at, context.signal), context.signal);
	} catch (error) {
		if (context.signal.aborted) throw error;
		const { message, retryable } = failureOf(error, "fetch_failed");
		throw new EffectError("asset_discovery_failed", `Assets could not be discovered: ${message}`, retryable);
	}
}

function allSourcesFailed(sources: readonly SourceReport[]): EffectError {
	const named = sources.map((source) => `${source.name} (${source.error ?? "no answer"})`).join(", ");
	const message = `No market source answered: ${named || "none is configured"}`;
	return new EffectError("asset_discovery_failed", message, sources.length > 0);
}

const sourceReport = (source: Universe["sources"][number]): SourceReport => ({
	...source,
	error: source.error === null ? null : scrubMessage(source.error),
});

/** The assets a scan may look at: within the user's floor and asset filters. */
export const selectForScan = (universe: Universe, selectAssets: EffectDeps["selectAssets"], context: EffectContext) => {
	const { filters, profile } = context.scan.input;
	return selectAssets(universe, {
		floorTier: floorOf(profile.asset_tier_floor),
		...(filters.asset_tiers ? { tiers: filters.asset_tiers } : {}),
		...(filters.symbols ? { symbols: filters.symbols } : {}),
	});
};

function floorOf(word: string): AssetTier {
	const tier = ASSET_TIERS.find(({ name }) => name === word);
	if (!tier) throw new EffectError("asset_discovery_failed", `The profile names no asset tier: '${word}'`, false);
	return tier.name;
}

/** Every discovered base is counted once: selected, below the floor, filtered, or excluded by discovery. */
function summaryOf(
	universe: Universe,
	selectAssets: EffectDeps["selectAssets"],
	context: EffectContext,
): Pick<AssetsSummary, "total_assets" | "tiers" | "excluded" | "filters_unmatched"> {
	const { assets, unmatched } = selectForScan(universe, selectAssets, context);
	const withinFloor = selectAssets(universe, { floorTier: floorOf(context.scan.input.profile.asset_tier_floor) }).assets
		.length;
	const excluded = { ...universe.excluded };
	const exclude = (reason: string, count: number) => {
		if (count > 0) excluded[reason] = (excluded[reason] ?? 0) + count;
	};
	exclude("below_tier_floor", universe.assets.length - withinFloor);
	exclude("filtered", withinFloor - assets.length);
	return {
		total_assets: assets.length,
		tiers: tierCounts(assets),
		excluded,
		filters_unmatched: [...new Set(unmatched)].sort(compareText),
	};
}

function tierCounts(assets: readonly Asset[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { tier } of assets) counts[tier] = (counts[tier] ?? 0) + 1;
	return counts;
}
