import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandsOn, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const cancel = suite("runtime: what a cancel leaves in the journal");

let redis: TestRedis;
let store: ScanStore;
let users = 700;

cancel.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
cancel.after(async () => {
	await redis.close();
});

const noQueue = async () => {};

async function accepted(): Promise<string> {
	users += 1;
	return (await commandsOn(store, noQueue).startScan(viewer(users), startRequest())).scan_id;
}

async function until(scanId: string, wanted: (found: ScanRecord) => boolean): Promise<void> {
	const signal = AbortSignal.timeout(10_000);
	for (let found = await store.reader.read(scanId); !found || !wanted(found); found = await store.reader.read(scanId)) {
		if (signal.aborted) throw new Error(`waited in vain: ${found?.position}`);
		await store.reader.nextCommit(scanId, 200, signal);
	}
}

cancel("why somebody cancelled is in the journal, whether the holder or another process ended the scan", async () => {
	const commands = commandsOn(store, noQueue);
	const reasonOf = async (scanId: string) =>
		(await store.reader.journal(scanId, 0, 1_000)).find(({ type }) => type === "scan.cancel_requested")?.payload;
	const held = await accepted();
	const owner = viewer(users);
	const run = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) }));
	const stopListening = store.writer.onInbox((scanId) => run.lookAtInbox(scanId));
	const ended = run.run(held);
	await until(held, ({ position }) => position === "strategies_scan");
	await commands.cancelScan(owner, held, "Markets are closed");
	assert.is(await ended, "ended");
	stopListening();
	const by = owner.user_id;
	assert.equal(await reasonOf(held), { by, reason: "user_request", reason_text: "Markets are closed" });
	const waiting = await accepted();
	await commands.cancelScan(viewer(users), waiting, "Not now");
	assert.is((await reasonOf(waiting))?.reason_text, "Not now");
	const silent = await accepted();
	await commands.cancelScan(viewer(users), silent);
	assert.not.ok("reason_text" in ((await reasonOf(silent)) ?? {}), "nothing is said where nothing was");
});

cancel.run();
