/** The simulation against closed forms of queueing theory, and the capacity model against the simulation. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blocksIn } from "../../bench/docs/blocks.ts";
import { compareCell, orchestrationAt } from "../../bench/scale/check.ts";
import { INPUTS, valuesOf } from "../../bench/scale/inputs.ts";
import { fleetFor, limitsFor, planFor, slotLimit } from "../../bench/scale/model.ts";
import { erlangB, mg1WaitMs, mm1Quantile, mmc } from "../../bench/scale/queueing.ts";
import { simulate, type Visit, type Work } from "../../bench/scale/simulate.ts";
import { slotOf } from "../../bench/scale/slots.ts";
import { RATES, scaleBlocks } from "../../bench/scale/tables.ts";

const test = suite("capacity model");

/** @param tolerance relative */
const near = (found: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(found - expected) <= tolerance * Math.abs(expected), `${what}: ${found}, expected ${expected}`);

const station = (servers: number, visit: Partial<Visit>, per_s: number, seed: number): Work => ({
	stations: { a: { servers } },
	visits: [{ at: "a", mean_ms: 10, spread: "exponential", ...visit }],
	arrivals: { kind: "open", per_s },
	jobs: 30_000,
	warm_up: 3_000,
	seed,
});

test("Erlang's formulas give what tables give", () => {
	// Offered 2 erlangs: B(3) = 4/19; C of M/M/3 = 4/9.
	near(erlangB(3, 2), 4 / 19, 1e-12, "B");
	near(mmc(200, 10, 3).waits, 4 / 9, 1e-12, "C");
	near(mmc(50, 10, 1).response_ms, 20, 1e-12, "M/M/1");
	near(mg1WaitMs(50, 10, 1), mmc(50, 10, 1).wait_ms, 1e-12, "M/G/1 of an exponential service is M/M/1");
	assert.is(mmc(101, 10, 1).wait_ms, Number.POSITIVE_INFINITY);
});

test("one server with a queue: M/M/1, half and three quarters full", () => {
	for (const [per_s, tolerance] of [
		[50, 0.03],
		[75, 0.07],
	] as const) {
		const expected = mmc(per_s, 10, 1);
		const found = simulate(station(1, {}, per_s, 11));
		near(found.per_s, per_s, 0.02, "throughput");
		near(found.utilisation["a"] ?? 0, expected.utilisation, 0.02, "utilisation");
		near(found.mean_ms, expected.response_ms, tolerance, "response");
		near(found.wait_ms["a"] ?? 0, expected.wait_ms, 1.5 * tolerance, "wait");
		near(found.p99_ms, mm1Quantile(per_s, 10, 0.99), 2 * tolerance, "p99");
	}
});

test("several servers with one queue: M/M/c", () => {
	for (const servers of [2, 4, 8]) {
		const per_s = 70 * servers;
		const expected = mmc(per_s, 10, servers);
		const found = simulate(station(servers, {}, per_s, 100 + servers));
		near(found.mean_ms, expected.response_ms, 0.04, `response of ${servers}`);
		near(found.wait_ms["a"] ?? 0, expected.wait_ms, 0.12, `wait of ${servers}`);
	}
});

test("services of another spread: M/G/1", () => {
	const fixed = simulate(station(1, { spread: "fixed" }, 70, 5));
	near(fixed.wait_ms["a"] ?? 0, mg1WaitMs(70, 10, 0), 0.05, "fixed");
	// Nine of ten short, one long; scaled to the mean of 10 ms.
	const measured = [1, 1, 1, 1, 1, 1, 1, 1, 1, 11];
	const variation = 3 / 2;
	const found = simulate(station(1, { spread: measured }, 60, 6));
	near(found.wait_ms["a"] ?? 0, mg1WaitMs(60, 10, variation), 0.06, "as measured");
});

test("a closed loop is as quick as its slowest station, and no quicker than its clients", () => {
	const loop = (clients: number) =>
		simulate({
			stations: { loop: { servers: 1 }, redis: { servers: 1 } },
			visits: [
				{ at: "loop", mean_ms: 4, spread: "exponential" },
				{ at: null, mean_ms: 5, spread: "fixed" },
				{ at: "redis", mean_ms: 1, spread: "exponential" },
			],
			arrivals: { kind: "closed", clients },
			jobs: 10_000,
			warm_up: 1_000,
			seed: 3,
		});
	near(loop(1).per_s, 100, 0.02, "one client: 10 ms each");
	near(loop(64).per_s, 250, 0.02, "many: the loop of 4 ms");
	// Little's law, whatever the spread.
	const { per_s, mean_ms } = loop(16);
	near((per_s * mean_ms) / 1_000, 16, 0.01, "jobs in the system");
});

