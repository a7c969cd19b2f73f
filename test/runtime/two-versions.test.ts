import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SCAN_MACHINE_ID } from "../../machines/types.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { type Migration, versionsOf } from "../../src/store/migrations.ts";
import type { NewScan, ScanWriter } from "../../src/store/write-contract.ts";
import { checkState } from "../support/invariants.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf, rememberingLog, untilRecord, watchdogOn } from "../support/stuck.ts";
import { commandsOn, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

/** Two versions of the program over one Redis (I13). */
const versions = suite("runtime: two versions side by side");

let redis: TestRedis;
let store: ScanStore;

versions.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
versions.after(async () => {
	await redis.close();
});

const hang = ({ signal }: { signal: AbortSignal }) => never(signal);

/** A program of another version over the same Redis: what it starts carries its own machine id. */
async function program(machine: string, migrations: readonly Migration[] = []) {
	const own = await redis.store({ versions: versionsOf(machine, migrations) });
	const marked = (scan: NewScan): NewScan => ({ ...scan, scan: { ...scan.scan, machine } });
	const begin: ScanWriter["begin"] = (scan, claim) => own.writer.begin(marked(scan), claim);
	const { log, told } = rememberingLog();
	const workers = [1, 2].map((n) => runtimeOn(own, quickEffects(), { workerId: `${machine}-worker-${n}`, log }));
	return {
		machine,
		store: own,
		told,
		workers,
		watchdogs: workers.map((runtime) => watchdogOn(own, runtime, { log }).watchdog),
		commands: commandsOn(own, async () => {}, { writer: { ...own.writer, begin } }),
	};
}

versions("two versions side by side under load: each leaves the other's scans alone and ends its own", async () => {
	const [older, newer] = [await program(SCAN_MACHINE_ID), await program("scan.v2")];
	const both = [older, newer];
	const scans = await Promise.all(
		Array.from({ length: 40 }, async (_, i) => {
			const owner = i % 2 ? newer : older;
			const { scan_id } = await owner.commands.startScan(viewer(50_000 + i), startRequest());
			return { scan_id, owner };
		}),
	);
	const watching = both.flatMap(({ watchdogs }) => watchdogs).map((watchdog) => watchdog.pass());
	// The queue knows no versions: every worker is offered every scan.
	const answers = await Promise.all(
		scans.map(async ({ scan_id, owner }) => {
			const offered = both.flatMap((each) =>
				each.workers.map(async (worker) => ({ each, answer: await worker.run(scan_id) })),
			);
			return { owner, answers: await Promise.all(offered) };
		}),
	);
	await Promise.all(watching);
	for (const { owner, answers: given } of answers) {
		for (const { each, answer } of given) {
			const expected = each === owner ? ["ended", "held"] : ["foreign", "ended"];
			assert.ok(expected.includes(answer), `${each.machine} answered ${answer} to a scan of ${owner.machine}`);
		}
		assert.ok(given.some(({ each, answer }) => each === owner && answer === "ended"));
	}
	for (const { scan_id, owner } of scans) {
		const record = await recordOf(owner.store, scan_id);
		checkState({ ...record, ended: record.terminal });
		assert.equal([record.position, record.machine, record.epoch], ["completed", owner.machine, 1]);
		const journal = await owner.store.reader.journal(scan_id, 0, 1_000);
		assert.equal(
			journal.map(({ seq }) => seq),
			journal.map((_, i) => i + 1),
		);
		const held = journal.map(({ payload }) => payload.worker_id).filter((id) => id !== undefined);
		assert.ok(held.length > 0);
		for (const worker of held) assert.match(String(worker), `${owner.machine}-worker-`);
	}
	for (const { told } of both) assert.not.ok(told.some(({ level }) => level === "error"));
});

versions("a roll-out: the newer version takes over what the older one gives back, never the other way", async () => {
	const stays: Migration = { from: SCAN_MACHINE_ID, to: "scan.v2", migrate: () => ({}) };
	const newer = await program("scan.v2", [stays]);
	const older = runtimeOn(store, quickEffects({ evaluateStrategy: (_, context) => hang(context) }));
	const ids = await Promise.all(Array.from({ length: 8 }, () => acceptedScan(store)));
	const runs = ids.map((scanId) => older.run(scanId));
	for (const scanId of ids) await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	await older.handOver();
	assert.equal(new Set(await Promise.all(runs)), new Set(["released"]));
	const hanging = runtimeOn(newer.store, quickEffects({ rankOpportunities: hang }));
	const first = ids[0] ?? "";
	const ran = hanging.run(first);
	await untilRecord(newer.store, first, ({ position }) => position === "ranking");
	await hanging.handOver();
	await ran;
	assert.is(await runtimeOn(store, quickEffects()).run(first), "foreign", "once migrated it is not taken back");
	for (const scanId of ids) {
		assert.is(await newer.workers[0]?.run(scanId), "ended");
		const record = await recordOf(newer.store, scanId);
		assert.equal([record.position, record.machine, record.migrated_from], ["completed", "scan.v2", SCAN_MACHINE_ID]);
	}
});

versions.run();
