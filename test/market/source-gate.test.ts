import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SimulatedClock } from "xstate";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import type { MarketError } from "../../src/market/contract.ts";
import type { CallRank } from "../../src/market/gate.ts";
import type { SharedBudget, WeightLimit } from "../../src/market/sharing.ts";
import { createSourceGate } from "../../src/market/source-gate.ts";
import { createMarketBudget } from "../../src/store/market-budget.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const test = suite("market/source-gate");
let redis: TestRedis;
test.before(async () => {
	redis = await startRedis();
});
test.after(() => redis.stop());
test.before.each(async () => {
	await redis.client().flushall();
});

const limit = { weight_max: 40, window_ms: 250 };
interface Given {
	limits?: WeightLimit;
	waitingMax?: number;
	wrap?: (budget: SharedBudget) => SharedBudget;
}
/** The gate of one process. */
const gateOf = ({ limits = limit, waitingMax, wrap = (budget) => budget }: Given = {}) =>
	createSourceGate({
		budget: wrap(createMarketBudget(redis.client())),
		clock: systemClock,
		entropy: systemEntropy,
		limits: () => limits,
		...(waitingMax === undefined ? {} : { waitingMax }),
	});
const call = (weight = 1, endpoint = "/klines", source = "binance") => ({
	source,
	endpoint,
	weight,
	signal: AbortSignal.timeout(15_000),
});
const outcome = (work: Promise<unknown>) =>
	work.then(
		() => "ok",
		(error: unknown) => error as MarketError,
	);
const refused = async (work: Promise<unknown>, pattern: RegExp): Promise<void> => {
	const end = await outcome(work);
	assert.ok(typeof end !== "string", "it was let through");
	assert.match(end.message, pattern);
	assert.is(end.code, "fetch_failed");
	assert.is(end.retryable, true);
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Weight granted, and between which two moments the store did it. */
interface Granted {
	weight: number;
	after: number;
	before: number;
}

const watched =
	(granted: Granted[]) =>
	(budget: SharedBudget): SharedBudget => ({
		...budget,
		async take(ask) {
			const after = performance.now();
			const grant = await budget.take(ask);
			const before = performance.now();
			for (const { weight } of ask.calls.slice(0, grant.granted)) granted.push({ weight, after, before });
			return grant;
		},
	});

test("no window of time, wherever it begins, holds more than the budget, whoever asks when", async () => {
	let run = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.record({ process: fc.nat(2), weight: fc.integer({ min: 1, max: 15 }), after_ms: fc.nat(300) }), {
				minLength: 16,
				maxLength: 24,
			}),
			async (arrivals) => {
				const granted: Granted[] = [];
				const gates = Array.from({ length: 3 }, () => gateOf({ wrap: watched(granted) }));
				const source = `s${run++}`;
				await Promise.all(
					arrivals.map(async ({ process, weight, after_ms }) => {
						await pause(after_ms);
						await gates[process]?.take(call(weight, "/klines", source));
					}),
				);
				assert.is(granted.length, arrivals.length);
				granted.sort((a, b) => a.after - b.after);
				for (const first of granted) {
					// Those that surely lie within one window from the first one on.
					const within = granted.filter(
						(each) => each.after >= first.after && each.before - first.after < limit.window_ms,
					);
					const sum = within.reduce((weight, each) => weight + each.weight, 0);
					assert.ok(sum <= limit.weight_max, `${sum} within ${limit.window_ms} ms`);
				}
			},
		),
		{ numRuns: 3 },
	);
});

test("a heavy call of one process is not starved by many light ones of another", async () => {
	const [busy, heavy] = [gateOf(), gateOf()];
	let over = false;
	let light = 0;
	const loops = Array.from({ length: 50 }, async () => {
		while (!over) {
			await busy.take(call(1));
			light++;
		}
	});
	await pause(50);
	await heavy.take(call(40));
	over = true;
	await Promise.all(loops);
	assert.ok(light < 400, `${light} light calls went before it`);
});

