import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { ApiError } from "../../src/errors.ts";
import { createQueries, type Queries } from "../../src/queries.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { ScanCommands } from "../../src/services.ts";
import type { ScanReader } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { commandsOn, listableRows, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

/**
 * Retention against readers: a scan expires between any two reads of the store that one question takes. The answer
 * is the whole one or 410 with its date, never a part of the scan, never 404, never an error of ours.
 */
const race = suite("queries: retention against readers");

const me = viewer(1);
let redis: TestRedis;
let store: ScanStore;
let client: Redis;
let scanId: string;
let other: string;

race.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
	scanId = await endedScan("all");
	other = await endedScan("other");
});
race.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

async function endedScan(filter_key: string): Promise<string> {
	const { scan_id } = await commandsOn(store, async () => {}).startScan(me, startRequest({ filter_key }));
	await runtimeOn(store, quickEffects(listableRows)).run(scan_id);
	return scan_id;
}

/** Lets the scan expire after `calls` reads of the store, or never; counts the reads. */
function expiringAfter(calls: number): { reader: ScanReader; made: () => number } {
	let made = 0;
	const counted = (name: keyof ScanReader): unknown => {
		const real = store.reader[name] as (...args: unknown[]) => unknown;
		if (name === "now" || name === "nextCommit") return real;
		return async (...args: unknown[]) => {
			const answer = await real(...args);
			made += 1;
			if (made === calls) await expire();
			return answer;
		};
	};
	const names = Object.keys(store.reader) as (keyof ScanReader)[];
	const reader = Object.fromEntries(names.map((name) => [name, counted(name)])) as unknown as ScanReader;
	return { reader, made: () => made };
}

const SUFFIX = ":put-aside";
/** All keys of the scan go at once, as they do when their time is over; `bringBack` undoes it for the next case. */
const move = async (from: string, to: string) => {
	for (const key of Object.values(scanKeys(scanId)))
		if (await client.exists(key + from)) await client.rename(key + from, key + to);
};
const expire = () => move("", SUFFIX);
const bringBack = () => move(SUFFIX, "");

const queriesOn = (reader: ScanReader): Queries =>
	createQueries({
		reader,
		statistics: store.statistics,
		clock: systemClock,
		probes: {
			queue: async () => ({ waiting: 0, active: 0, oldest_wait_ms: null }),
			redis: async () => ({ ok: true, kind: "external", latency_ms: 1, used_memory_bytes: null }),
			sweeper: async () => ({ last_pass_at_ms: null }),
			sources: async () => [],
			cacheHitRate: async () => null,
		},
		earnedCredits: async () => null,
		stuckAfterMs: 60_000,
		replay,
		streamsMax: 10,
	});

const NO_WAIT = { waitMs: 0, signal: new AbortController().signal };
type Ask = (queries: Queries, commands: ScanCommands) => Promise<unknown>;

async function eventsOf(queries: Queries): Promise<string> {
	const stream = await queries.events.open(me, scanId, 0, AbortSignal.timeout(5_000));
	let text = "";
	for await (const part of stream?.text ?? []) text += part;
	stream?.release();
	return text;
}

/** Questions about one scan: whole, or expired. */
const ABOUT_ONE: Record<string, Ask> = {
	status: async ({ scans }) => (await scans.status(me, scanId, NO_WAIT, undefined)).body,
	results: async ({ scans }) => (await scans.results(me, scanId, NO_WAIT)).body,
	lifecycle: ({ diagnostics }) => diagnostics.lifecycle(me, scanId),
	debug: async ({ diagnostics }) => JSON.stringify(await diagnostics.debug(me, scanId)),
	journal: ({ journal }) => journal.page(me, scanId, 0, 500),
	"state after an entry": ({ journal }) => journal.stateAt(me, scanId, 5),
	diff: async ({ scanDiff }) => JSON.stringify(await scanDiff.diff(me, scanId, other)),
	cancel: async ({ scans }, commands) => {
		await scans.mayCancel(me, scanId);
		await commands.cancelScan(me, scanId);
	},
	redrive: async ({ scans }, commands) => {
		await scans.mayRedrive(me, scanId);
		const { scan_id } = await commands.redriveScan(me, scanId, ["spot_momentum_strategy"]);
		await commandsOn(store, async () => {}).cancelScan(me, scan_id);
	},
};

