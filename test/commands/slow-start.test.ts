import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanStore } from "../../src/store/index.ts";
import type { NewScan, ScanWriter, StartClaim } from "../../src/store/write-contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandDeps, commandsOn, startRequest, viewer } from "../support/system.ts";
import { within } from "../support/wait.ts";

const test = suite("a start that stood still");

let redis: TestRedis;
let store: ScanStore;
test.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
test.after(() => redis.close());

const noQueue = async () => {};

/** The store of a process that is frozen right before its first claim, until a sweeper has dropped its record. */
function frozenOnce(): { writer: ScanStore["writer"]; dropped: string[] } {
	const dropped: string[] = [];
	const decideStart = async (claim: StartClaim) => {
		if (dropped.length === 0) {
			assert.ok(await store.writer.drop(claim.scan_id));
			dropped.push(claim.scan_id);
		}
		return store.writer.decideStart(claim);
	};
	const begin = async (scan: NewScan, claim: StartClaim) => {
		await store.writer.create(scan);
		return decideStart(claim);
	};
	return { writer: { ...store.writer, decideStart, begin }, dropped };
}

test("no id of a dropped record is told; the start makes another scan", async () => {
	const { writer, dropped } = frozenOnce();
	const { scan_id, decision } = await commandsOn(store, noQueue, { writer }).startScan(viewer(1), startRequest());
	assert.is(decision, "created");
	assert.not.ok(dropped.includes(scan_id));
	assert.is((await store.reader.read(scan_id))?.position, "queued");
	assert.is((await store.writer.activeScan(viewer(1).user_id, "all"))?.scan_id, scan_id);
});

test("what it would have superseded does not run on beside the new scan", async () => {
	const settings = { ...commandDeps(store, noQueue).settings, force_join_ms: 0 };
	const plain = commandsOn(store, noQueue);
	const old = await plain.startScan(viewer(2), startRequest());
	const { writer } = frozenOnce();
	const patient = commandsOn(store, noQueue, { writer, settings });
	const forced = await patient.startScan(viewer(2), startRequest({ force_refresh: true }));
	assert.is.not(forced.scan_id, old.scan_id);
	assert.is((await store.reader.read(old.scan_id))?.position, "cancelled");
	assert.is((await store.reader.read(forced.scan_id))?.terminal, false);
});

test("a claim that was carried out before its record was there is given up with its id", async () => {
	let begun: StartClaim | undefined;
	const begin: ScanWriter["begin"] = async (scan, claim) => {
		if (begun) return store.writer.begin(scan, claim);
		begun = claim;
		// A server that has just forgotten its scripts and learned one of the two again.
		const client = new Redis(redis.connection);
		await client.script("FLUSH");
		client.disconnect();
		await store.writer.decideStart({ ...claim, filter_key: "another" });
		assert.is(await store.writer.begin(scan, claim), null);
		assert.is(await store.writer.activeScan(claim.user_id, claim.filter_key), null);
		assert.is(await store.writer.accept(claim.scan_id), false);
		return null;
	};
	const commands = commandsOn(store, noQueue, { writer: { ...store.writer, begin } });
	const { scan_id, decision } = await commands.startScan(viewer(3), startRequest());
	assert.is(decision, "created");
	assert.is.not(scan_id, begun?.scan_id);
	assert.is((await store.reader.read(scan_id))?.position, "queued");
});

test("a start that is given up takes nothing from the process that has finished it", async () => {
	let held: StartClaim | undefined;
	const begin: ScanWriter["begin"] = async (scan, claim) => {
		if (held) return store.writer.begin(scan, claim);
		held = claim;
		await store.writer.create(scan);
		await store.writer.decideStart(claim);
		assert.ok(await store.writer.accept(claim.scan_id));
		// As above, so that this process cannot tell whether its record was there before its claim.
		const client = new Redis(redis.connection);
		await client.script("FLUSH");
		client.disconnect();
		await store.writer.decideStart({ ...claim, filter_key: "yet another" });
		assert.is(await store.writer.begin(scan, claim), null);
		return null;
	};
	const commands = commandsOn(store, noQueue, { writer: { ...store.writer, begin } });
	const { scan_id, decision } = await commands.startScan(viewer(5), startRequest());
	assert.equal([decision, scan_id], ["joined", held?.scan_id]);
	assert.is((await store.reader.read(scan_id))?.position, "queued");
	assert.is((await store.writer.activeScan(viewer(5).user_id, String(held?.filter_key)))?.scan_id, scan_id);
});

test("a record that cannot be written leaves no claim behind", async () => {
	const input = startRequest({ filter_key: "refused" });
	let refused: StartClaim | undefined;
	const begin: ScanWriter["begin"] = async (scan, claim) => {
		refused = claim;
		// The id is another owner's already.
		await store.writer.create({ ...scan, owner: "somebody else" });
		return store.writer.begin(scan, claim);
	};
	const commands = commandsOn(store, noQueue, { writer: { ...store.writer, begin } });
	const failed = await commands.startScan(viewer(4), input).then(
		() => null,
		(error: Error) => error.message,
	);
	assert.match(String(failed), /is taken/);
	assert.is(await store.writer.activeScan(viewer(4).user_id, "refused"), null);
	assert.ok(refused);
});

test("a start is queued while its record is being accepted, and answered after both", async () => {
	const accepted = deferred<void>();
	const [queued, order] = [deferred<void>(), [] as string[]];
	const writer = {
		...store.writer,
		async accept(scanId: string) {
			await accepted.promise;
			const known = await store.writer.accept(scanId);
			order.push("accepted");
			return known;
		},
	};
	const commands = commandsOn(
		store,
		async () => {
			order.push("queued");
			queued.resolve();
		},
		{ writer },
	);
	const starting = commands.startScan(viewer(9), startRequest()).then((started) => {
		order.push("answered");
		return started;
	});
	await within(queued.promise, "the queue, which does not wait for the record", 5_000);
	accepted.resolve();
	const { scan_id } = await starting;
	assert.equal(order, ["queued", "accepted", "answered"]);
	assert.is((await store.reader.read(scan_id))?.position, "queued");
});

test.run();
