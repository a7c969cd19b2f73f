import { randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ApiError } from "../../src/errors.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { Commit, ScanWriter } from "../../src/store/write-contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf, untilLeaseIsOver, untilRecord } from "../support/stuck.ts";
import { commandDeps, commandsOn, never, quickEffects, runtimeOn } from "../support/system.ts";

/** Two that want the same scan at once; every order of their steps is forced, none is hoped for. */
const races = suite("runtime: races");

let redis: TestRedis;
let store: ScanStore;
races.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
races.after(() => redis.close());

const admin = { user_id: randomUUID(), role: "admin" as const };
/** A cancel by a process that sees the store as `writer` does. */
function cancel(scanId: string, writer: ScanWriter = store.writer) {
	const { apply } = commandDeps(store, async () => {});
	return commandsOn(store, async () => {}, { writer, apply: { ...apply, writer } }).cancelScan(admin, scanId);
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
	work.then(
		() => "ok",
		(error: unknown) => (error instanceof ApiError ? error.code : String(error)),
	);

/** The store as a holder sees it whose last commit is in the hands of the test. */
function lastCommit(act: (commit: Commit) => ReturnType<ScanWriter["commit"]>): ScanWriter {
	return { ...store.writer, commit: (commit) => (commit.ended ? act(commit) : store.writer.commit(commit)) };
}

/** Runs the scan up to its last commit, which is sent when the test lets it `go`. */
async function beforeItsLastCommit(scanId: string) {
	const reached = deferred<void>();
	const go = deferred<void>();
	const holder = lastCommit(async (commit) => {
		reached.resolve();
		await go.promise;
		return store.writer.commit(commit);
	});
	const run = runtimeOn(store, quickEffects(), { writer: holder }).run(scanId);
	await reached.promise;
	return { run, go };
}

/** How the journal says that the scan ended; exactly once, where all is well. */
async function ends(scanId: string): Promise<string[]> {
	const journal = await store.reader.journal(scanId, 0, 1_000);
	assert.equal(
		journal.map(({ seq }) => seq),
		journal.map((_, i) => i + 1),
		"the journal has no hole",
	);
	return journal.map(({ type }) => type).filter((type) => /^scan\.(completed|failed|cancelled)$/.test(type));
}

races("cancel against completion: the completion is committed right before the cancel is sent", async () => {
	const scanId = await acceptedScan(store);
	const { run, go } = await beforeItsLastCommit(scanId);
	const canceller: ScanWriter = {
		...store.writer,
		async send(id, event) {
			go.resolve();
			await untilRecord(store, scanId, ({ terminal }) => terminal);
			return store.writer.send(id, event);
		},
	};
	assert.is(await codeOf(cancel(scanId, canceller)), "scan_already_terminal");
	assert.is(await run, "ended");
	assert.equal(await ends(scanId), ["scan.completed"]);
});

races("cancel against completion: the completion is committed between the cancel's claim and its commit", async () => {
	const scanId = await acceptedScan(store);
	const { run, go } = await beforeItsLastCommit(scanId);
	const late = deferred<void>();
	const canceller: ScanWriter = {
		...store.writer,
		async commit(commit) {
			go.resolve();
			await late.promise;
			return store.writer.commit(commit);
		},
	};
	const answer = cancel(scanId, canceller);
	assert.is(await run, "fenced", "the claim of the cancel has raised the epoch");
	assert.is((await recordOf(store, scanId)).terminal, false);
	late.resolve();
	assert.is((await answer).reason, "admin_request");
	assert.equal(await ends(scanId), ["scan.cancelled"]);
});

races("cancel against completion: the cancel is committed while the completion is on its way", async () => {
	const scanId = await acceptedScan(store);
	const { run, go } = await beforeItsLastCommit(scanId);
	assert.is((await cancel(scanId)).reason, "admin_request");
	const before = await recordOf(store, scanId);
	go.resolve();
	assert.is(await run, "fenced");
	assert.equal(await recordOf(store, scanId), before);
	assert.equal(await ends(scanId), ["scan.cancelled"]);
});

races("cancel against completion: the completion is committed, its reply is lost, and the cancel comes", async () => {
	const scanId = await acceptedScan(store);
	let sent = 0;
	const holder = lastCommit(async (commit) => {
		sent += 1;
		const answer = await store.writer.commit(commit);
		if (sent > 1) return answer;
		assert.is(await codeOf(cancel(scanId)), "scan_already_terminal");
		throw new Error("Connection is closed.");
	});
	assert.is(await runtimeOn(store, quickEffects(), { writer: holder }).run(scanId), "ended");
	assert.is(sent, 2, "the same commit is sent again and recognised");
	assert.equal(await ends(scanId), ["scan.completed"]);
});

races("cancel against completion: the canceller dies between its claim and its commit", async () => {
	const scanId = await acceptedScan(store);
	const { run, go } = await beforeItsLastCommit(scanId);
	const dying: ScanWriter = {
		...store.writer,
		async commit() {
			go.resolve();
			throw new Error("Connection is closed.");
		},
	};
	assert.is.not(await codeOf(cancel(scanId, dying)), "ok", "nothing is told that is not so");
	assert.is(await run, "fenced");
	assert.is((await recordOf(store, scanId)).terminal, false);
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
	assert.equal(await ends(scanId), ["scan.cancelled"], "the next holder finds the cancel in the inbox");
});

races("two claims at once: of ten processes one gets the scan, whoever comes first", async () => {
	const scanId = await acceptedScan(store);
	const others = await Promise.all(Array.from({ length: 10 }, () => redis.store()));
	const claims = await Promise.all(
		others.map(({ writer }, i) => writer.claim(scanId, `worker-${i}`, randomUUID(), 60_000, "normal")),
	);
	assert.is(claims.filter(({ kind }) => kind === "granted").length, 1);
	assert.is(claims.filter(({ kind }) => kind === "held").length, 9);
	const { epoch, worker_id } = await recordOf(store, scanId);
	assert.is(epoch, 1);
	const winner = claims.findIndex(({ kind }) => kind === "granted");
	assert.is(worker_id, `worker-${winner}`);
	await Promise.all(others.map((other) => other.close()));
});

races("two claims at once: the second comes while the first runs, and runs nothing", async () => {
	const scanId = await acceptedScan(store);
	const effects = quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) });
	const first = runtimeOn(store, effects);
	const run = first.run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	const before = await recordOf(store, scanId);
	let ran = 0;
	const counting = quickEffects({
		fetchPortfolio(context) {
			ran += 1;
			return quickEffects().fetchPortfolio(context);
		},
	});
	assert.is(await runtimeOn(store, counting).run(scanId), "held");
	assert.is(ran, 0);
	assert.is((await recordOf(store, scanId)).epoch, before.epoch);
	await first.handOver();
	assert.is(await run, "released");
});