test("what candidates need goes before what evidence needs, and tapes go last, whenever they came", async () => {
	const gate = gateOf();
	await gate.take(call(limit.weight_max));
	const order: string[] = [];
	const taken = (name: string, rank: CallRank) => gate.take({ ...call(10), rank }).then(() => void order.push(name));
	const evidence = ["x", "y"].map((name) => taken(name, 1));
	await Promise.all([taken("tape", 2), ...evidence, ...["a", "b", "c", "d"].map((name) => taken(name, 0))]);
	assert.equal(order, ["a", "b", "c", "d", "x", "y", "tape"]);
});

test("429 and 418 stop every process at once, for as long as the exchange said", async () => {
	const [first, second] = [gateOf(), gateOf()];
	await Promise.all([first.take(call()), second.take(call())]);
	first.report(call(), { kind: "limited", status: 429, retry_after_ms: 400 });
	const begun = performance.now();
	await pause(20);
	await Promise.all([first.take(call()), second.take(call())]);
	assert.ok(performance.now() - begun >= 395, "both waited");

	second.report(call(), { kind: "limited", status: 418, retry_after_ms: 120_000 });
	await pause(20);
	await refused(second.take(call()), /binance wants no request for 1[12]\d s/);
	await refused(first.take(call()), /binance wants no request for 1[12]\d s/);
	// One that starts afterwards knows it too; other sources do not mind.
	const third = gateOf();
	await refused(third.take(call()), /wants no request/);
	await third.take(call(1, "/klines", "kraken"));
	const blocked = third.states().find(({ source }) => source === "binance");
	assert.ok((blocked?.blocked_until_ms ?? 0) > systemClock.now() + 100_000);
});

test("those who wait already are stopped by a ban as well", async () => {
	const gate = gateOf({ limits: { weight_max: 10, window_ms: 2_000 } });
	await gate.take(call(10));
	const waiting = outcome(gate.take(call(10)));
	await pause(30);
	gate.report(call(), { kind: "limited", status: 418, retry_after_ms: null });
	await refused(
		waiting.then((end) => Promise.reject(end)),
		/wants no request for 1[12]\d s/,
	);
});

test("a ban stops the parts that an exchange counts apart, in every process, wherever it was met", async () => {
	const parts = ["binanceusdm", "binanceusdm:funding", "binanceusdm:data"];
	for (const banned of ["binanceusdm", "binanceusdm:funding"]) {
		await redis.client().flushall();
		const [first, second] = [gateOf(), gateOf()];
		for (const part of parts) await Promise.all([first, second].map((gate) => gate.take(call(1, "/x", part))));
		first.report(call(1, "/x", banned), { kind: "limited", status: 418, retry_after_ms: 3_600_000 });
		await pause(20);
		for (const gate of [first, second, gateOf()])
			for (const part of parts) await refused(gate.take(call(1, "/x", part)), /wants no request for 3[56]\d\d s/);
		assert.ok(first.states().every(({ blocked_until_ms }) => blocked_until_ms !== null));
		await second.take(call(1, "/x", "binance"));
	}
});

test("a pause that a part of an exchange is asked for is that part's own; one of the whole is kept by all", async () => {
	const [first, second] = [gateOf(), gateOf()];
	first.report(call(1, "/x", "binanceusdm:data"), { kind: "limited", status: 429, retry_after_ms: 60_000 });
	await pause(20);
	await refused(second.take(call(1, "/x", "binanceusdm:data")), /wants no request/);
	await Promise.all(["binanceusdm", "binanceusdm:funding"].map((part) => second.take(call(1, "/x", part))));
	first.report(call(1, "/x", "binanceusdm"), { kind: "limited", status: 429, retry_after_ms: 300 });
	const begun = performance.now();
	await pause(20);
	await second.take(call(1, "/x", "binanceusdm:funding"));
	assert.ok(performance.now() - begun >= 295, "it waited for the whole");
});

test("without a store a ban stops the parts of this process", async () => {
	const gate = createSourceGate({ budget: null, clock: systemClock, entropy: systemEntropy });
	gate.report(call(1, "/x", "binanceusdm"), { kind: "limited", status: 418, retry_after_ms: null });
	for (const part of ["binanceusdm:funding", "binanceusdm:data"])
		await refused(gate.take(call(1, "/x", part)), /wants no request/);
});

