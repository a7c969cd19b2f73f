import { randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createActor, SimulatedClock } from "xstate";
import { scanMachine } from "../../machines/scan.ts";
import { systemClock } from "../../src/clock.ts";
import { finishStart } from "../../src/commands.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import { applyOne } from "../../src/runtime/runtime.ts";
import { createWatchdog } from "../../src/runtime/watchdog.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { eventsOf } from "../../src/store/journal-codec.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { tally } from "../support/scan-input.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { commandDeps, commandsOn, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const durable = suite("runtime: a scan is a durable actor");

let redis: TestRedis;
let store: ScanStore;
let users = 100;

durable.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
durable.after(async () => {
	await redis.close();
});

const noQueue = async () => {};
/** A new scan of a new user, accepted but not run. */
async function accepted(limitsOf = {}): Promise<string> {
	users += 1;
	const deps = commandDeps(store, noQueue);
	const commands = commandsOn(store, noQueue, {
		settings: { ...deps.settings, limits: { ...deps.settings.limits, ...limitsOf } },
	});
	const { scan_id, decision } = await commands.startScan(viewer(users), startRequest());
	assert.is(decision, "created");
	return scan_id;
}

async function record(scanId: string): Promise<ScanRecord> {
	const found = await store.reader.read(scanId);
	if (!found) throw new Error(`${scanId} is not found`);
	return found;
}

/** Resolves when the scan's record satisfies `wanted`; woken by commits, bounded. */
async function until(scanId: string, wanted: (found: ScanRecord) => boolean): Promise<ScanRecord> {
	const signal = AbortSignal.timeout(10_000);
	for (;;) {
		const found = await record(scanId);
		if (wanted(found)) return found;
		if (signal.aborted) throw new Error(`waited in vain: ${found.position} at ${found.revision}`);
		await store.reader.nextCommit(scanId, 200, signal);
	}
}

durable("runs to its end; the journal is gapless and its entries are one story", async () => {
	const scanId = await accepted();
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
	const found = await record(scanId);
	assert.is(found.position, "completed");
	assert.is(found.context.outcome, "found");
	const journal = await store.reader.journal(scanId, 0, 1_000);
	assert.equal(
		journal.map(({ seq }) => seq),
		journal.map((_, i) => i + 1),
	);
	assert.is(journal.at(-1)?.type, "scan.completed");
	assert.is(journal.at(-1)?.seq, found.revision);
	assert.is(journal[0]?.type, "scan.created");
	for (const entry of journal) assert.ok(entry.revision >= entry.seq);
	const ranking = await store.reader.document<{ ranked: string[] }>(scanId, "ranking");
	assert.is(ranking?.ranked.length, 3);
	assert.is((await store.reader.rows(scanId, ranking?.ranked ?? [])).length, 3);
	const lifecycle = (await store.reader.readBeside(scanId, "lifecycle"))?.fields;
	assert.is(lifecycle?.current_phase, "completed");
	assert.is(lifecycle?.current_status, "completed");
});

async function untilStoreTime(atMs: number): Promise<void> {
	const signal = AbortSignal.timeout(10_000);
	while (store.clock.now() <= atMs) await store.reader.nextCommit("scan_none", atMs - store.clock.now() + 1, signal);
}

durable("the journal's events give the same snapshot under a plain actor with a SimulatedClock", async () => {
	const scanId = await accepted();
	await runtimeOn(store, quickEffects()).run(scanId);
	const found = await record(scanId);
	const client = createRedisClient(redis.connection, "commands", testLogger());
	const entries = await client.xrange(scanKeys(scanId).journal, "-", "+");
	await client.quit();
	const clock = new SimulatedClock();
	const actor = createActor(scanMachine, { input: found.context.input, clock });
	actor.start();
	for (const event of entries.flatMap((element) => eventsOf(element).events)) actor.send(event);
	assert.is(actor.getSnapshot().value, found.position);
	assert.equal(JSON.parse(JSON.stringify(actor.getSnapshot().context)), found.context);
	actor.stop();
});

