/** A worker of the benchmark: caches, gate and Redis connection of its own; scans as many times as it is told. */
import { setMaxListeners } from "node:events";
import { Redis } from "ioredis";
import { CATALOGUE } from "../../src/catalogue.ts";
import { systemClock } from "../../src/clock.ts";
import { selectCandidates } from "../../src/effects/candidates.ts";
import { startHarvest } from "../../src/effects/harvest.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createMarketData, discoverUniverse } from "../../src/market/index.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";
import { createMarketAnswers } from "../../src/store/market-answers.ts";
import { createMarketBudget } from "../../src/store/market-budget.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";

const SCAN_LIMIT_MS = 600_000;

const [baseUrl = "", redisPath = ""] = process.argv.slice(2);
const connection = new Redis({ path: redisPath, maxRetriesPerRequest: 1 });
const market = await createMarketData({
	market: "ccxt:binance",
	asOfMs: null,
	latencyMs: 0,
	baseUrl,
	gate: createSourceGate({ budget: createMarketBudget(connection), clock: systemClock, entropy: systemEntropy }),
	sharing: { answers: createMarketAnswers(connection), entropy: systemEntropy },
	clock: systemClock,
});

/** Reads that a scan makes; those that failed. */
async function scan(begunMs: number): Promise<number> {
	const signal = AbortSignal.timeout(SCAN_LIMIT_MS);
	// A listener for each strategy's reads.
	setMaxListeners(0, signal);
	const asOfMs = market.now(systemClock.now() - begunMs);
	const options = { signal, asOfMs, begunMs, clock: systemClock, perSourceTimeoutMs: 60_000 };
	const universe = await discoverUniverse(market, options);
	const portfolio = { positions: [], cash_usd: 0, version: 1, capital_usd: 10_000, assumed: false };
	let failures = 0;
	await Promise.all(
		builtStrategyIds().map(async (id) => {
			const needs = findBuiltStrategy(id)?.needs;
			const symbolsMax = CATALOGUE.find((entry) => entry.id === id)?.symbols_max ?? null;
			if (!needs) return;
			const { candidates } = selectCandidates(needs, universe.assets, universe, portfolio, { symbolsMax });
			const read = { signal, as_of_ms: asOfMs, begun_ms: begunMs, concurrencyMax: null };
			const harvest = startHarvest(market, needs, candidates, read);
			await harvest.settled;
			failures += harvest.failures().size + harvest.sharedFailures().size;
			harvest.stop();
		}),
	);
	return failures;
}

process.on("message", async ({ scans, begun_ms }: { scans: number; begun_ms: number }) => {
	const failures = await Promise.all(Array.from({ length: scans }, () => scan(begun_ms)));
	process.send?.({ failed_reads: failures.reduce((sum, each) => sum + each, 0) });
});
process.on("disconnect", () => process.exit());
process.send?.({ source: market.source.name });
