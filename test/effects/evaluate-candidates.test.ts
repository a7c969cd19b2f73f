import { suite } from "uvu";
import * as assert from "uvu/assert";
import { balanced, finding, finish, type Setup, start } from "./attempt.ts";
import { bounded, settled } from "./fake-clock.ts";
import { asset, fakeMarket, market, series, universe } from "./fake-market.ts";
import { evaluationOf, fakePool, spotNeeds } from "./fakes.ts";

const test = suite("effects/evaluate-candidates");

test(
	"the policy's limit takes the highest volumes; the total counts all",
	bounded(async () => {
		const pool = finding("BTC");
		const { tally } = await finish({ symbolsMax: 2, deps: { pool } });
		assert.equal(
			pool.requests[0]?.candidates.map(({ symbol }) => symbol),
			["BTC/USDT", "ETH/USDT"],
		);
		assert.equal([tally.candidates_total, tally.evaluated], [3, 2]);
	}),
);

test(
	"candidates are the declared market within floor and filters, dollar quotes only",
	bounded(async () => {
		const mixed = universe([
			asset("BTC", 3e9, [
				market("BTC/USDT:USDT", "perp", 2e9),
				market("BTC/USDT", "spot", 1e9),
				market("BTC/USDC", "spot", 5),
			]),
			asset("ETH", 2e9, [market("ETH/BTC", "spot", 1e9)]),
			asset("SOL", 1e9),
			asset("TINY", 50),
		]);
		const symbols = async (setup: Setup) => {
			const pool = finding();
			await start({ universe: mixed, ...setup, deps: { pool, ...setup.deps } }).result;
			return pool.requests[0]?.candidates.map(({ symbol }) => symbol);
		};
		const perp = { strategyOf: (id: string) => ({ id, needs: spotNeeds({ candidates: "perp" as const }) }) };
		assert.equal(await symbols({}), ["BTC/USDT", "SOL/USDT"]);
		assert.equal(await symbols({ deps: perp }), ["BTC/USDT:USDT"]);
		assert.equal(await symbols({ filters: { symbols: ["BTC/USDC"] } }), ["BTC/USDC"]);
		assert.equal(await symbols({ profile: { asset_tier_floor: "tier_any" } }), ["BTC/USDT", "SOL/USDT", "TINY/USDT"]);
	}),
);

test(
	"nothing to run on is skipped with its reason",
	bounded(async () => {
		const positions = { strategyOf: (id: string) => ({ id, needs: spotNeeds({ candidates: "positions" as const }) }) };
		const held = [{ symbol: "BTC/USDT", quantity: 1, entry_price: 50 }];
		const portfolio = { positions: held, cash_usd: 0, version: 1, capital_usd: 50, assumed: false };
		const reasons: [Setup, string][] = [
			[{ filters: { symbols: ["NOPE"] } }, "no_symbols"],
			[{ deps: positions }, "no_positions"],
			[{ deps: positions, portfolio }, "portfolio_too_small"],
		];
		for (const [setup, reason] of reasons) {
			const { report } = await start(setup).result;
			if (report.kind !== "skipped") throw new Error(JSON.stringify(report));
			assert.is(report.reason, reason);
			balanced(report.tally);
		}
	}),
);

test(
	"positions are candidates with their market, whatever the filters",
	bounded(async () => {
		const pool = fakePool(async (request) => ({
			...evaluationOf(request, ["ETH", "BTC"]),
			candidate_unit: "position",
		}));
		const held = [
			{ symbol: "ETH/USDT", quantity: 1, entry_price: 2_000 },
			{ symbol: "BTC/USDT", quantity: 1, entry_price: 50_000 },
			{ symbol: "X/USDT", quantity: 1, entry_price: null },
		];
		const { tally } = await finish({
			filters: { symbols: ["ETH"] },
			portfolio: { positions: held, cash_usd: 0, version: 1, capital_usd: 52_000, assumed: false },
			deps: { pool, strategyOf: (id) => ({ id, needs: spotNeeds({ candidates: "positions" }) }) },
		});
		assert.equal(
			pool.requests[0]?.candidates.map(({ symbol, market: of }) => [symbol, of?.base ?? null]),
			[
				["BTC/USDT", "BTC"],
				["ETH/USDT", "ETH"],
				["X/USDT", null],
			],
		);
		assert.equal(tally.rejected, { filter_symbol: 1, no_trigger: 1 });
		assert.is(tally.candidate_unit, "position");
	}),
);

test(
	"the policy's chunk bounds the reads at once",
	bounded(async () => {
		const waits = new Map<string, () => void>();
		const source = fakeMarket({
			candles: async (symbol) => {
				await new Promise<void>((resolve) => waits.set(symbol, resolve));
				return series(symbol);
			},
		});
		const { result } = start({ chunkSize: 2, deps: { market: source } });
		await settled();
		assert.is(source.running(), 2);
		for (const symbol of ["BTC/USDT", "ETH/USDT", "SOL/USDT"]) {
			waits.get(symbol)?.();
			await settled();
		}
		assert.is((await result).report.kind, "finished");
		assert.is(source.calls.length, 3);
	}),
);

test.run();