durable("another worker goes on from the last commit: settled strategies are not run again", async () => {
	const scanId = await accepted();
	const runs: string[] = [];
	const counting = (hangAt: string | null): Effects =>
		quickEffects({
			async evaluateStrategy(effect, context) {
				runs.push(`${effect.strategy_id}:${effect.attempt}`);
				if (effect.strategy_id === hangAt) return never(context.signal);
				return quickEffects().evaluateStrategy(effect, context);
			},
		});
	const frozen = runtimeOn(store, counting("ai_spot_breakout_strategy"));
	const first = frozen.run(scanId);
	const before = await until(scanId, ({ context }) => context.strategies.filter(({ verdict }) => verdict).length >= 13);
	assert.is(before.position, "strategies_scan");
	// The first worker is still alive but has lost the scan: a zombie from here on.
	const seized = await store.writer.claim(scanId, "other", randomUUID(), 1, "always");
	assert.is(seized.kind, "granted");
	assert.is(await first, "fenced");
	await store.writer.release(scanId, seized.kind === "granted" ? seized.record.epoch : 0);
	assert.is(await runtimeOn(store, counting(null)).run(scanId), "ended");
	const after = await record(scanId);
	assert.is(after.position, "completed");
	assert.is(after.context.ranking?.ranked_count, 3);
	assert.equal(runs.sort(), [
		"ai_spot_breakout_strategy:1",
		"ai_spot_breakout_strategy:2",
		"ai_spot_mean_reversion:1",
		"ai_spot_momentum_strategy:1",
	]);
});

durable("a commit with an older epoch is refused and changes nothing", async () => {
	const scanId = await accepted();
	const old = await store.writer.claim(scanId, "a", randomUUID(), 5_000, "normal");
	assert.ok(old.kind === "granted");
	assert.is((await store.writer.claim(scanId, "b", randomUUID(), 5_000, "normal")).kind, "held");
	const newer = await store.writer.claim(scanId, "b", randomUUID(), 5_000, "always");
	assert.ok(newer.kind === "granted");
	assert.is(newer.record.epoch, old.record.epoch + 1);
	const commit = {
		scan_id: scanId,
		epoch: old.record.epoch,
		base_seq: 1,
		scan: { position: "completed" },
		lifecycle: {},
		debug: {},
		results: new Map(),
		entries: [
			{
				type: "scan.completed" as const,
				phase: "completed" as const,
				strategy_id: null,
				attempt: null,
				at_ms: 1,
				payload: {},
			},
		],
		events: [],
		ended: true,
		lease_ms: 1_000,
	};
	assert.is(await store.writer.commit(commit), "fenced");
	assert.is((await record(scanId)).position, "queued");
	const right = { ...commit, epoch: newer.record.epoch, scan: {}, ended: false };
	assert.is(await store.writer.commit(right), "ok");
	assert.is(await store.writer.commit(right), "duplicate", "a commit whose reply was lost is accepted when sent again");
	assert.is((await record(scanId)).revision, 2);
});

durable("a repeated claim with the same nonce is answered alike", async () => {
	const scanId = await accepted();
	const nonce = randomUUID();
	const first = await store.writer.claim(scanId, "a", nonce, 5_000, "normal");
	const again = await store.writer.claim(scanId, "a", nonce, 5_000, "normal");
	assert.ok(first.kind === "granted" && again.kind === "granted");
	assert.is(first.record.epoch, again.record.epoch);
});

durable("twenty equal starts at once make one scan", async () => {
	users += 1;
	const queued: string[] = [];
	const commands = commandsOn(store, async (id) => void queued.push(id));
	const results = await Promise.all(
		Array.from({ length: 20 }, () => commands.startScan(viewer(users), startRequest())),
	);
	assert.is(new Set(results.map(({ scan_id }) => scan_id)).size, 1);
	assert.is(results.filter(({ decision }) => decision === "created").length, 1);
	assert.is(new Set(queued).size, 1);
	assert.equal(await store.reader.listByUser(viewer(users).user_id, 0, 10), [results[0]?.scan_id]);
});

