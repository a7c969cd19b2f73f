/** One attempt of `evaluateStrategy` on a fake market, for the tests of its several sides. */
import * as assert from "uvu/assert";
import type { StrategyReport } from "../../machines/events.ts";
import type { Tally } from "../../machines/types.ts";
import { createEffects } from "../../src/effects/index.ts";
import type { EffectDeps } from "../../src/effects/ports.ts";
import { universeHash } from "../../src/effects/universes.ts";
import { MarketError, type Universe } from "../../src/market/contract.ts";
import type { Opportunity, PortfolioSnapshot } from "../../src/strategies/contract.ts";
import { ManualClock } from "./fake-clock.ts";
import { AS_OF_MS, asset, fakeUniverseStore, universe } from "./fake-market.ts";
import { effectContext, type ScanOptions, scanContext } from "./fake-scan.ts";
import { evaluationOf, fakeDeps, fakePool, MOMENTUM } from "./fakes.ts";

export const effect = {
	key: `evaluateStrategy:${MOMENTUM}:1`,
	type: "evaluateStrategy",
	strategy_id: MOMENTUM,
	attempt: 1,
	deadline_at_ms: AS_OF_MS + 60_000,
} as const;

export const THREE = universe([asset("BTC", 3e9), asset("ETH", 2e9), asset("SOL", 1e9)]);

export interface Setup extends ScanOptions {
	universe?: Universe;
	deps?: Partial<EffectDeps>;
	portfolio?: PortfolioSnapshot;
	timeMs?: number;
}

/** One attempt on a stored universe, started but not awaited. */
export function start(setup: Setup = {}) {
	const found = setup.universe ?? THREE;
	const store = fakeUniverseStore();
	store.held.set(universeHash(found), found);
	const clock = new ManualClock();
	const deps = fakeDeps({ clock, universes: store, discover: async () => found, ...setup.deps });
	const scan = scanContext({ universeRef: universeHash(found), ...setup });
	const context = effectContext(scan, clock, {
		...(setup.timeMs ? { timeMs: setup.timeMs } : {}),
		...(setup.portfolio ? { portfolio: setup.portfolio } : {}),
	});
	const result = createEffects(deps).evaluateStrategy(effect, context);
	result.catch(() => {});
	return { result, context, clock, deps };
}

export type Finished = Extract<StrategyReport, { kind: "finished" }>;

export async function finish(
	setup: Setup = {},
): Promise<Finished & { rows: Opportunity[]; document: Record<string, unknown> }> {
	const { report, attachments } = await start(setup).result;
	if (report.kind !== "finished") throw new Error(JSON.stringify(report));
	balanced(report.tally);
	const rows = [...(attachments.rows?.values() ?? [])] as Opportunity[];
	return { ...report, rows, document: attachments.documents?.[`report:${MOMENTUM}`] as Record<string, unknown> };
}

export async function failing(setup: Setup): Promise<Extract<StrategyReport, { kind: "failed" }>> {
	const { report, attachments } = await start(setup).result;
	if (report.kind !== "failed") throw new Error(JSON.stringify(report));
	assert.equal(attachments, {});
	return report;
}

/** Published, unproven and rejected add up to what was evaluated. */
export function balanced(tally: Tally): void {
	const rejected = Object.values(tally.rejected).reduce((sum, count) => sum + count, 0);
	assert.is(tally.evaluated, tally.row_ids.length + tally.unproven_ids.length + rejected);
	assert.ok(tally.candidates_total >= tally.evaluated);
}

export const finding = (...bases: string[]) => fakePool(async (request) => evaluationOf(request, bases));
export const fetchFailed = (retryable: boolean) =>
	new MarketError("fetch_failed", "GET https://api.example.com/v3 failed", retryable);
