import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SCAN_MACHINE_ID } from "../../machines/types.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import type { HostState } from "../../src/runtime/scan-host.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { builtVersions, type Migration, type StoredFields, versionsOf } from "../../src/store/migrations.ts";
import { unpack } from "../../src/store/packing.ts";
import { decodeRecord, encodeContext } from "../../src/store/scan-codec.ts";
import { wholeDeadlines } from "../../src/store/snapshot-codec.ts";
import { checkState } from "../support/invariants.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, recordOf, rememberingLog, untilRecord } from "../support/stuck.ts";
import { commandsOn, never, quickEffects, runtimeOn } from "../support/system.ts";

/** Snapshots outlive the program that wrote them (I13): migrations, golden files, two versions side by side. */
const versions = suite("runtime: versions of the machine");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;

versions.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
versions.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

type Json = Record<string, unknown>;
const parsed = (text: string | undefined): Json => JSON.parse(unpack(text ?? "{}")) as Json;
const entryNames = (fields: StoredFields): string[] => Object.keys(fields).filter((name) => /^s:\d+$/.test(name));

/**
 * A made-up older version: it counted under another name, had no ranking reserve, kept its deadlines as a
 * list and knew no carried strategies.
 */
function asV0(fields: StoredFields): Record<string, string> {
	const { opportunities_found, ...snapshot } = parsed(fields.snapshot);
	const input = parsed(fields.input);
	const { ranking_reserve_ms: _, ...limits } = input.limits as Json;
	const armed = Object.entries(wholeDeadlines(parsed(fields.deadlines))).map(([id, deadline]) => ({
		id,
		...(deadline as Json),
	}));
	const older = entryNames(fields).map((name) => {
		const { carried_over_from: __, ...entry } = parsed(fields[name]);
		return [name, JSON.stringify(entry)];
	});
	return {
		...Object.fromEntries(older),
		machine: "scan.v0",
		snapshot: JSON.stringify({ ...snapshot, found: opportunities_found }),
		input: JSON.stringify({ ...input, limits }),
		deadlines: JSON.stringify({ armed }),
	};
}

const fromV0: Migration = {
	from: "scan.v0",
	to: SCAN_MACHINE_ID,
	migrate(fields) {
		const { found, ...snapshot } = parsed(fields.snapshot);
		const input = parsed(fields.input);
		const limits = { ...(input.limits as Json), ranking_reserve_ms: 5_000 };
		const { armed } = parsed(fields.deadlines) as unknown as { armed: (Json & { id: string })[] };
		const entries = entryNames(fields).map((name) => [
			name,
			JSON.stringify({ ...parsed(fields[name]), carried_over_from: null }),
		]);
		return {
			...Object.fromEntries(entries),
			snapshot: JSON.stringify({ ...snapshot, opportunities_found: found }),
			input: JSON.stringify({ ...input, limits }),
			deadlines: JSON.stringify(Object.fromEntries(armed.map(({ id, ...deadline }) => [id, deadline]))),
		};
	},
};
const withV0 = versionsOf(SCAN_MACHINE_ID, [fromV0]);

const hang = ({ signal }: { signal: AbortSignal }) => never(signal);
const STOPS: Record<string, Partial<Effects>> = {
	portfolio_fetch: { fetchPortfolio: hang },
	asset_discovery: { discoverAssets: hang },
	strategies_scan: { evaluateStrategy: (_, context) => hang(context) },
	ranking: { rankOpportunities: hang },
};

/** A scan that a worker of the older version carried to `position` and gave back. */
async function olderScan(position: string): Promise<string> {
	const scanId = await acceptedScan(store);
	if (position !== "queued") {
		const older = runtimeOn(store, quickEffects(STOPS[position]));
		const ran = older.run(scanId);
		await untilRecord(store, scanId, (found) => found.position === position);
		await older.handOver();
		await ran;
	}
	const { scan } = scanKeys(scanId);
	await client.hset(scan, asV0(await client.hgetall(scan)));
	return scanId;
}

const hashOf = (scanId: string) => client.hgetall(scanKeys(scanId).scan);

versions(
	"a scan of an older version, wherever it stands, is read as it is, migrated and carried to its end",
	async () => {
		const migrating = await redis.store({ versions: withV0 });
		const stops = fc.constantFrom("queued", ...Object.keys(STOPS));
		await fc.assert(
			fc.asyncProperty(stops, fc.boolean(), async (position, dies) => {
				const scanId = await olderScan(position);
				const before = await hashOf(scanId);
				assert.is(
					await runtimeOn(store, quickEffects()).run(scanId),
					"foreign",
					"without its migration it is left alone",
				);
				const read = await recordOf(migrating, scanId);
				assert.equal([read.damaged, read.foreign, read.migrated_from], [undefined, undefined, "scan.v0"]);
				assert.is(read.context.input.limits.ranking_reserve_ms, 5_000);
				assert.equal(await hashOf(scanId), before, "reading writes nothing");
				if (dies) {
					// A claimer that dies before its first commit leaves the snapshot to any version that knows it.
					const { snapshot, machine } = before;
					const claim = await migrating.writer.claim(scanId, "dies", randomUUID(), 1, "normal");
					assert.is(claim.kind, "granted");
					const held = await hashOf(scanId);
					assert.equal([held.snapshot, held.machine], [snapshot, machine]);
					await untilRecord(migrating, scanId, ({ lease_until_ms }) => (lease_until_ms ?? 0) < migrating.clock.now());
				}
				const { log, told } = rememberingLog();
				assert.is(await runtimeOn(migrating, quickEffects(), { log }).run(scanId), "ended");
				const after = await recordOf(store, scanId);
				checkState({ ...after, ended: after.terminal });
				assert.equal([after.position, after.machine, after.migrated_from], ["completed", SCAN_MACHINE_ID, "scan.v0"]);
				assert.equal([after.damaged, after.upgrade], [undefined, undefined], "nothing of the older form is left");
				assert.ok(after.context.strategies.every(({ verdict }) => verdict !== null));
				const rows = after.context.strategies.flatMap(({ tally }) => tally.row_ids);
				assert.is(rows.length, 3, "what the stand-in finds in three strategies");
				assert.is(
					after.context.opportunities_found,
					rows.length,
					"counted on from what the older version called `found`",
				);
				assert.equal(
					told.filter(({ level }) => level !== "info"),
					[],
				);
			}),
			{
				numRuns: 12,
				examples: ["queued", ...Object.keys(STOPS)].map((position) => [position, true] as [string, boolean]),
			},
		);
	},
);

