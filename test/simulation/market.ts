import type { Redis } from "ioredis";
import type { Effects } from "../../src/effects/contract.ts";
import { createEffects, type EffectDeps } from "../../src/effects/index.ts";
import { type Market, type MarketData, MarketError, type Universe } from "../../src/market/contract.ts";
import { discoverUniverse } from "../../src/market/discovery.ts";
import { selectAssets } from "../../src/market/universe-filters.ts";
import { compareRows } from "../../src/strategies/ranking.ts";
import { AS_OF_MS, fakeMarket, market as marketOf, series } from "../effects/fake-market.ts";
import { evaluationOf, spotNeeds } from "../effects/fakes.ts";
import type { FaultPlan } from "./faults.ts";
import type { Process, World } from "./world.ts";

/**
 * The effects of the program over a small market whose calls take time and fail as the plan says. Strategies
 * are stand-ins that publish by name, so that the undisturbed result is known beforehand.
 */
const BASES: readonly [base: string, volume: number][] = [
	["BTC", 3e9],
	["ETH", 2e9],
	["SOL", 9e8],
];

/** Which bases a strategy publishes: a fixed choice by its id. */
export const foundBy = (strategyId: string): string[] =>
	BASES.map(([base]) => base).filter((_, i) => ((strategyId.length >> i) & 1) === 1);

const listed: Market[] = BASES.map(([base, volume]) => marketOf(`${base}/USDT`, "spot", volume));

export interface MarketWorld {
	world: World;
	odds(): FaultPlan["market"];
	noteFault(by: Process, kind: string, call: string): void;
}

/** A call of the source: it takes some time, may fail, answer late, or never; its signal ends it in every case. */
function sourceCall<T>(deps: MarketWorld, owner: Process, name: string, answer: T, signal: AbortSignal): Promise<T> {
	const { world } = deps;
	const dice = world.dice.fork(`${owner.name}.${owner.life}.${name}.${Math.round(world.now() * 1000)}`);
	const odds = deps.odds();
	const roll = dice.next();
	const fault = roll < odds.error ? "error" : roll < odds.error + odds.hang ? "hang" : null;
	const slow = dice.chance(odds.slow);
	if (fault ?? (slow ? "slow" : null)) deps.noteFault(owner, fault ?? "slow", name);
	return new Promise((resolve, reject) => {
		if (signal.aborted) return reject(signal.reason);
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
		if (fault === "hang") return;
		const settle = () =>
			fault === "error"
				? reject(new MarketError("fetch_failed", "the source refused", dice.chance(0.7)))
				: resolve(answer);
		world.after(slow ? dice.between(1_000, 12_000) : dice.between(1, 400), owner, settle);
	});
}

export function marketFor(deps: MarketWorld, owner: Process): MarketData {
	return fakeMarket({
		now: () => AS_OF_MS,
		markets: (venue, { signal }) => sourceCall(deps, owner, `markets ${venue}`, listed, signal),
		candles: (symbol, _, { signal }) => sourceCall(deps, owner, `candles ${symbol}`, series(symbol, 10), signal),
	});
}

/** Universes beside the scans in the same store, as the program keeps them, without the packing. */
const universesOn = (redis: Redis) => ({
	async put(hash: string, universe: Universe) {
		await redis.set(`market_universe:${hash}`, JSON.stringify(universe), "EX", 86_400);
	},
	async get(hash: string) {
		const text = await redis.get(`market_universe:${hash}`);
		return text === null ? null : (JSON.parse(text) as Universe);
	},
});

/** Nothing is known of any strategy, which takes a moment to find out. */
const measuredLater =
	(world: World, owner: Process): NonNullable<EffectDeps["measure"]> =>
	() =>
		new Promise((resolve) => world.after(world.dice.between(1, 300), owner, () => resolve(null)));

export function effectsFor(deps: MarketWorld, owner: Process, redis: Redis): Effects {
	const { world } = deps;
	const parts: EffectDeps = {
		market: marketFor(deps, owner),
		portfolios: {
			async get(userId) {
				await redis.get(`portfolio:{${userId}}`);
				return { positions: [], cash_usd: 0, version: 0, updated_at: null };
			},
		},
		discover: discoverUniverse,
		selectAssets,
		universes: universesOn(redis),
		strategyOf: (id) => ({ id, needs: spotNeeds() }),
		pool: {
			evaluate: (request) =>
				new Promise((resolve) => {
					const evaluated = () => resolve(evaluationOf(request, foundBy(request.strategy_id)));
					world.after(world.dice.between(5, 900), owner, evaluated);
				}),
		},
		schema: { safeParse: () => ({ success: true }) },
		compareRows,
		clock: owner.clock,
		// Who measures recommendations ranks as an effect, who does not at once; the answer is the same.
		...(world.dice.fork(`${owner.name}.measures`).chance(0.5) && { measure: measuredLater(world, owner) }),
		settings: { source_timeout_ms: 8_000, progress_every_ms: 500, evaluation_reserve_ms: 2_000 },
	};
	const effects = createEffects(parts);
	// A process that lacks it makes its scans without their portfolios, as those of users who have stored one.
	if (world.dice.fork(`${owner.name}.portfolios`).chance(0.5)) delete effects.portfolioAtOnce;
	return effects;
}
