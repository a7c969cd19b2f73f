import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CommandDeps } from "../../src/commands/deps.ts";
import { createStartMemory } from "../../src/commands/start-memory.ts";
import { ApiError } from "../../src/errors.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { ScanWriter, StartClaim } from "../../src/store/write-contract.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandDeps, commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const start = suite("commands: what a start decides, and in which order");

let redis: TestRedis;
let store: ScanStore;
let users = 1_100;

start.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
start.after(async () => {
	await redis.close();
});

const noQueue = async () => {};
const FULL = { queued: async () => 1_000 };
/** A place in a process whose runs are none of these tests' business. */
const reserve = () => ({ taker: { worker_id: "w", nonce: "n", lease_ms: 60_000 }, run: () => {}, leave: () => {} });
const next = () => {
	users += 1;
	return viewer(users);
};

async function refusal(work: Promise<unknown>): Promise<ApiError> {
	const error = await work.then(() => null).catch((reason: unknown) => reason);
	assert.instance(error, ApiError);
	return error as ApiError;
}

start("a full queue refuses new scans, but neither a recent result nor joining a running one", async () => {
	const [me, other] = [next(), next()];
	const { scan_id } = await commandsOn(store, noQueue).startScan(me, startRequest());
	const full = commandsOn(store, noQueue, FULL);
	const joined = await full.startScan(me, startRequest());
	assert.equal([joined.decision, joined.scan_id], ["joined", scan_id]);
	await runtimeOn(store, quickEffects()).run(scan_id);
	const cached = await full.startScan(me, startRequest());
	assert.equal([cached.decision, cached.scan_id], ["cached", scan_id]);
	const refused = await refusal(full.startScan(other, startRequest()));
	assert.is(refused.code, "overloaded");
	assert.is(refused.extra.retry_after_seconds, 5);
	assert.equal(await store.reader.listByUser(other.user_id, 0, 10), [], "nothing is left of a refused start");
});

start(
	"one that ended and is not booked yet is a recent result too, with a full queue and without a second record",
	async () => {
		for (const full of [FULL, {}]) {
			const me = next();
			const { scan_id } = await commandsOn(store, noQueue).startScan(me, startRequest());
			await runtimeOn(store, quickEffects(), { onEnded: async () => {} }).run(scan_id);
			const again = await commandsOn(store, noQueue, full).startScan(me, startRequest());
			assert.equal([again.decision, again.scan_id], ["cached", scan_id]);
			assert.is((await store.reader.listByUser(me.user_id, 0, 10)).length, 1);
		}
	},
);

start("what would need a new scan is refused by a full queue, however recent the old result", async () => {
	const me = next();
	const { scan_id } = await commandsOn(store, noQueue).startScan(me, startRequest());
	await runtimeOn(store, quickEffects()).run(scan_id);
	const full = (overrides: Partial<CommandDeps> = {}) => commandsOn(store, noQueue, { ...FULL, ...overrides });
	const codeOf = async (work: Promise<unknown>) => (await refusal(work)).code;
	assert.is(await codeOf(full().startScan(me, startRequest({ force_refresh: true }))), "overloaded");
	assert.is(await codeOf(full().startScan(me, startRequest({ filter_key: "other" }))), "overloaded");
	const { settings, profileOf } = commandDeps(store, noQueue);
	const stale = full({ settings: { ...settings, fresh_ms: 0 } });
	assert.is(await codeOf(stale.startScan(me, startRequest())), "overloaded");
	const owned = full({
		profileOf: (account, version) => ({ ...profileOf(account, version), strategy_fingerprint: "another" }),
	});
	assert.is(await codeOf(owned.startScan(me, startRequest())), "overloaded", "other strategies are another question");
});

start("an idle process asks again after a second, and refuses what a full queue refuses from then on", async () => {
	const clock = { at_ms: 0, now: () => clock.at_ms };
	const memory = createStartMemory({ clock, idle: () => true, like_ms: 60_000 });
	let queued = 999;
	const commands = commandsOn(store, noQueue, { memory, waiting: async () => 0, queued: async () => queued, reserve });
	await commands.startScan(next(), startRequest());
	queued = 1_000;
	clock.at_ms += 999;
	await commands.startScan(next(), startRequest());
	clock.at_ms += 1;
	for (let again = 0; again < 2; again++)
		assert.is((await refusal(commands.startScan(next(), startRequest()))).code, "overloaded");
	queued = 999;
	clock.at_ms += 1;
	await commands.startScan(next(), startRequest());
	assert.is(memory.mayBegin("u", "k"), true);
});

start("a start that finds no place in an idle process asks, and is refused by a full queue", async () => {
	const memory = createStartMemory({ clock: { now: () => 0 }, idle: () => true, like_ms: 60_000 });
	memory.learn(true, 0);
	const commands = commandsOn(store, noQueue, { ...FULL, memory, waiting: async () => 0, reserve: () => null });
	const me = next();
	assert.is((await refusal(commands.startScan(me, startRequest()))).code, "overloaded");
	assert.equal(await store.reader.listByUser(me.user_id, 0, 10), []);
});