/** Lists: the scan is in it as it was, or not at all. */
const ABOUT_ALL: Record<string, Ask> = {
	"list of scans": async ({ scanList }) =>
		JSON.stringify(
			await scanList.list(me, {
				limit: 20,
				cursor: null,
				status: null,
				strategy: null,
				symbol: null,
				from_ms: null,
				to_ms: null,
			}),
		),
	export: async ({ scanExport }) => (await scanExport.scans(me, null)).scans,
	history: async ({ diagnostics }) => JSON.stringify(await diagnostics.history(me.user_id, 10)),
	events: eventsOf,
};

interface Told {
	text: string | null;
	error: ApiError | null;
}

async function tell(ask: Ask, reader: ScanReader): Promise<Told> {
	try {
		const body = await ask(
			queriesOn(reader),
			commandsOn(store, async () => {}, { reader }),
		);
		return { text: typeof body === "string" ? withoutMoments(body) : null, error: null };
	} catch (error) {
		if (error instanceof ApiError) return { text: null, error };
		throw error;
	}
}

/** What the clock makes of an answer is no part of the race. */
const withoutMoments = (text: string): string =>
	text.replace(/"(timestamp|estimated_time_remaining_seconds)":("[^"]*"|\d+)/g, "");

async function inEveryOrder(name: string, ask: Ask, judge: (told: Told, undisturbed: Told, text: string) => void) {
	await bringBack();
	const calm = expiringAfter(0);
	const undisturbed = await tell(ask, calm.reader);
	const calls = calm.made();
	assert.ok(calls >= 1, `${name} reads the store`);
	for (let after = 1; after <= calls; after++) {
		const { reader } = expiringAfter(after);
		const told = await tell(ask, reader);
		await bringBack();
		judge(told, undisturbed, `${name}, expired after read ${after} of ${calls}`);
	}
}

/** The same is said of every question. */
const of = (question: string, what: string): string => `${question}: ${what}`;

for (const [name, ask] of Object.entries(ABOUT_ONE)) {
	race(of(name, "whole, or expired with its date"), () =>
		inEveryOrder(name, ask, (told, undisturbed, text) => {
			if (told.error === null || told.error.code === undisturbed.error?.code) {
				assert.is(told.text, undisturbed.text, text);
				return;
			}
			assert.is(told.error.code, "scan_expired", text);
			assert.ok(Date.parse(String(told.error.extra.expired_at)) <= store.clock.now(), text);
		}),
	);
}

for (const [name, ask] of Object.entries(ABOUT_ALL)) {
	race(of(name, "no part of an expired scan"), () =>
		inEveryOrder(name, ask, (told, _, text) => {
			assert.is(told.error, null, text);
			assert.is(typeof told.text, "string", text);
		}),
	);
}

race("a waiting reader is told that the scan expired while it waited", async () => {
	await bringBack();
	const queries = queriesOn(store.reader);
	const running = (await commandsOn(store, async () => {}).startScan(me, startRequest({ filter_key: "waited" })))
		.scan_id;
	const tag = (await queries.scans.status(me, running, NO_WAIT, undefined)).etag;
	const wait = { waitMs: 5_000, signal: new AbortController().signal };
	const waited = queries.scans.results(me, running, wait).then(
		() => "answered",
		(error: ApiError) => error.code,
	);
	await runtimeOn(store, quickEffects(), {
		async onEnded(record) {
			await book(store.writer, record, 1_000);
			await client.del(...Object.values(scanKeys(record.scan_id)));
		},
	}).run(running);
	assert.ok(["scan_expired", "answered"].includes(await waited));
	const late = await queries.scans.status(me, running, wait, tag).then(
		() => "answered",
		(error: ApiError) => error.code,
	);
	assert.is(late, "scan_expired");
});

race.run();