versions("a cancel of an older scan migrates it in the same commit, without any worker", async () => {
	const migrating = await redis.store({ versions: withV0 });
	const scanId = await olderScan("strategies_scan");
	const { user_id } = await recordOf(migrating, scanId);
	const commands = commandsOn(migrating, async () => {});
	assert.is((await commands.cancelScan({ user_id, role: "trader" }, scanId, null)).reason, "user_request");
	const after = await recordOf(store, scanId);
	assert.equal([after.position, after.machine, after.damaged], ["cancelled", SCAN_MACHINE_ID, undefined]);
});

versions("a migration that fails ends the scan beside its data and blames no worker", async () => {
	const breaking = versionsOf(SCAN_MACHINE_ID, [
		{
			...fromV0,
			migrate() {
				throw new Error("no such field");
			},
		},
	]);
	const migrating = await redis.store({ versions: breaking });
	const scanId = await olderScan("strategies_scan");
	const { snapshot, input, deadlines } = await hashOf(scanId);
	assert.is(await runtimeOn(migrating, quickEffects()).run(scanId), "ended");
	const after = await recordOf(migrating, scanId);
	assert.equal([after.position, after.terminal], ["failed", true]);
	assert.match(after.context.end?.error?.message ?? "", /cannot be read: scan\.v0 to scan\.v1: no such field/);
	const kept = await hashOf(scanId);
	assert.equal([kept.machine, kept.snapshot, kept.input, kept.deadlines], ["scan.v0", snapshot, input, deadlines]);
});

versions("ways: each version is left in one way, all end at the current one, none touches the envelope", () => {
	const way = (from: string, to: string, migrate: Migration["migrate"] = () => ({})): Migration => ({
		from,
		to,
		migrate,
	});
	assert.throws(
		() => versionsOf("c", [way("a", "c"), way("a", "b"), way("b", "c")]),
		/two migrations lead away from a/,
	);
	assert.throws(() => versionsOf("c", [way("a", "b")]), /no migration leads from a to c/);
	assert.throws(() => versionsOf("c", [way("a", "b"), way("b", "a")]), /no migration leads from a to c/);
	assert.throws(() => versionsOf("c", [way("c", "d")]), /the current version/);
	const two = versionsOf("c", [
		way("a", "b", ({ snapshot }) => ({ snapshot: `${snapshot}b` })),
		way("b", "c", ({ snapshot }) => ({ snapshot: `${snapshot}c` })),
	]);
	assert.equal(two.carried, ["c", "a", "b"]);
	const { fields, changed } = two.upgrade({ machine: "a", snapshot: "a", seq: "7" });
	assert.equal(fields, { machine: "c", snapshot: "abc", seq: "7", migrated_from: "a" });
	assert.equal(changed, { machine: "c", snapshot: "abc", migrated_from: "a" });
	assert.is(two.upgrade({ machine: "c" }).changed, null);
	assert.is(two.upgrade({ machine: "d" }).changed, null);
	const grabbing = versionsOf("b", [way("a", "b", () => ({ epoch: "9" }))]);
	assert.match(grabbing.upgrade({ machine: "a" }).failure ?? "", "the migration to b touches epoch");
});

const GOLDEN = new URL("../golden/", import.meta.url);
for (const file of readdirSync(GOLDEN)) {
	const machine = file.replace(/\.json$/, "");
	versions(`every golden snapshot of ${machine} is read whole by this build`, () => {
		assert.ok(builtVersions.carried.includes(machine), "a version that was released is carried on for ever");
		const states = Object.entries(JSON.parse(readFileSync(new URL(file, GOLDEN), "utf8")) as Record<string, HostState>);
		assert.ok(states.length > 0);
		for (const [position, { context, deadlines }] of states) {
			const { scan_id, user_id: owner } = context.input;
			const fields = { ...encodeContext(null, context), deadlines: JSON.stringify(deadlines) };
			const record = decodeRecord(scan_id, { ...fields, owner, machine, position, seq: "1", epoch: "1", end: "0" });
			assert.equal([record.damaged, record.foreign], [undefined, undefined]);
			checkState({ ...record, ended: record.terminal });
			if (machine !== builtVersions.current) continue;
			assert.equal(record.context, context);
			assert.equal(record.deadlines, deadlines);
		}
	});
}
versions("the version that runs has a golden file", () => {
	assert.ok(readdirSync(GOLDEN).includes(`${SCAN_MACHINE_ID}.json`));
});

versions.run();
