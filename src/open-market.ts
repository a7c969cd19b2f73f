import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Entropy } from "./entropy.ts";
import type { Logger } from "./log.ts";
import type { SourceGate } from "./market/gate.ts";
import { type CachedMarketData, createMarketData } from "./market/index.ts";
import { createSourceGate } from "./market/source-gate.ts";
import { closeRedisClient, createRedisClient } from "./redis/clients.ts";
import type { RedisProvision } from "./redis/provide.ts";
import { createMarketAnswers } from "./store/market-answers.ts";
import { createMarketBudget } from "./store/market-budget.ts";

export interface OpenedMarket {
	market: CachedMarketData;
	/** Null: the source is no live exchange, and nothing stands before it. */
	gate: SourceGate | null;
}

interface Deps {
	config: Config;
	provision: RedisProvision;
	logger: Logger;
	entropy: Entropy;
	store: { clock: Pick<Clock, "now"> };
}

const marketWord = (choice: Config["market"]): string =>
	choice.kind === "simulated"
		? `simulated:${choice.seed}`
		: `${choice.kind}:${choice.kind === "recorded" ? choice.dir : choice.exchanges.join(",")}`;

/**
 * The market of this process. Live exchanges stand behind a gate, and their answers are shared with all processes
 * through a connection of its own; on the embedded server there is one process, which needs neither.
 * Throws MarketStartError, whose message is made for the person who starts the program.
 */
export async function openMarket({ config, provision, logger, entropy, store }: Deps): Promise<OpenedMarket> {
	const live = config.market.kind === "ccxt";
	const redis =
		live && provision.kind !== "memory"
			? createRedisClient(provision.connection, "patient", logger, { name: "market" })
			: null;
	const budget = redis && createMarketBudget(redis, config.marketBaseUrl);
	const gate = live ? createSourceGate({ budget, clock: systemClock, entropy }) : null;
	try {
		const market = await createMarketData({
			market: marketWord(config.market),
			asOfMs: config.marketAsOfMs,
			latencyMs: config.marketLatencyMs,
			baseUrl: config.marketBaseUrl,
			clock: systemClock,
			sharedNow: () => store.clock.now(),
			...(gate ? { gate } : {}),
			...(redis
				? { sharing: { answers: createMarketAnswers(redis, { base_url: config.marketBaseUrl }), entropy } }
				: {}),
		});
		const close = async (): Promise<void> => {
			await market.close();
			if (redis) await closeRedisClient(redis);
		};
		return { market: { ...market, close }, gate };
	} catch (error) {
		if (redis) await closeRedisClient(redis);
		const message = error instanceof Error ? error.message : String(error);
		throw Object.assign(new Error(message), { name: "MarketStartError" });
	}
}
