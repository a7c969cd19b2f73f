import type { Redis } from "ioredis";

/**
 * A lane per user in one queue: rounds in which everybody's next scan comes before anybody's one after it,
 * so that who fills the queue delays others by no more than a fair share. This is start-time fair queueing
 * (Goyal, Vin, Cheng: Start-time Fair Queueing, 1996) with scans of equal weight: a scan's turn is the one
 * after its user's last, but never before the turn that is being served. Turns are BullMQ priorities: the
 * lower goes first, equal ones in order of arrival.
 *
 * From an empty queue on a user's k-th scan has at most k scans of each other user before it. Nothing here
 * is needed to find a scan: lost turns cost fairness for a moment and nothing else.
 */
export interface Lanes {
	/**
	 * The turn of a scan that is queued now, 1 ..; null: it is queued already and keeps its turn.
	 *
	 * @param jobKey key of the scan's job in the queue
	 */
	next(userId: string, jobKey: string): Promise<number | null>;
	/** A turn was given and its scan could not be queued: the user's next scan may have it. */
	giveBack(userId: string): Promise<void>;
	/** A scan of this turn was taken. */
	served(turn: number): Promise<void>;
	/** How many scans wait. */
	waiting(): Promise<number>;
	/** Scans that wait, in the order in which they will be taken, at most `limit`. */
	order(limit: number): Promise<string[]>;
}

export const FIRST_TURN = 1;
/** What a priority of BullMQ can say. Beyond it everybody shares the last turn, in order of arrival. */
export const TURNS_MAX = 2 ** 21 - 1;
/** Longer than any scan waits: by then its deadline has ended it. */
const KEPT_MS = 600_000;
/** Turns begin anew in an empty queue. A turn that was given this recently may still be on its way into it. */
export const LULL_MS = 5_000;

/** Members of the lanes beside the users: no user id looks like them. */
const SERVED = ":served";
const GIVEN_AT = ":given_at_ms";

/**
 * KEYS  1 lanes (zset: user -> last turn), 2 the scan's job, 3 the waiting scans by turn
 * ARGV  1 user, 2 most turns, 3 ms kept, 4 lull ms, 5 member of the turn served, 6 member of the last moment
 * -> turn, 0: the job exists
 * A lane whose last turn is over says nothing more than no lane, so it goes: there are no more lanes than
 * users with scans that wait.
 */
const NEXT = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local given_at = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[6]) or '0')
if now - given_at >= tonumber(ARGV[4]) and redis.call('EXISTS', KEYS[3]) == 0 then redis.call('DEL', KEYS[1]) end
local served = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[5]) or '0')
local last = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
local turn = math.min(math.max(served, last + 1), tonumber(ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', served))
redis.call('ZADD', KEYS[1], string.format('%.0f', turn), ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return turn
`;

/** KEYS 1 lanes. ARGV 1 user */
const GIVE_BACK = `
local last = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
if last > 1 then redis.call('ZADD', KEYS[1], string.format('%.0f', last - 1), ARGV[1]) end
if last == 1 then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
`;

/** KEYS 1 lanes. ARGV 1 turn, 2 ms kept, 3 member of the turn served */
const TAKEN = `
local served = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[3]) or '0')
if tonumber(ARGV[1]) > served then redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`;

type Script = (...args: (string | number)[]) => Promise<number>;
type Scripts = Record<"laneNext" | "laneGiveBack" | "laneTaken", Script>;

/** @param keys of the queue: its lanes (ours) and its waiting scans (BullMQ's), all in one slot. */
export function createLanes(redis: Redis, keys: { lanes: string; waiting: string }): Lanes {
	redis.defineCommand("laneNext", { numberOfKeys: 3, lua: NEXT });
	redis.defineCommand("laneGiveBack", { numberOfKeys: 1, lua: GIVE_BACK });
	redis.defineCommand("laneTaken", { numberOfKeys: 1, lua: TAKEN });
	const scripts = redis as unknown as Scripts;
	return {
		async next(userId, jobKey) {
			const args = [userId, TURNS_MAX, KEPT_MS, LULL_MS, SERVED, GIVEN_AT];
			const turn = Number(await scripts.laneNext(keys.lanes, jobKey, keys.waiting, ...args));
			return turn === 0 ? null : turn;
		},
		async giveBack(userId) {
			await scripts.laneGiveBack(keys.lanes, userId);
		},
		async served(turn) {
			await scripts.laneTaken(keys.lanes, turn, KEPT_MS, SERVED);
		},
		waiting: () => redis.zcard(keys.waiting),
		order: (limit) => redis.zrange(keys.waiting, 0, String(limit - 1)),
	};
}
