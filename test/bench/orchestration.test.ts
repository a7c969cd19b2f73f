/** What one scan costs in commands, bytes and transitions: figures that depend on no clock, so they may not grow. */
import { setTimeout as pause } from "node:timers/promises";
import { type Command, Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { strategyIds, trivialEffects } from "../../bench/orchestration/effects.ts";
import { createCommands, createStartMemory } from "../../src/commands.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { ROUNDS_EVERY_MS } from "../../src/store/rounds.ts";
import * as scripts from "../../src/store/scripts.ts";
import type { Commit } from "../../src/store/write-contract.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandDeps, runtimeOn, startRequest, viewer } from "../support/system.ts";

const test = suite("orchestration");

/** As of a process that starts scans all the time and has nothing of the queue in hand. */
const memory = createStartMemory({ clock: { now: () => performance.now() }, idle: () => true, like_ms: 60_000 });

interface Cost {
	scanId: string;
	commits: Commit[];
	/** Name of each command sent, scripts by their constant's name. */
	sent: string[];
	/** Of all commands sent, as the server receives them. */
	bytes: number;
}

const scriptNames = new Map(
	Object.entries(scripts).flatMap(([name, held]) => {
		if (typeof held === "function") return [];
		return [held.sha, held.urgent?.sha].filter((sha) => sha !== undefined).map((sha) => [sha, name] as const);
	}),
);

type Counted = Pick<Cost, "sent" | "bytes">;
let counted: Counted | null = null;
const original = Redis.prototype.sendCommand;

/** Before any client is made: each takes the method that it finds then. */
function countCommands(): void {
	Redis.prototype.sendCommand = function (command, ...rest) {
		if (counted === null) return original.call(this, command, ...rest);
		// As it goes over the wire: arguments stand behind their lengths, each on a line of its own.
		const written = String((command as Command).toWritable({}));
		const isScript = command.name === "evalsha" || command.name === "eval";
		const sha = written.split("\r\n", 5)[4] ?? "";
		counted.sent.push(isScript ? (scriptNames.get(sha) ?? "eval") : command.name);
		counted.bytes += Buffer.byteLength(written);
		return original.call(this, command, ...rest);
	};
}

/** Everything that this process sends to Redis while `work` runs. */
async function sentDuring(work: () => Promise<void>): Promise<Counted> {
	const held: Counted = { sent: [], bytes: 0 };
	counted = held;
	try {
		await work();
	} finally {
		counted = null;
	}
	return held;
}

type How = "unasked" | "asked" | "stored" | "elsewhere";

/**
 * @param how run by the process that has begun it, which asked nothing or asked before, or asked nothing for a user whose
 *   portfolio has to be fetched; or by another, which has to read it
 */
async function scanOn(store: ScanStore, n: number, how: How = "unasked"): Promise<Cost> {
	const commits: Commit[] = [];
	const commit: ScanStore["writer"]["commit"] = (one, told) => {
		commits.push(one);
		return store.writer.commit(one, told);
	};
	const watched: ScanStore = { ...store, writer: { ...store.writer, commit } };
	const { portfolioAtOnce, ...fetching } = trivialEffects;
	const runtime = runtimeOn(
		watched,
		{ ...fetching, ...(how !== "stored" && { portfolioAtOnce }) },
		{
			settings: { lease_ms: 60_000, heartbeat_ms: 20_000 },
		},
	);
	const runs: Promise<unknown>[] = [];
	const deps = commandDeps(store, async (scanId) => void runs.push(runtime.run(scanId)));
	const reserve = (scanId: string) => {
		const place = runtime.reserve(scanId);
		if (place) runs.push(place.answer);
		return place;
	};
	const account = await deps.accounts.byId("");
	if (!account) throw new Error("no account");
	const commands = createCommands({
		...deps,
		...(how === "elsewhere" ? {} : { reserve, waiting: async () => 0 }),
		...(how === "unasked" || how === "stored" ? { memory } : {}),
		accounts: { byId: async (user_id) => ({ ...account, user_id, strategy_ids: strategyIds }) },
		profileOf: (...given) => ({ ...deps.profileOf(...given), strategy_ids: strategyIds }),
		available: new Set(strategyIds),
	});
	let scanId = "";
	// Else what is done for many scans together would wait for a moment after the scan before.
	await pause(2 * ROUNDS_EVERY_MS);
	memory.learn(true, memory.now());
	const counted = await sentDuring(async () => {
		const request = startRequest({ filter_key: `costs-${n}`, include_strategy_recommendations: false });
		scanId = (await commands.startScan(viewer(n), request)).scan_id;
		assert.equal(await Promise.all(runs), ["ended"]);
	});
	return { scanId, commits, ...counted };
}

/** Rows once, payloads of the journal, and the two hashes that operators know, as they stand at the end, bytes. */
async function contentOf(store: ScanStore, client: Redis, scanId: string): Promise<number> {
	const { results, lifecycle, debug } = scanKeys(scanId);
	const hashes = await Promise.all([results, lifecycle, debug].map((key) => client.hgetall(key)));
	const journal = await store.reader.journal(scanId, 0, 1_000);
	const fields = hashes.flatMap((hash) => Object.entries(hash).flat());
	const payloads = journal.map(({ payload }) => JSON.stringify(payload));
	return [...fields, ...payloads].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
let cost: Cost;
let asked: Cost;
let stored: Cost;
let elsewhere: Cost;

const leastOf = (costs: readonly Cost[]): Cost =>
	costs.reduce((least, one) => (one.sent.length < least.sent.length ? one : least));

test.before(async () => {
	countCommands();
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
	// Scripts are loaded by the first scan.
	await scanOn(store, 1);
	// The cheapest of a few: what a process does from time to time (its clock, its totals) may fall into one of them,
	// and on a busy machine a report may come a turn late and take a commit of its own.
	const costs = [await scanOn(store, 2), await scanOn(store, 3), await scanOn(store, 4)];
	cost = leastOf(costs);
	const cheapestOf = async (how: How, users: readonly number[]): Promise<Cost> => {
		const made: Cost[] = [];
		for (const n of users) made.push(await scanOn(store, n, how));
		return leastOf(made);
	};
	asked = await cheapestOf("asked", [11, 12, 13]);
	elsewhere = await cheapestOf("elsewhere", [15, 16, 17]);
	stored = await cheapestOf("stored", [21, 22, 23]);
});

test.after(async () => {
	Redis.prototype.sendCommand = original;
	client.disconnect();
	await redis.close();
});

test("all that fourteen strategies report in one turn is one transition and one commit", async () => {
	// Assets, and all strategies with the ranking and the end that follow; claim and portfolio were made with the record.
	assert.is(cost.commits.length, 2);
	assert.is(
		cost.commits.reduce((sum, { events }) => sum + events.length, 0),
		3,
	);
	const journal = await store.reader.journal(cost.scanId, 0, 1_000);
	assert.is(journal.filter(({ type }) => type === "strategy.settled").length, 14);
	assert.ok(journal.length <= 61, `${journal.length} journal entries`);
});

test("a scan takes no more than seven scripts, heartbeats apart, and as few commands as before", () => {
	const called = scriptsOf(cost);
	assert.is(called.filter((name) => name === "COMMIT").length, 2, "what is sent is counted");
	assert.not(called.includes("ACCEPT"), "its first commit leaves at once, and accepts it");
	assert.ok(called.length <= 7, `${called.length} scripts: ${called.join(", ")}`);
	assert.ok(cost.sent.length <= 17, `${cost.sent.length} commands: ${cost.sent.join(", ")}`);
	assert.ok(asked.sent.length <= 19, `${asked.sent.length} commands: ${asked.sent.join(", ")}`);
});

const scriptsOf = ({ sent }: Cost): string[] => sent.filter((name) => /^[A-Z]/.test(name) && name !== "HEARTBEAT");

test("a scan whose portfolio has to be fetched costs one commit more", async () => {
	assert.is(stored.commits.length, 3);
	assert.is(scriptsOf(stored).length, scriptsOf(cost).length + 1);
	assert.ok(stored.sent.length <= 18, stored.sent.join(", "));
	const content = await contentOf(store, client, stored.scanId);
	assert.ok(stored.bytes <= 1.12 * content, `${stored.bytes} bytes sent for ${content} of content`);
	assert.ok(stored.bytes <= 38_700, `${stored.bytes} bytes sent`);
});

test("what is sent stays in proportion to what is recorded", async () => {
	const content = await contentOf(store, client, cost.scanId);
	// The context is written beside the content, what changes in a strategy's life more than once, and every word behind its length.
	assert.ok(cost.bytes <= 1.06 * content, `${cost.bytes} bytes sent for ${content} of content`);
	assert.ok(cost.bytes <= 37_000, `${cost.bytes} bytes sent`);
});

test("a scan that another process runs costs four scripts more, and stays in the same proportion", async () => {
	const scripts = scriptsOf(elsewhere);
	assert.ok(scripts.includes("CLAIM") && scripts.length <= scriptsOf(cost).length + 4, scripts.join(", "));
	const content = await contentOf(store, client, elsewhere.scanId);
	assert.ok(elsewhere.bytes <= 1.15 * content, `${elsewhere.bytes} bytes sent for ${content} of content`);
});

test("what is kept of a scan takes hardly more memory than its content", async () => {
	if (redis.kind === "memory") {
		process.stdout.write("  skipped: the embedded server does not measure its keys\n");
		return;
	}
	const content = await contentOf(store, client, cost.scanId);
	const sizes = await Promise.all(
		Object.values(scanKeys(cost.scanId)).map((key) => client.memory("USAGE", key, "SAMPLES", 0)),
	);
	const kept = sizes.reduce<number>((sum, bytes) => sum + Number(bytes ?? 0), 0);
	assert.ok(kept <= 1.25 * content, `${kept} bytes kept of ${content}`);
});

/** Every command that the server has executed, those of scripts included. */
async function calls(): Promise<number> {
	const text = await client.info("commandstats");
	return [...text.matchAll(/^cmdstat_(?!info:)[^:]+:calls=(\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

test("the server executes as few commands as before, those of scripts included", async () => {
	if (redis.kind === "memory") {
		process.stdout.write("  skipped: the embedded server does not count its commands\n");
		return;
	}
	const executed: number[] = [];
	for (let n = 5; n < 8; n++) {
		const before = await calls();
		await scanOn(store, n);
		executed.push((await calls()) - before);
	}
	assert.ok(Math.min(...executed) <= 74, `${executed.join(", ")} commands executed`);
});

test.run();
