import type { Redis } from "ioredis";
import type { Viewer } from "../../src/store/contract.ts";
import { dayKeys, globalKeys, scanKeys, totalsGuardKey, userKeys } from "../../src/store/keys.ts";
import { viewer } from "../../test/support/system.ts";
import { RETENTION_MS, type Stage, TOMBSTONE_MS } from "./stage.ts";

/**
 * Finished scans by the thousand, in the store's own layout: one scan of one strategy and one row is run by the program
 * and cut down, and the server copies its keys under other ids and enters them into every index that a booked scan
 * stands in. Inside the copies the first scan's id remains in the texts; readers go by the keys and the owner's field.
 */
export interface Loader {
	/** Adds `count` scans, dealt out to the users numbered 1 to `users`. */
	finished(count: number, users: number): Promise<void>;
	/** Adds `count` scans to one user. */
	finishedOf(user: Viewer, count: number): Promise<void>;
	/** Adds ids of scans of one user whose records are gone and whose tombstones stand. */
	expiredOf(user: Viewer, count: number): Promise<void>;
	/** Adds tombstones that are over: what a purge has to do. */
	overdueTombstones(count: number): Promise<void>;
	/** Copied so far. */
	readonly loaded: number;
}

const BATCH = 1_000;
const DAY_MS = 86_400_000;

/**
 * ARGV 1 first number, 2 count, 3 first user number, 4 users, 5 now, 6 retention, 7 tombstone,
 *   8 day's guard, 9 totals' guard, 10.. per key of a scan its prefix and its dumped value ('' for none)
 * The keys of many slots are made from numbers: for one server only, and for nothing but benches.
 */
const COPY = `
local now = tonumber(ARGV[5])
local gone = now + tonumber(ARGV[6])
local notes, listed = {}, {}
for n = tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1 do
  local id = string.format('scan_%032x', n)
  local user = string.format('00000000-0000-4000-8000-%012d', tonumber(ARGV[3]) + n % tonumber(ARGV[4]))
  for i = 10, #ARGV, 2 do
    if ARGV[i + 1] ~= '' then redis.call('RESTORE', ARGV[i] .. '{' .. id .. '}', tonumber(ARGV[6]), ARGV[i + 1]) end
  end
  redis.call('HSET', ARGV[10] .. '{' .. id .. '}', 'owner', user)
  redis.call('ZADD', 'scans:{' .. user .. '}', now - n % 1000000, id)
  redis.call('ZADD', 'scans_ended:{' .. user .. '}', gone, id)
  notes[#notes + 1] = gone + tonumber(ARGV[7])
  notes[#notes + 1] = user .. ' ' .. id
  listed[#listed + 1] = id
end
redis.call('ZADD', '${globalKeys.tombstones}', unpack(notes))
redis.call('SADD', ARGV[8], unpack(listed))
redis.call('SADD', ARGV[9], unpack(listed))
return 1`;

/** Every key stays with as little in it as readers need: a million usual scans are more than a machine holds. */
async function cutDown(client: Redis, scanId: string): Promise<void> {
	const { journal, results, lifecycle, debug } = scanKeys(scanId);
	await client.xtrim(journal, "MAXLEN", 1);
	for (const key of [lifecycle, debug]) {
		const [, ...rest] = await client.hkeys(key);
		await client.hdel(key, ...rest);
	}
	const [row = ""] = (await client.hkeys(results)).filter((field) => field.startsWith("r:"));
	await client.hset(results, row, JSON.stringify({ opportunity_id: row.slice(2), symbol: "BTC/USDT" }));
}

const userNumber = ({ user_id }: Viewer): number => Number(user_id.slice(user_id.lastIndexOf("-") + 1));

export async function openLoader(stage: Stage): Promise<Loader> {
	const { client, store } = stage;
	const template = await stage.finished(viewer(1), { strategies: 1, rows: 1, reports: 1, failing: 0 });
	const { scan, journal, results, lifecycle, debug } = scanKeys(template);
	await cutDown(client, template);
	const parts = await Promise.all(
		[scan, journal, results, lifecycle, debug].map(async (key) => [
			key.slice(0, key.indexOf("{")),
			(await client.dumpBuffer(key)) ?? "",
		]),
	);
	const sha = String(await client.script("LOAD", COPY));
	let loaded = 0;

	async function copy(count: number, firstUser: number, users: number): Promise<void> {
		const date = new Date(store.clock.now()).toISOString().slice(0, 10);
		for (let left = count; left > 0; left -= BATCH) {
			const size = Math.min(left, BATCH);
			const now = Math.floor(store.clock.now());
			const guards = [dayKeys(date).counted, totalsGuardKey(date)];
			const head = [loaded + 1, size, firstUser, users, now, RETENTION_MS, TOMBSTONE_MS, ...guards];
			await client.evalsha(sha, 0, ...head, ...parts.flat());
			loaded += size;
		}
	}

	/** Ids that were listed `agoMs` before and whose record is gone. */
	async function listGone(users: readonly Viewer[], count: number, goneAtMs: number): Promise<void> {
		for (let from = 0; from < count; from += BATCH) {
			const pipeline = client.pipeline();
			for (let n = from; n < Math.min(count, from + BATCH); n++) {
				const id = `scan_${(2 ** 40 + loaded++).toString(16).padStart(32, "0")}`;
				const { user_id } = users[n % users.length] as Viewer;
				const { scans, ended } = userKeys(user_id);
				pipeline.zadd(scans, goneAtMs - RETENTION_MS - n, id);
				pipeline.zadd(ended, goneAtMs, id);
				pipeline.zadd(globalKeys.tombstones, goneAtMs + TOMBSTONE_MS, `${user_id} ${id}`);
			}
			await pipeline.exec();
		}
	}

	return {
		get loaded() {
			return loaded;
		},
		finished: (count, users) => copy(count, 1, users),
		finishedOf: (user, count) => copy(count, userNumber(user), 1),
		expiredOf: (user, count) => listGone([user], count, Math.floor(store.clock.now()) - DAY_MS),
		overdueTombstones: (count) => listGone([viewer(1)], count, Math.floor(store.clock.now()) - TOMBSTONE_MS - DAY_MS),
	};
}

/** Memory that the server uses, bytes. */
export const usedBytes = async (client: Redis): Promise<number> =>
	Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1] ?? 0);
