/** Summaries of phases have fields of their own; records that hold them in the snapshot go on as they are. */
import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanEvent } from "../../machines/events.ts";
import { type RankingSummary, SCAN_MACHINE_ID, type ScanContext } from "../../machines/types.ts";
import { begin, step } from "../../src/runtime/scan-host.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { Damage } from "../../src/store/salvage.ts";
import { decodeContext, encodeContext } from "../../src/store/scan-codec.ts";
import { deferred } from "../effects/fake-clock.ts";
import { sampleRecord } from "../support/records.ts";
import { planned, scanInput, T0 } from "../support/scan-input.ts";
import { assetsDiscovered, claimed, portfolioFetched, report, reported, resumed } from "../support/scan-walk.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandsOn, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";
import { within } from "../support/wait.ts";

const test = suite("summaries");

let redis: TestRedis;
test.before(async () => {
	redis = await startTestRedis();
});
test.after(() => redis.close());

const ranking = (cut: Record<string, string[]>): RankingSummary => ({
	ranked_count: 1,
	unproven_count: 0,
	cut,
	recommendations_count: 0,
	recommendations: "skipped",
	duration_ms: 1,
});

const SUMMARIES = ["portfolio", "assets", "ranking"] as const;

/** The fields of a scan as they were written when all but input and strategies stood in the snapshot. */
function inOldForm(fields: Record<string, string>): Record<string, string> {
	const snapshot = JSON.parse(fields.snapshot ?? "{}");
	const old: Record<string, string> = {};
	for (const [name, text] of Object.entries(fields)) {
		if (name === "k:claim") Object.assign(snapshot, JSON.parse(text));
		else if (name.startsWith("k:")) snapshot[name.slice(2)] = JSON.parse(text);
		else old[name] = text;
	}
	for (const name of SUMMARIES) snapshot[name] ??= null;
	return { ...old, snapshot: JSON.stringify(snapshot) };
}

test("strategies that begin together have one field until each has more to say", () => {
	const scan = scanInput({
		strategies: planned(4).map((plan, i) => (i === 2 ? { ...plan, skip: "disabled_by_policy" } : plan)),
	});
	let { state } = begin(scan);
	let stored = encodeContext(null, state.context);
	const take = (event: ScanEvent): string[] => {
		const next = step(state, event);
		if (!next) throw new Error(`${event.type} changed nothing`);
		const written = encodeContext(state.context, next.state.context);
		stored = { ...stored, ...written };
		state = next.state;
		const read = decodeContext(scan.scan_id, { ...stored, input: JSON.stringify(scan) });
		assert.equal({ ...read }, JSON.parse(JSON.stringify(state.context)));
		return Object.keys(written).filter((name) => name.startsWith("s:"));
	};
	take(claimed(T0 + 10));
	take(portfolioFetched(T0 + 20));
	assert.equal(take(assetsDiscovered(T0 + 30)), ["s:begun", "s:2"]);
	const [first] = state.context.strategies;
	if (!first) throw new Error("no strategy");
	assert.equal(take(reported(T0 + 40, report(first, "found"))), ["s:0"]);
	assert.equal(take(resumed(T0 + 50)), ["s:1", "s:3"]);
	// All have a field of their own now, so that their ids outlive the plan.
	const { input: _lost, ...fields } = stored;
	const damaged = decodeContext(scan.scan_id, { ...fields, input: "{" });
	assert.equal(
		damaged.strategies.map(({ strategy_id }) => strategy_id),
		state.context.strategies.map(({ strategy_id }) => strategy_id),
	);
});