races("two claims at once: the lease ends between a holder's transition and its commit", async () => {
	const scanId = await acceptedScan(store);
	const runs: string[] = [];
	const effects = (who: string) =>
		quickEffects({
			evaluateStrategy(effect, context) {
				runs.push(`${who} ${effect.strategy_id}`);
				return quickEffects().evaluateStrategy(effect, context);
			},
		});
	const reached = deferred<void>();
	const go = deferred<void>();
	const answers: string[] = [];
	/** Stands still for longer than its lease with a commit in hand, and does not notice (its heartbeats are not sent). */
	const slow: ScanWriter = {
		...store.writer,
		heartbeat: () => new Promise(() => {}),
		now: () => heldAtMs ?? store.writer.now(),
		async commit(commit) {
			const reports = commit.entries.some(({ type }) => type === "strategy.settled");
			if (!reports) return store.writer.commit(commit);
			heldAtMs = store.writer.now();
			reached.resolve();
			await go.promise;
			const answer = await store.writer.commit(commit);
			answers.push(answer);
			return answer;
		},
	};
	let heldAtMs: number | null = null;
	const settings = { lease_ms: 300, heartbeat_ms: 100 };
	const first = runtimeOn(store, effects("first"), { writer: slow, settings });
	const firstRun = first.run(scanId);
	await reached.promise;
	await untilLeaseIsOver(store, scanId);
	assert.is(await runtimeOn(store, effects("second")).run(scanId), "ended");
	const before = await recordOf(store, scanId);
	go.resolve();
	assert.ok(["fenced", "given_up"].includes(await firstRun));
	assert.ok(
		answers.every((answer) => answer === "fenced"),
		answers.join(),
	);
	assert.equal(await recordOf(store, scanId), before, "the late commit changes nothing");
	assert.equal(await ends(scanId), ["scan.completed"]);
	assert.is(before.context.resumes, 1);
	assert.is(runs.filter((line) => line.startsWith("second")).length, 3, "what was not committed runs again");
});

races("two claims at once: the same claim sent twice, with another one in between", async () => {
	const scanId = await acceptedScan(store);
	const nonce = randomUUID();
	const first = await store.writer.claim(scanId, "a", nonce, 60_000, "normal");
	const between = await store.writer.claim(scanId, "b", randomUUID(), 60_000, "normal");
	const again = await store.writer.claim(scanId, "a", nonce, 60_000, "normal");
	assert.equal([first.kind, between.kind, again.kind], ["granted", "held", "granted"]);
	assert.is((await recordOf(store, scanId)).epoch, 1);
});

races.run();
