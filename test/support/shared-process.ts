import { type Clock, systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { withCache } from "../../src/market/cached.ts";
import { withSharedCache } from "../../src/market/shared.ts";
import { type AnswerBounds, createMarketAnswers } from "../../src/store/market-answers.ts";
import { createLiveSource, type LiveExchange } from "./live-source.ts";
import type { TestRedis } from "./redis.ts";

export interface SharedProcessOptions extends AnswerBounds {
	leaseMs?: number;
	/** Told after each look into the store is sent. */
	looked?: () => void;
	clock?: Clock;
}

/** One process with its own connection, cache and adapter; all call the same exchange. */
export function sharedProcess(
	redis: TestRedis,
	exchange: LiveExchange,
	{ leaseMs, looked, clock = systemClock, ...bounds }: SharedProcessOptions = {},
) {
	const connection = redis.client({ maxRetriesPerRequest: 1 });
	const source = createLiveSource(exchange);
	const answers = createMarketAnswers(connection, bounds);
	const look: typeof answers.look = (...asked) => {
		const reply = answers.look(...asked);
		looked?.();
		return reply;
	};
	const shared = withSharedCache(source, {
		answers: { ...answers, look },
		clock,
		entropy: systemEntropy,
		...(leaseMs === undefined ? {} : { leaseMs }),
	});
	const market = withCache(shared, { clock });
	return {
		market,
		shared,
		answers,
		die() {
			source.die();
			connection.disconnect();
		},
	};
}

export type SharedProcess = ReturnType<typeof sharedProcess>;
