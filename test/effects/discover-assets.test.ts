import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createDiscoverAssets } from "../../src/effects/discover-assets.ts";
import type { EffectDeps } from "../../src/effects/ports.ts";
import { createUniverses, universeHash } from "../../src/effects/universes.ts";
import type { Universe } from "../../src/market/contract.ts";
import { bounded, deferred, never, settled } from "./fake-clock.ts";
import { AS_OF_MS, asset, fakeMarket, fakeUniverseStore, universe } from "./fake-market.ts";
import { effectContext, type ScanOptions, scanContext } from "./fake-scan.ts";
import { fakeDeps } from "./fakes.ts";

const test = suite("effects/discover-assets");
const AT = { asOfMs: AS_OF_MS, begunMs: 0 };

async function discovered(overrides: Partial<EffectDeps>, options: ScanOptions = {}) {
	const deps = fakeDeps(overrides);
	const effect = createDiscoverAssets({ ...deps, universes: createUniverses(deps) });
	return (await effect(effectContext(scanContext(options), deps.clock))).assets;
}

test(
	"a scan that waited is pinned to when it was accepted, and what was fetched since then serves it",
	bounded(async () => {
		const waited: unknown[] = [];
		const market = { ...fakeMarket(), now: (agoMs = 0) => AS_OF_MS - agoMs };
		const deps = fakeDeps({
			market,
			discover: async (_, { asOfMs, begunMs }) => {
				waited.push(asOfMs, begunMs);
				return universe([asset("BTC", 1e9)]);
			},
		});
		const effect = createDiscoverAssets({ ...deps, universes: createUniverses(deps) });
		const { assets } = await effect(effectContext(scanContext(), deps.clock, { elapsedMs: 70_000 }));
		assert.equal(waited, [AS_OF_MS - 70_000, deps.clock.now() - 70_000]);
		assert.is(assets.as_of_ms, AS_OF_MS - 70_000);
	}),
);

const rejection = (work: Promise<unknown>) =>
	work.then(
		() => {
			throw new Error("did not reject");
		},
		(error: { code: string; message: string; retryable: boolean }) => error,
	);

test(
	"the instant is pinned once and the universe stored under its content",
	bounded(async () => {
		let asked = 0;
		const store = fakeUniverseStore();
		const market = { ...fakeMarket(), now: () => AS_OF_MS + 1_000 * asked++ };
		const instants: number[] = [];
		const found = universe([asset("BTC", 2e9), asset("ETH", 5e7)]);
		const assets = await discovered({
			market,
			universes: store,
			discover: async (_, { asOfMs }) => {
				instants.push(asOfMs);
				return found;
			},
		});
		assert.is(asked, 1);
		assert.equal(instants, [AS_OF_MS]);
		assert.is(assets.as_of_ms, AS_OF_MS);
		assert.is(assets.universe_ref, universeHash(found));
		assert.equal(store.held.get(assets.universe_ref), found);
		assert.equal(assets.data_source, { kind: "simulated", name: "simulated:fake", as_of: "2026-03-19T19:00:00.000Z" });
	}),
);

test(
	"every discovered base is counted once: selected, below the floor, filtered or excluded",
	bounded(async () => {
		const found = universe([asset("BTC", 2e9), asset("ETH", 1e9), asset("MID", 6e7), asset("TINY", 50)], {
			excluded: { stablecoin: 3 },
		});
		const assets = await discovered({ discover: async () => found }, { filters: { symbols: ["BTC", "NOPE"] } });
		assert.is(assets.total_assets, 1);
		assert.equal(assets.tiers, { tier_institutional: 1 });
		assert.equal(assets.excluded, { stablecoin: 3, below_tier_floor: 1, filtered: 2 });
		assert.equal(assets.filters_unmatched, ["NOPE"]);
	}),
);

test(
	"one source down is reported, all down is a failure that is not retried",
	bounded(async () => {
		const down = { name: "b", ok: false, error: "connect ECONNREFUSED 10.1.2.3:443", assets: 0 };
		const one = await discovered({
			discover: async () =>
				universe([asset("BTC", 1e9)], { sources: [{ name: "a", ok: true, error: null, assets: 1 }, down] }),
		});
		assert.is(one.sources[1]?.error, "connect ECONNREFUSED [address]");
		const none = await rejection(discovered({ discover: async () => universe([], { sources: [down] }) }));
		assert.equal([none.code, none.retryable], ["asset_discovery_failed", true], "a source that is down may come back");
		assert.match(none.message, "b (connect ECONNREFUSED [address])");
		const thrown = await rejection(discovered({ discover: () => Promise.reject(new Error("boom at /srv/app/x.ts")) }));
		assert.equal([thrown.code, thrown.retryable], ["asset_discovery_failed", false]);
		assert.not.match(thrown.message, "/srv");
	}),
);

test(
	"sources that answer with nothing are an empty market, not a failure",
	bounded(async () => {
		const assets = await discovered({ discover: async () => universe([]) });
		assert.is(assets.total_assets, 0);
		assert.equal(assets.tiers, {});
	}),
);

test(
	"an abort ends a hanging discovery at once",
	bounded(async () => {
		const deps = fakeDeps({ discover: () => never() });
		const context = effectContext(scanContext(), deps.clock);
		const ended = rejection(createDiscoverAssets({ ...deps, universes: createUniverses(deps) })(context));
		await settled();
		context.abort(new Error("deadline"));
		assert.is((await ended).message, "deadline");
	}),
);

test(
	"loads of one universe share one read, which outlives a waiter and dies with the last",
	bounded(async () => {
		const wait = deferred<Universe>();
		let signal: AbortSignal | undefined;
		let discoveries = 0;
		const deps = fakeDeps({
			discover: (_, options) => {
				signal = options.signal;
				discoveries += 1;
				return wait.promise;
			},
		});
		const universes = createUniverses(deps);
		const [first, second] = [new AbortController(), new AbortController()];
		const loads = [first, second].map((waiter) => rejectionOrValue(universes.load("gone", AT, waiter.signal)));
		await settled();
		assert.is(discoveries, 1);
		first.abort(new Error("first left"));
		assert.is(await loads[0], "first left");
		assert.is(signal?.aborted, false);
		second.abort(new Error("second left"));
		assert.is(await loads[1], "second left");
		assert.is(signal?.aborted, true);
	}),
);

const rejectionOrValue = (work: Promise<unknown>) => work.catch((error: Error) => error.message);

test(
	"memory holds the last few universes; the store answers for the rest",
	bounded(async () => {
		const store = fakeUniverseStore();
		let reads = 0;
		const deps = fakeDeps({
			universes: {
				put: store.put,
				get: async (hash) => {
					reads += 1;
					return store.get(hash);
				},
			},
			settings: { universes_max: 2 },
		});
		const universes = createUniverses(deps);
		const { signal } = new AbortController();
		const refs: string[] = [];
		for (const base of ["A", "B", "C"]) refs.push(await universes.save(universe([asset(base, 1e9)])));
		const [a = "", , c = ""] = refs;
		assert.is((await universes.load(c, AT, signal)).universe.assets[0]?.base, "C");
		assert.is(reads, 0);
		assert.is((await universes.load(a, AT, signal)).universe.assets[0]?.base, "A");
		assert.is(reads, 1);
	}),
);

test.run();