durable("force joins a young scan and supersedes an older one before it answers", async () => {
	users += 1;
	const me = viewer(users);
	const young = commandsOn(store, noQueue);
	const first = await young.startScan(me, startRequest());
	assert.is((await young.startScan(me, startRequest({ force_refresh: true }))).decision, "joined");
	const deps = commandDeps(store, noQueue);
	const old = commandsOn(store, noQueue, { settings: { ...deps.settings, force_join_ms: 0 } });
	const second = await old.startScan(me, startRequest({ force_refresh: true }));
	assert.is(second.decision, "superseded");
	assert.is(second.superseded_scan_id, first.scan_id);
	const ended = await record(first.scan_id);
	assert.is(ended.position, "cancelled");
	assert.is(ended.context.end?.reason, "superseded");
	assert.is(ended.context.end?.superseded_by, second.scan_id);
	assert.is((await old.startScan(me, startRequest())).scan_id, second.scan_id);
});

durable("a recent result comes back as itself, with its age", async () => {
	users += 1;
	const me = viewer(users);
	const commands = commandsOn(store, noQueue);
	const first = await commands.startScan(me, startRequest());
	await runtimeOn(store, quickEffects()).run(first.scan_id);
	const again = await commands.startScan(me, startRequest());
	assert.is(again.decision, "cached");
	assert.is(again.scan_id, first.scan_id);
	assert.is((await commands.startScan(me, startRequest({ force_refresh: true }))).decision, "created");
});

durable("cancel ends a scan that no worker holds, and one whose effects ignore their signal", async () => {
	const commands = commandsOn(store, noQueue);
	const waiting = await accepted();
	assert.is((await commands.cancelScan({ ...viewer(users), role: "admin" }, waiting)).reason, "user_request");
	const deaf = await accepted();
	const run = runtimeOn(store, quickEffects({ evaluateStrategy: () => new Promise(() => {}) })).run(deaf);
	await until(deaf, ({ position }) => position === "strategies_scan");
	const answer = await commands.cancelScan({ user_id: randomUUID(), role: "admin" }, deaf);
	assert.is(answer.reason, "admin_request");
	const ended = await record(deaf);
	assert.ok(ended.context.strategies.every(({ verdict }) => verdict === "cancelled" || verdict === "skipped"));
	assert.ok(["ended", "fenced"].includes(await run));
	assert.is((await commands.cancelScan(viewer(users), deaf)).reason, "admin_request", "repeating it answers the same");
	const done = await accepted();
	await runtimeOn(store, quickEffects()).run(done);
	try {
		await commands.cancelScan(viewer(users), done);
		assert.unreachable();
	} catch (error) {
		assert.is((error as { code: string }).code, "scan_already_terminal");
	}
});

durable("hanging effects end by the budget; late strategies keep what they found", async () => {
	const scanId = await accepted({ budget_ms: 1_000, ranking_reserve_ms: 100 });
	const effects = quickEffects({
		async evaluateStrategy(effect, context) {
			const id = `${effect.strategy_id}-row`;
			const rows = new Map([[id, { opportunity_id: id }]]);
			context.progress(
				{
					strategy_id: effect.strategy_id,
					attempt: effect.attempt,
					kind: "progressed",
					tally: tally({ candidates_total: 2, evaluated: 2, row_ids: [id] }),
				},
				{ rows },
			);
			return never(context.signal);
		},
	});
	assert.is(await runtimeOn(store, effects).run(scanId), "ended");
	const found = await record(scanId);
	const { end, input } = found.context;
	assert.ok((end?.at_ms ?? 0) <= input.deadline_at_ms + 1_000, "ended within its budget plus one second");
	assert.ok(found.progress_at_ms <= input.deadline_at_ms + 1_000);
	assert.equal(
		found.context.strategies.slice(0, 3).map(({ verdict, tally }) => [verdict, tally.row_ids.length, tally.rejected]),
		[
			["timed_out", 1, { timeout: 1 }],
			["timed_out", 1, { timeout: 1 }],
			["timed_out", 1, { timeout: 1 }],
		],
	);
	assert.is(found.context.end?.error?.code, "budget_exceeded");
	assert.is((await store.reader.rows(scanId, ["ai_spot_momentum_strategy-row"])).length, 1);
});

