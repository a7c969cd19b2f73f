import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createMarketReport, marketOfAll } from "../src/market-report.ts";
import type { WorkerInfo } from "../src/store/contract.ts";
import { ManualClock } from "./effects/fake-clock.ts";

const test = suite("what workers tell of their markets");

const worker = (market?: WorkerInfo["market"]): WorkerInfo => ({
	worker_id: "w",
	version: "0",
	started_at_ms: 0,
	last_seen_at_ms: 0,
	scans_active: 0,
	draining: false,
	...(market ? { market } : {}),
});
const source = (name: string, ok: boolean, breaker_open = false) => ({ source: name, ok, breaker_open });

test("reads of all workers are added up before they are divided", () => {
	const found = marketOfAll([
		worker({ calls: 10, hits: 9, sources: [source("b", true), source("a", true)] }),
		worker({ calls: 90, hits: 0, sources: [source("b", false, true)] }),
		worker(),
	]);
	assert.is(found.hit_rate, 0.09);
	assert.equal(found.sources, [source("a", true), source("b", false, true)]);
	assert.equal(marketOfAll([worker()]), { hit_rate: null, sources: [] });
});

test("requests are booked as what came since the last time, and again when it failed", async () => {
	const stats = { calls: 5, hits: 1, fetches: 4, failures: 1 };
	const market = { source: { kind: "simulated" as const, name: "m" }, stats: () => stats, check: async () => ok };
	const ok = { ok: true, error: null };
	const report = createMarketReport(market as never, new ManualClock());
	const booked: Record<string, number>[] = [];
	const book = async (amounts: Record<string, number>) => void booked.push(amounts);
	await report.requests(book);
	stats.fetches = 10;
	await report.requests(() => Promise.reject(new Error("no store"))).catch(() => undefined);
	stats.failures = 3;
	await report.requests(book);
	assert.equal(booked, [
		{ "source_requests|m|ok": 3, "source_requests|m|failed": 1 },
		{ "source_requests|m|ok": 4, "source_requests|m|failed": 2 },
	]);
});

test("a breaker of a live exchange, or its ban, is reported", async () => {
	const market = { source: { kind: "live" as const, name: "ccxt:m" }, check: async () => ({ ok: true, error: null }) };
	const state = {
		source: "m",
		open: [] as string[],
		blocked_until_ms: null as number | null,
		used_weight: 1,
		weight_limit: 2,
	};
	const report = createMarketReport(market, new ManualClock(), { states: () => [state] });
	const reported = async () => (await report.state()).sources;
	assert.equal(await reported(), [source("ccxt:m", true, false)]);
	state.open = ["/klines"];
	assert.equal(await reported(), [source("ccxt:m", true, true)]);
	Object.assign(state, { open: [], blocked_until_ms: 5 });
	assert.equal(await reported(), [source("ccxt:m", true, true)]);
});

test("the source is asked now and then, not at every word of presence", async () => {
	const clock = new ManualClock();
	let asked = 0;
	const market = {
		source: { kind: "simulated" as const, name: "m" },
		check: async () => {
			asked += 1;
			if (asked > 1) throw new Error("down");
			return { ok: true, error: null };
		},
	};
	const report = createMarketReport(market as never, clock);
	assert.is((await report.state()).sources[0]?.ok, true);
	await clock.advance(9_000, 1_000);
	assert.is((await report.state()).sources[0]?.ok, true);
	assert.is(asked, 1);
	await clock.advance(1_000, 1_000);
	assert.equal(await report.state(), { calls: 0, hits: 0, sources: [source("m", false)] });
	assert.is(asked, 2);
});

test.run();