test("what the exchange counts beyond our own is taken off the budget of all", async () => {
	const minute = { weight_max: 100, window_ms: 60_000 };
	const [first, second] = [gateOf({ limits: minute }), gateOf({ limits: minute })];
	await first.take(call(5));
	first.report(call(), { kind: "ok", used_weight: 95 });
	await pause(50);
	await second.take(call(5));
	assert.is(second.states()[0]?.used_weight, 100);
	const impatient = { ...call(1), signal: AbortSignal.timeout(100) };
	assert.is(((await outcome(second.take(impatient))) as unknown as Error).name, "TimeoutError");
});

test("an endpoint that one process found broken is left alone by all, and one probe tries it again", async () => {
	const clock = new SimulatedClock();
	const budget = createMarketBudget(redis.client());
	const make = () => createSourceGate({ budget, clock, entropy: systemEntropy, limits: () => limit });
	const [first, second] = [make(), make()];
	for (let i = 0; i < 5; i++) {
		await first.take(call());
		first.report(call(), { kind: "failed" });
	}
	await refused(first.take(call()), /klines has failed repeatedly/);
	assert.equal(first.states()[0]?.open, ["/klines"]);
	// Its next call, of whichever endpoint, tells the other process.
	await second.take(call(1, "/ticker"));
	await refused(second.take(call()), /klines has failed repeatedly/);
	clock.increment(7_000);
	const ends = await Promise.all([first, second, first, second].map((gate) => outcome(gate.take(call()))));
	assert.is(ends.filter((end) => end === "ok").length, 1);
	const [prober, other] = ends[0] === "ok" || ends[2] === "ok" ? [first, second] : [second, first];
	prober.report(call(), { kind: "ok", used_weight: null });
	assert.equal(prober.states()[0]?.open, []);
	await prober.take(call());
	await pause(20);
	clock.increment(2_000);
	await other.take(call());
	other.report(call(), { kind: "ok", used_weight: null });
	assert.equal(other.states()[0]?.open, []);
});

test("the queue is bounded and every wait ends with its signal", async () => {
	const gate = gateOf({ limits: { weight_max: 1, window_ms: 60_000 }, waitingMax: 3 });
	await gate.take(call());
	const controller = new AbortController();
	const waiting = Array.from({ length: 3 }, () => outcome(gate.take({ ...call(), signal: controller.signal })));
	await refused(gate.take(call()), /too many calls wait for binance/);
	const reason = new Error("scan cancelled");
	controller.abort(reason);
	assert.equal(await Promise.all(waiting), [reason, reason, reason]);
	assert.is(await outcome(gate.take({ ...call(), signal: AbortSignal.abort(reason) })), reason);
});

test("nothing stays in Redis for ever", async () => {
	const gate = gateOf();
	await gate.take(call(40));
	const waits = gate.take(call(40));
	gate.report(call(), { kind: "limited", status: 429, retry_after_ms: 50 });
	for (let i = 0; i < 5; i++) gate.report(call(), { kind: "failed" });
	await waits.catch(() => undefined);
	const client = redis.client();
	const keys = await client.keys("market_*");
	assert.ok(keys.length >= 2);
	for (const key of keys) assert.ok((await client.pttl(key)) > 0, key);
});

test("without Redis a process goes on with a tenth of the budget; without other processes with all of it", async () => {
	const own = await startRedis();
	const clock = new SimulatedClock();
	const budget = createMarketBudget(own.client({ enableOfflineQueue: false, maxRetriesPerRequest: 1 }));
	const limits = () => ({ weight_max: 100, window_ms: 60_000 });
	const lost = createSourceGate({ budget, clock, entropy: systemEntropy, limits });
	await own.crash();
	const takenOf = async (gate: typeof lost): Promise<number> => {
		let taken = 0;
		const controller = new AbortController();
		const all = Array.from({ length: 150 }, () =>
			outcome(gate.take({ ...call(), signal: controller.signal })).then((end) => (end === "ok" ? taken++ : 0)),
		);
		await pause(300);
		controller.abort(new Error("enough"));
		await Promise.all(all);
		return taken;
	};
	assert.is(await takenOf(lost), 10);
	assert.is(await takenOf(createSourceGate({ budget: null, clock, entropy: systemEntropy, limits })), 100);
	await own.stop();
});

test.run();