start("a start that breaks before it has made a record gives its place back", async () => {
	const left: string[] = [];
	const place = (scanId: string) => ({ ...reserve(), leave: () => void left.push(scanId) });
	const broken = {
		...commandDeps(store, noQueue).projections,
		lifecycleFields(): never {
			throw new Error("a defect");
		},
	};
	const commands = commandsOn(store, noQueue, { reserve: place, waiting: async () => 0, projections: broken });
	const error = await commands.startScan(next(), startRequest()).then(
		() => null,
		(reason: Error) => reason.message,
	);
	assert.equal([error, left.length], ["a defect", 1]);
});

start("an id whose claim was freed while its start was sent again is given up for another", async () => {
	const me = next();
	const claims: StartClaim[] = [];
	const writer: ScanWriter = {
		...store.writer,
		async begin(scan, claim) {
			claims.push(claim);
			const decided = await store.writer.begin(scan, claim);
			if (claims.length > 1) return decided;
			await store.writer.forget(me.user_id, claim.filter_key, claim.scan_id);
			return await store.writer.decideStart(claim);
		},
	};
	const { decision, scan_id } = await commandsOn(store, noQueue, { writer }).startScan(me, startRequest());
	const [first, second] = claims;
	assert.ok(first && second);
	assert.equal([decision, scan_id], ["created", second.scan_id]);
	assert.equal(await store.reader.listByUser(me.user_id, 0, 10), [scan_id]);
	assert.is(await store.writer.accept(first.scan_id), false, "its record went");
	assert.is.not(await store.reader.expiredAt(me.user_id, first.scan_id), null);
	const forced = await store.writer.decideStart({ ...first, force: true, force_join_ms: 0 });
	assert.is(forced.decision, "given_up");
	assert.is((await store.writer.activeScan(me.user_id, first.filter_key))?.scan_id, scan_id);
});

/** The store, but with something happening between the claim's move and the old scan's cancel. */
const meanwhile = (event: (old: string) => Promise<void>): ScanWriter => ({
	...store.writer,
	async decideStart(claim) {
		const decided = await store.writer.decideStart(claim);
		if (decided.decision === "superseded") await event(decided.detail);
		return decided;
	},
});

start("a scan that completed before its cancel came is not called superseded", async () => {
	const me = next();
	const { scan_id: old } = await commandsOn(store, noQueue).startScan(me, startRequest());
	const writer = meanwhile(async (scanId) => void (await runtimeOn(store, quickEffects()).run(scanId)));
	const { settings } = commandDeps(store, noQueue);
	const commands = commandsOn(store, noQueue, { writer, settings: { ...settings, force_join_ms: 0 } });
	const second = await commands.startScan(me, startRequest({ force_refresh: true }));
	assert.equal([second.decision, second.superseded_scan_id], ["created", null]);
	assert.is.not(second.scan_id, old);
	const ended = await store.reader.read(old);
	assert.is(ended?.position, "completed", "its result stands");
	assert.is(ended?.context.end?.superseded_by, null);
});

start("starts that fail half-way through ending their predecessors leave none of them running", async () => {
	const me = next();
	const settings = { ...commandDeps(store, noQueue).settings, force_join_ms: 0 };
	const away = () => Promise.reject(new Error("Connection is closed."));
	const begin = (overrides: Partial<CommandDeps> = {}) =>
		commandsOn(store, noQueue, { settings, ...overrides }).startScan(me, startRequest({ force_refresh: true }));
	const failed = (work: Promise<unknown>) =>
		work.then(
			() => assert.unreachable(),
			() => undefined,
		);
	await begin();
	// The second cannot reach the first; the third ends what it takes over and cannot book it.
	await failed(begin({ writer: { ...store.writer, send: away } }));
	await failed(begin({ book: away }));
	const last = await begin();
	const older = (await store.reader.listByUser(me.user_id, 0, 10)).filter((scanId) => scanId !== last.scan_id);
	assert.is(older.length, 3);
	for (const scanId of older) assert.is((await store.reader.read(scanId))?.position, "cancelled", scanId);
	assert.is((await store.reader.read(last.scan_id))?.position, "queued");
});

start("one that somebody cancelled before is not called superseded either", async () => {
	const me = next();
	const { scan_id: old } = await commandsOn(store, noQueue).startScan(me, startRequest());
	const writer = meanwhile(async (scanId) => void (await commandsOn(store, noQueue).cancelScan(me, scanId)));
	const { settings } = commandDeps(store, noQueue);
	const commands = commandsOn(store, noQueue, { writer, settings: { ...settings, force_join_ms: 0 } });
	const second = await commands.startScan(me, startRequest({ force_refresh: true }));
	assert.equal([second.decision, second.superseded_scan_id], ["created", null]);
	assert.is((await store.reader.read(old))?.context.end?.reason, "user_request");
});

start.run();
