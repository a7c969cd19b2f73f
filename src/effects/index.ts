import type { Effects } from "./contract.ts";
import { createDiscoverAssets } from "./discover-assets.ts";
import { createEvaluateStrategy } from "./evaluate-strategy.ts";
import { createFetchPortfolio, createPortfolioAtOnce } from "./fetch-portfolio.ts";
import type { EffectDeps } from "./ports.ts";
import { createRankAtOnce, createRankOpportunities } from "./rank-opportunities.ts";
import { createUniverses } from "./universes.ts";

export type { EffectDeps, EffectSettings } from "./ports.ts";

/** Every effect slot of the machines, closed over its dependencies; a missing one does not compile. */
export function createEffects(deps: EffectDeps): Effects {
	const universes = createUniverses(deps);
	return {
		fetchPortfolio: createFetchPortfolio(deps),
		portfolioAtOnce: createPortfolioAtOnce(deps),
		discoverAssets: createDiscoverAssets({ ...deps, universes }),
		evaluateStrategy: createEvaluateStrategy({ ...deps, universes }),
		rankOpportunities: createRankOpportunities(deps),
		rankAtOnce: createRankAtOnce(deps),
	};
}