durable("hand-over releases the scan; the next worker does not count it as a lost one", async () => {
	const scanId = await accepted();
	const leaving = runtimeOn(store, quickEffects({ evaluateStrategy: (_, context) => never(context.signal) }));
	const first = leaving.run(scanId);
	await until(scanId, ({ position }) => position === "strategies_scan");
	await leaving.handOver();
	assert.is(await first, "released");
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
	const found = await record(scanId);
	assert.is(found.context.resumes, 0);
	assert.is(found.context.attempt, 2);
	assert.is(found.position, "completed");
});

durable("the watchdog takes over dead scans, ends overdue ones and finishes half-made starts", async () => {
	const runtime = runtimeOn(store, quickEffects());
	const deps = commandDeps(store, noQueue);
	const queued: string[] = [];
	const watchdog = createWatchdog({
		writer: store.writer,
		reader: store.reader,
		clock: systemClock,
		log: testLogger(),
		apply: deps.apply,
		runtime,
		finishStart: (user, key, id) =>
			finishStart({ ...deps, enqueue: async (scanId) => void queued.push(scanId) }, user, key, id),
		book: (ended) => book(store.writer, ended, 1_000),
		settings: { watchdog_ms: 500, lease_ms: 2_000 },
	});
	const dead = await accepted();
	assert.is((await store.writer.claim(dead, "dead", randomUUID(), 1, "normal")).kind, "granted");
	const overdue = await accepted({ budget_ms: 1, ranking_reserve_ms: 0 });
	await untilStoreTime(store.clock.now() + 30);
	await watchdog.pass();
	const taken = await until(dead, ({ terminal }) => terminal);
	assert.is(taken.position, "completed");
	assert.is(taken.context.resumes, 0, "it was queued when its worker died, so this is its first run");
	const ended = await until(overdue, ({ terminal }) => terminal);
	assert.is(ended.context.end?.error?.code, "not_claimed");
	assert.ok((await store.writer.lastSweepMs()) !== null);
});

durable("an ended scan frees its claim, and its id answers as expired once it is cleared", async () => {
	users += 1;
	const commands = commandsOn(store, noQueue);
	const { scan_id } = await commands.startScan(viewer(users), startRequest());
	await runtimeOn(store, quickEffects()).run(scan_id);
	assert.is(await store.writer.activeScan(viewer(users).user_id, "all"), null);
	assert.is(await commands.clearScans(viewer(users).user_id), 1);
	assert.is(await store.reader.read(scan_id), null);
	assert.ok((await store.reader.expiredAt(viewer(users).user_id, scan_id)) !== null);
	assert.is(await store.reader.expiredAt(viewer(1).user_id, scan_id), null);
	assert.is((await commands.startScan(viewer(users), startRequest())).decision, "created");
});

durable("any process may end a scan past its deadline although a frozen worker holds its lease", async () => {
	const scanId = await accepted({ budget_ms: 10, ranking_reserve_ms: 1 });
	await store.writer.claim(scanId, "frozen", randomUUID(), 60_000, "normal");
	const apply = commandDeps(store, noQueue).apply;
	const lost = { type: "scan.abandoned" as const, code: "worker_lost" as const, message: "lost" };
	assert.is(
		await applyOne(apply, scanId, "deadline", (_, at_ms) => ({ ...lost, at_ms })),
		"refused",
		"not before two seconds",
	);
	await untilStoreTime(((await record(scanId)).context.input.deadline_at_ms ?? 0) + 2_010);
	assert.is(await applyOne(apply, scanId, "deadline", (_, at_ms) => ({ ...lost, at_ms })), "ended");
	assert.is((await record(scanId)).context.end?.error?.code, "worker_lost");
});

durable.run();