test("tasks that are begun together take as long as the longest, places hold others back, a pinned job stays", () => {
	const base = { arrivals: { kind: "closed", clients: 1 }, jobs: 4_000, warm_up: 100, seed: 8 } as const;
	const together = simulate({
		...base,
		stations: { threads: { servers: 2 } },
		visits: [{ at: "threads", mean_ms: 1, spread: "fixed", tasks: 14 }],
	});
	near(together.mean_ms, 7, 1e-9, "fourteen tasks on two threads");
	const placed = simulate({
		...base,
		arrivals: { kind: "closed", clients: 10 },
		places: 2,
		stations: {},
		visits: [{ at: null, mean_ms: 10, spread: "fixed" }],
	});
	near(placed.per_s, 200, 0.01, "two places of 10 ms each");
	const pinned = simulate({
		...base,
		arrivals: { kind: "closed", clients: 2 },
		stations: { workers: { servers: 2, pinned: true } },
		visits: [
			{ at: "workers", mean_ms: 3, spread: "fixed" },
			{ at: "workers", mean_ms: 3, spread: "fixed" },
		],
	});
	near(pinned.p99_ms, 6, 1e-9, "two scans on two workers never wait");
});

test("the same seed gives the same answer, another one another", () => {
	const work = { ...station(2, {}, 100, 1), jobs: 2_000 };
	assert.equal(simulate(work), simulate(work));
	assert.is.not(simulate(work).mean_ms, simulate({ ...work, seed: 2 }).mean_ms);
});

const values = valuesOf(INPUTS);
/** Memory aside, so that installations are as busy as they may be. */
const busy = { ...values, retention_days: 1 / 24 };

test("the model says of busy stations and of times what the simulation says", () => {
	for (const rate of RATES) {
		const { cell } = fleetFor(rate, busy);
		const found = compareCell(cell.per_s, busy, 2_500, 21);
		near(found.loop[0], found.loop[1], 0.06, `event loops at ${rate}`);
		near(found.redis[0], found.redis[1], 0.06, `Redis at ${rate}`);
		near(found.response_ms[0], found.response_ms[1], 0.05, `a scan at ${rate}`);
	}
});

test("an installation at its limit is as full as is planned for, twice as many scans need twice of what grows with them", () => {
	const { processor, memory } = limitsFor(busy);
	near(planFor(processor, busy).redis.busy, values.redis_load_max, 0.001, "Redis at its limit");
	const { kept, tombstones } = planFor(memory, busy).memory_gb;
	near(kept + tombstones, values.redis_node_gb, 0.001, "memory at its limit");
	const [one, two] = [planFor(10, values), planFor(20, values)];
	for (const pick of [
		(plan: typeof one) => plan.busy.workers,
		(plan: typeof one) => plan.memory_gb.kept,
		(plan: typeof one) => plan.running,
	])
		near(pick(two), 2 * pick(one), 1e-9, "twice");
	// A commit is told to those who watch its scan, however many processes there are.
	near(planFor(1_000, values).redis.telling, 10 * planFor(100, values).redis.telling, 1e-9, "telling of commits");
	near(slotLimit(78, values) * 78, slotLimit(1, values), 1e-9, "slots");
});

test("installations side by side grow in proportion, and never beyond what one Redis carries", () => {
	for (const held of [values, busy]) {
		const { processor, memory } = limitsFor(held);
		for (const rate of RATES) {
			const { cells, cell } = fleetFor(rate, held);
			near(cells * cell.per_s, rate, 1e-9, "all scans");
			assert.ok(cell.per_s <= Math.min(processor, memory) * (1 + 1e-9));
			assert.ok(cell.redis.busy <= held.redis_load_max * 1.001);
		}
		const [hundred, many] = [fleetFor(100, held), fleetFor(10_000, held)];
		assert.ok(many.cost_usd.total < 101 * hundred.cost_usd.total, "cost in proportion");
	}
});

test("the closed loop of trivial scans gives its limits: one at a time, and the slower of process and Redis", () => {
	const scan = {
		node_ms: 4,
		redis_ms: 1,
		node_share: 1,
		redis_share: 1,
		round_trips: 10,
		spread: "fixed" as const,
	};
	near(orchestrationAt(scan, 1, 1).mean_ms, 4 + 1 + 10 * 0.065, 0.001, "one at a time");
	near(orchestrationAt(scan, 128, 1).per_s, 250, 0.02, "the process is the limit");
	near(orchestrationAt({ ...scan, node_share: 0.5 }, 128, 1).per_s, 125, 0.02, "half a core");
});

test("keys are counted under the slot that they share", () => {
	const scan = "scan_0123456789abcdef0123456789abcdef";
	const user = "11111111-1111-4111-8111-111111111111";
	assert.equal(
		[
			`scan:{${scan}}`,
			`scan_journal:{${scan}}`,
			`scans:{${user}}`,
			`rate:{${user}}:other`,
			"{scans}:scans:wait",
			"scans:due",
			"scan_totals:{monitoring}",
			"scan_counted:{opportunity_scan_stats:2026-03-19}",
		].map(slotOf),
		[
			"of the scan",
			"of the scan",
			"of the user",
			"of the user",
			"{scans} (queue)",
			"scans:due",
			"{monitoring}",
			"statistics of a day",
		],
	);
});

test("the tables of docs/scale.md are those of the model", () => {
	const document = readFileSync(join(import.meta.dirname, "../../docs/scale.md"), "utf8");
	const written = blocksIn(document);
	for (const [name, text] of Object.entries(scaleBlocks(values)))
		assert.is(written.get(name), text, `${name}: npm run bench:scale -- --write`);
});

test.run();