test("strategies that are settled together have one field, and what is cut or damaged later is told by their own", () => {
	const scan = scanInput({ strategies: planned(4) });
	let { state } = begin(scan);
	let stored = encodeContext(null, state.context);
	const take = (event: ScanEvent): string[] => {
		const before = state.context;
		const next = step(state, event);
		if (!next) throw new Error(`${event.type} changed nothing`);
		state = next.state;
		const written = encodeContext(before, state.context);
		stored = { ...stored, ...written };
		assert.equal({ ...decodeContext(scan.scan_id, stored) }, JSON.parse(JSON.stringify(state.context)));
		return Object.keys(written).filter((name) => name.startsWith("s:"));
	};
	for (const event of [claimed(T0 + 10), portfolioFetched(T0 + 20), assetsDiscovered(T0 + 30)]) take(event);
	const [a, b, c, d] = state.context.strategies;
	if (!a || !b || !c || !d) throw new Error("no strategies");
	assert.equal(take(reported(T0 + 35, report(b, "progress"))), ["s:1"]);
	assert.equal(take(reported(T0 + 40, report(a, "found"), report(b, "found"), report(c, "progress"))), [
		"s:settled:0",
		"s:2",
	]);
	assert.equal(take(reported(T0 + 50, report(c, "degraded"), report(d, "fatal"))), ["s:settled:2"]);
	const cut = { [a.strategy_id]: [`${a.strategy_id}#row`] };
	assert.equal(take({ type: "ranking.completed", at_ms: T0 + 60, ranking: ranking(cut) }), ["s:0"]);
	// The ids outlive the plan, and a field that cannot be read is named and leaves what was known before.
	const lost = decodeContext(scan.scan_id, { ...stored, input: "{" });
	assert.equal(
		lost.strategies.map(({ strategy_id, verdict }) => [strategy_id, verdict]),
		state.context.strategies.map(({ strategy_id, verdict }) => [strategy_id, verdict]),
	);
	for (const text of ["{", "[]", '{"places":[0],"by":3}', '{"places":["x"],"by":[1]}', '{"places":[0,1],"by":null}']) {
		const damage = new Damage(SCAN_MACHINE_ID);
		const { strategies } = decodeContext(scan.scan_id, { ...stored, "s:settled:2": text }, damage);
		assert.equal(damage.fields, ["s:settled:2"]);
		assert.equal(
			strategies.map(({ verdict }) => verdict),
			["ok_found", "ok_found", null, null],
		);
	}
});

test("both forms are read alike, and each summary is written once", () => {
	const { context, scan_id } = sampleRecord();
	const fields = encodeContext(null, context);
	for (const name of SUMMARIES) {
		assert.ok(context[name], name);
		assert.equal(JSON.parse(fields[`k:${name}`] ?? "null"), context[name]);
		assert.not.ok(name in JSON.parse(fields.snapshot ?? "{}"));
	}
	const plain = JSON.parse(JSON.stringify(context));
	const { input } = plain;
	assert.equal({ ...decodeContext(scan_id, { ...fields, input: JSON.stringify(input) }) }, plain);
	assert.equal({ ...decodeContext(scan_id, { ...inOldForm(fields), input: JSON.stringify(input) }) }, plain);
	const later = encodeContext(context, { ...context, now_ms: context.now_ms + 1 });
	assert.equal(Object.keys(later), ["snapshot"]);
});

/** A scan in the middle of its strategies that its worker has let go, stored as an older build did. */
async function begunByAnOlderBuild(store: ScanStore, client: Redis, user: number) {
	const { scan_id } = await commandsOn(store, async () => {}).startScan(viewer(user), startRequest());
	const evaluating = deferred<void>();
	const hanging = quickEffects({
		evaluateStrategy(_, context) {
			evaluating.resolve();
			return never(context.signal);
		},
	});
	const first = runtimeOn(store, hanging);
	const run = first.run(scan_id);
	await within(evaluating.promise, "the strategies");
	await first.handOver();
	assert.is(await run, "released");
	const key = scanKeys(scan_id).scan;
	const before = (await store.reader.read(scan_id))?.context;
	const old = inOldForm(await client.hgetall(key));
	await client.hdel(key, "k:portfolio", "k:assets", "k:claim");
	await client.hset(key, old);
	assert.equal((await store.reader.read(scan_id))?.context, before);
	return { scan_id, key, before };
}

test("a scan that an older build began keeps what it said when it is ended without a claim of its own", async () => {
	const store = await redis.store();
	const client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
	const { scan_id, before } = await begunByAnOlderBuild(store, client, 2);
	await commandsOn(store, async () => {}).cancelScan(viewer(2), scan_id);
	const after = await store.reader.read(scan_id);
	client.disconnect();
	assert.is(after?.position, "cancelled");
	const said = ({ worker_id, claimed_at_ms, attempt, portfolio }: ScanContext) => [
		worker_id,
		claimed_at_ms,
		attempt,
		portfolio,
	];
	assert.ok(before?.worker_id);
	assert.equal(said(after?.context as ScanContext), said(before as ScanContext));
});

test("a scan that an older build began keeps its summaries when this one goes on", async () => {
	const store = await redis.store();
	const client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
	const { scan_id, key, before } = await begunByAnOlderBuild(store, client, 1);
	assert.is(await runtimeOn(store, quickEffects()).run(scan_id), "ended");
	const after = (await store.reader.read(scan_id))?.context;
	assert.equal([after?.portfolio, after?.assets], [before?.portfolio, before?.assets]);
	assert.is(after?.ranking?.ranked_count, 3);
	assert.equal(JSON.parse((await client.hget(key, "k:portfolio")) ?? "null"), before?.portfolio);
	client.disconnect();
});

test.run();
