import { suite } from "uvu";
import * as assert from "uvu/assert";
import { wantedEffects } from "../../machines/stall.ts";
import type { ScanContext } from "../../machines/types.ts";
import { begin, type HostState, step, takeDue } from "../../src/runtime/scan-host.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { stuckVerdict } from "../../src/views/stuck.ts";
import { planned, scanInput, T0 } from "../support/scan-input.ts";
import { assetsDiscovered, claimed, portfolioFetched, ranked, report, reported } from "../support/scan-walk.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf, rememberingLog, watchdogOn } from "../support/stuck.ts";
import { quickEffects, runtimeOn } from "../support/system.ts";

const healthy = suite("stuck: healthy scans raise no alarm");
const SCANS = 1_000;
const STUCK_AFTER_MS = 120_000;
const HEARTBEAT_MS = 2_000;

/** Numbers in [0, 1) from a seed (mulberry32). */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}

/**
 * Slow but healthy answers: each effect within the limits that it keeps by itself, a strategy as late as its
 * own deadline allows, the claim as late as a busy queue makes it.
 */
const LATEST_MS = { claim: 15_000, portfolio: 5_500, discovery: 16_000, strategy: 58_000, ranking: 6_500 };

const recordAt = (state: HostState, heartbeatAtMs: number | null): ScanRecord => ({
	scan_id: state.context.input.scan_id,
	user_id: state.context.input.user_id,
	machine: "scan.v1",
	revision: 1,
	epoch: 1,
	worker_id: state.context.worker_id,
	lease_until_ms: heartbeatAtMs === null ? null : heartbeatAtMs + 6_000,
	heartbeat_at_ms: heartbeatAtMs,
	progress_at_ms: state.context.now_ms,
	last_event_type: "phase.started",
	position: state.position,
	terminal: state.ended,
	context: state.context,
	deadlines: state.deadlines,
	expires_at_ms: null,
});

interface Run {
	alarms: number;
	looks: number;
	state: HostState;
}

/** One scan from acceptance to its end in simulated time, looked at every second. */
function live(seed: number): Run {
	const next = random(seed);
	const within = (latestMs: number) => Math.floor(next() * latestMs);
	let state = begin(scanInput({ strategies: planned(14) })).state;
	let nowMs = T0;
	let heartbeatAtMs: number | null = null;
	const run: Run = { alarms: 0, looks: 0, state };
	const passTo = (atMs: number) => {
		for (; nowMs < atMs; nowMs = Math.min(atMs, nowMs + 1_000)) {
			for (let due = takeDue(state, nowMs); due; due = takeDue(state, nowMs)) {
				const after = step(due.state, due.event);
				run.alarms += after ? 1 : 0;
				state = after?.state ?? due.state;
			}
			if (heartbeatAtMs !== null && nowMs - heartbeatAtMs >= HEARTBEAT_MS) heartbeatAtMs = nowMs;
			run.looks += 1;
			if (stuckVerdict(recordAt(state, heartbeatAtMs), nowMs, STUCK_AFTER_MS).is_stuck) run.alarms += 1;
			if (wantedEffects(state.position, state.context).some(({ key }) => key.endsWith(":2"))) run.alarms += 1;
		}
	};
	const answer = (atMs: number, event: (context: ScanContext, at: number) => Parameters<typeof step>[1]) => {
		passTo(atMs);
		state = step(state, event(state.context, atMs))?.state ?? state;
	};
	answer(T0 + within(LATEST_MS.claim), (_, at) => claimed(at));
	heartbeatAtMs = nowMs;
	answer(nowMs + within(LATEST_MS.portfolio), (_, at) => portfolioFetched(at));
	answer(nowMs + within(LATEST_MS.discovery), (_, at) => assetsDiscovered(at));
	const startedAtMs = nowMs;
	const answers = state.context.strategies
		.map((entry) => ({ entry, atMs: startedAtMs + within(LATEST_MS.strategy) }))
		.sort((a, b) => a.atMs - b.atMs);
	for (const { entry, atMs } of answers) answer(atMs, (_, at) => reported(at, report(entry, "found")));
	answer(nowMs + within(LATEST_MS.ranking), (context, at) => ranked(context, at));
	return { ...run, state };
}

healthy(
	`${SCANS} slow but healthy scans in simulated time: no stuck verdict, no deadline, nothing issued again`,
	() => {
		let alarms = 0;
		let looks = 0;
		for (let seed = 1; seed <= SCANS; seed++) {
			const run = live(seed);
			assert.is(run.state.position, "completed", `seed ${seed}`);
			assert.is(run.state.context.outcome, "found");
			alarms += run.alarms;
			looks += run.looks;
		}
		assert.ok(looks > 50_000, `${looks} looks`);
		assert.is(alarms, 0);
	},
);

let redis: TestRedis;
healthy.before(async () => {
	redis = await startTestRedis();
});
healthy.after(() => redis.close());

healthy("scans on a real store under three watchdogs: nobody takes one over, ends one or complains", async () => {
	const store = await redis.store();
	const { log, told } = rememberingLog();
	// The default lease and heartbeat; the embedded server is slower by an order of magnitude.
	const settings = { lease_ms: 6_000, heartbeat_ms: HEARTBEAT_MS };
	const scans = redis.kind === "memory" ? 10 : 60;
	const runtimes = [1, 2, 3].map(() => runtimeOn(store, quickEffects(), { log, settings }));
	const watchdogs = runtimes.map((runtime) => watchdogOn(store, runtime, { log }).watchdog);
	const ids = await Promise.all(Array.from({ length: scans }, () => acceptedScan(store)));
	const runs = ids.map((scanId, i) => runtimes[i % 3]?.run(scanId));
	let finished = false;
	const all = Promise.all(runs).then(() => {
		finished = true;
	});
	let passes = 0;
	while (!finished) {
		await Promise.all(watchdogs.map((watchdog) => watchdog.pass()));
		passes += 1;
	}
	await all;
	await Promise.all(watchdogs.map((watchdog) => watchdog.pass()));
	assert.ok(passes > 0);
	assert.equal(told, []);
	for (const scanId of ids) {
		const { context, position, epoch } = await recordOf(store, scanId);
		assert.is(position, "completed");
		assert.is(context.attempt, 1);
		assert.is(epoch, 1);
	}
});

healthy.run();
