import { NOW, PUT } from "./commit-scripts.ts";
import { script, urgent } from "./script-runner.ts";

/**
 * Lua scripts about scans. Each is safe to repeat: ioredis sends a command again when its reply was
 * lost, so "already done by exactly this caller" always answers like the first time.
 * All read the clock with TIME: leases and deadlines live on the store's clock only.
 */

/**
 * Creates a record with its first journal entry; not yet accepted, not listed, not queued. One that is never accepted is
 * dropped by the watchdog, which the indexes lead to it; if they have lost it, the walk over all records lists it again.
 * A record may be made as claimed: then its pairs say by whom, and its lease begins here.
 * KEYS 1 scan, 2 journal, 3 lifecycle, 4 debug, 5 results
 * ARGV 1 owner, 2 n scan pairs, 3 n lifecycle pairs, 4 n debug pairs, 5 n results pairs, 6 lease_ms, 7 seq, 8 the batch of
 *   its claim and what is known with it (all three '' when nobody has it), 9.. pairs, then the first journal batch
 * Returns 1 created (also when repeated by the same owner), 0 the id is taken.
 */
export const CREATE = script(
	5,
	`local owner = redis.call('HGET', KEYS[1], 'owner')
if owner then return owner == ARGV[1] and 1 or 0 end
local i = 9
local targets = {KEYS[1], KEYS[3], KEYS[4], KEYS[5]}
${PUT}
for k = 1, 4 do put(targets[k], tonumber(ARGV[1 + k])) end
redis.call('XADD', KEYS[2], '1-0', 'b', ARGV[i])
if ARGV[6] == '' then return 1 end
${NOW}
redis.call('HSET', KEYS[1], 'hb', now, 'lease', now + ARGV[6])
redis.call('XADD', KEYS[2], ARGV[7] .. '-0', 'b', ARGV[8])
return 1`,
);

/**
 * Marks a record as accepted: its id may be told, workers may claim it, and it stays until its scan has ended.
 * KEYS 1 scan. Returns 1, or 0 when there is no such record.
 */
export const ACCEPT = script(
	1,
	`local accepted = redis.call('HMGET', KEYS[1], 'owner', 'accepted')
if not accepted[1] then return 0 end
if accepted[2] == '1' then return 1 end
redis.call('HSET', KEYS[1], 'accepted', '1')
return 1`,
);

/**
 * Drops a record that lost its start; never one that was accepted.
 * KEYS 1 scan, 2 journal, 3 lifecycle, 4 debug, 5 results. Returns 1 dropped, 0 kept.
 */
export const DROP = script(
	5,
	`if redis.call('HGET', KEYS[1], 'accepted') == '1' then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return 1`,
);

/**
 * Takes the scan: epoch + 1, a lease, the nonce of this claim, and for how long nobody was heard of before.
 * KEYS 1 scan, 2 inbox
 * ARGV 1 worker, 2 nonce, 3 lease_ms, 4 mode (normal: refuses a live lease; deadline: takes it when the
 *   scan is 2 s past its deadline; always: takes it whatever the lease says), 5.. machines whose scans the caller may carry on
 * Returns {'granted', now, lost 0|1, id of the newest inbox entry or '', field, value ...} (the whole hash after the
 * claim), {'held', lease_until},
 * {'ended'}, {'missing'}, {'unaccepted', worker or ''}, {'foreign', lease_until, worker or ''}.
 */
export const CLAIM = urgent(
	2,
	`${NOW}
local v = redis.call('HMGET', KEYS[1], 'epoch', 'lease', 'end', 'nonce', 'deadline_at', 'accepted', 'worker', 'released', 'lost', 'machine', 'hb')
if not v[1] then return {'missing'} end
if v[3] == '1' then return {'ended'} end
if v[6] ~= '1' and ARGV[4] == 'normal' then return {'unaccepted', v[7] or ''} end
local known = ARGV[4] ~= 'normal'
for i = 5, #ARGV do known = known or v[10] == ARGV[i] end
if not known then return {'foreign', v[2] or '0', v[7] or ''} end
local lost = 0
if v[4] == ARGV[2] then
  lost = tonumber(v[9] or '0')
else
  local live = tonumber(v[2] or '0') > now
  local past = now >= tonumber(v[5]) + 2000
  if live and not (ARGV[4] == 'always' or (ARGV[4] == 'deadline' and past)) then return {'held', v[2]} end
  if v[7] and v[7] ~= '' and v[8] ~= '1' then lost = 1 end
  redis.call('HSET', KEYS[1], 'epoch', tonumber(v[1]) + 1, 'nonce', ARGV[2], 'worker', ARGV[1], 'lost', lost,
    'released', '0', 'lease', now + tonumber(ARGV[3]), 'hb', now, 'idle', v[11] and math.max(0, now - tonumber(v[11])) or 0)
end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local reply = {'granted', tostring(now), tostring(lost), newest[1] and newest[1][1] or ''}
for _, item in ipairs(redis.call('HGETALL', KEYS[1])) do reply[#reply + 1] = item end
return reply`,
);

/**
 * Renews the lease. Heartbeat is not progress: progress_at stays.
 * KEYS 1 scan, 2 inbox. ARGV 1 epoch, 2 lease_ms, 3 '1': it accepts the scan as well, as its first commit would
 * Returns {status ok|fenced|ended|missing, now, id of the newest inbox entry or ''}.
 */
export const HEARTBEAT = urgent(
	2,
	`${NOW}
local v = redis.call('HMGET', KEYS[1], 'epoch', 'end')
if not v[1] then return {'missing', tostring(now), ''} end
if v[2] == '1' then return {'ended', tostring(now), ''} end
if v[1] ~= ARGV[1] then return {'fenced', tostring(now), ''} end
redis.call('HSET', KEYS[1], 'hb', now, 'lease', now + tonumber(ARGV[2]))
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'accepted', '1') end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {'ok', tostring(now), newest[1] and newest[1][1] or ''}`,
);

/**
 * Gives the scan back, so that the next claim neither waits nor counts as a lost lease.
 * KEYS 1 scan. ARGV 1 epoch. Returns 1 released, 0 somebody else holds it.
 */
export const RELEASE = urgent(
	1,
	`if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lease', '0', 'released', '1')
return 1`,
);

/**
 * Enters a member into a sorted set on a full server. KEYS 1 index. ARGV 1 score, 2 member, 3 `keep`: a score that
 * stands there stays. Returns 0 or 1.
 */
export const ENTER = urgent(
	1,
	`if ARGV[3] == 'keep' then return redis.call('ZADD', KEYS[1], 'NX', ARGV[1], ARGV[2]) end
return redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])`,
);

/**
 * Leaves a command for whoever holds the scan.
 * KEYS 1 scan, 2 inbox. ARGV 1 event JSON, 2 channel, 3 scan_id. Returns 'ok', 'ended' or 'missing'.
 */
export const SEND = urgent(
	2,
	`local ended = redis.call('HMGET', KEYS[1], 'owner', 'end')
if not ended[1] then return 'missing' end
if ended[2] == '1' then return 'ended' end
redis.call('XADD', KEYS[2], 'MAXLEN', 100, '*', 'event', ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 'ok'`,
);

/**
 * Decides one start on the user's claim and lists the new scan.
 * KEYS 1 active, 2 fresh, 3 scans, 4 ended
 * ARGV 1 filter_key, 2 new scan_id, 3 force 0|1, 4 force_join_ms, 5 fresh_ms, 6 fingerprint, 7 accepted_at_ms
 * Returns {'joined'|'cached'|'created'|'superseded', scan_id, detail}: detail = completed_at_ms or the old id; or
 * {'given_up', scan_id, ''}: the id was listed before and its claim was freed, so that it counts as expired. A start that
 * is sent again may come that late.
 */
export const START = script(
	4,
	`${NOW}
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local id, accepted, old = string.match(held, '^([^|]*)|([^|]*)|(.*)$')
  if id == ARGV[2] then return {old ~= '' and 'superseded' or 'created', id, old} end
  if ARGV[3] == '0' or now - tonumber(accepted) < tonumber(ARGV[4]) then return {'joined', id, ''} end
  if redis.call('ZSCORE', KEYS[4], ARGV[2]) then return {'given_up', ARGV[2], ''} end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. ARGV[7] .. '|' .. id)
  redis.call('ZADD', KEYS[3], ARGV[7], ARGV[2])
  return {'superseded', ARGV[2], id}
end
if ARGV[3] == '0' then
  local fresh = redis.call('HGET', KEYS[2], ARGV[1])
  if fresh then
    local id, completed, fingerprint = string.match(fresh, '^([^|]*)|([^|]*)|(.*)$')
    if now - tonumber(completed) < tonumber(ARGV[5]) and fingerprint == ARGV[6] then return {'cached', id, completed} end
  end
end
if redis.call('ZSCORE', KEYS[4], ARGV[2]) then return {'given_up', ARGV[2], ''} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. ARGV[7] .. '|')
redis.call('ZADD', KEYS[3], ARGV[7], ARGV[2])
return {'created', ARGV[2], ''}`,
);

/**
 * Books an ended scan in its user's slot: frees the claim, notes freshness and the tombstone. One that was cleared before
 * it was booked does not become fresh.
 * KEYS 1 active, 2 fresh, 3 ended, 4 scans
 * ARGV 1 filter_key, 2 scan_id, 3 completed 0|1, 4 completed_at_ms, 5 fingerprint, 6 expires_at_ms, 7 tombstone_ms,
 *   8 how many scans of the user are kept, 9 how many beyond them are named at most
 * Returns the ids of ended scans beyond those that are kept, oldest first.
 */
export const FINISH = urgent(
	4,
	`${NOW}
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.match(held, '^([^|]*)|') == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
local expires = redis.call('ZSCORE', KEYS[3], ARGV[2])
local cleared = expires and tonumber(expires) <= now
if ARGV[3] == '1' and not cleared then
  local fresh = redis.call('HGET', KEYS[2], ARGV[1])
  local newest = fresh and tonumber(string.match(fresh, '^[^|]*|([^|]*)|')) or 0
  if tonumber(ARGV[4]) >= newest then
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. '|' .. ARGV[4] .. '|' .. ARGV[5])
    redis.call('PEXPIREAT', KEYS[2], ARGV[6])
  end
end
if not expires and redis.call('ZSCORE', KEYS[4], ARGV[2]) then
  redis.call('ZADD', KEYS[3], ARGV[6], ARGV[2])
end
local over = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[7]), 'LIMIT', 0, 100)
for _, id in ipairs(over) do redis.call('ZREM', KEYS[3], id); redis.call('ZREM', KEYS[4], id) end
local surplus = {}
local keep, most = tonumber(ARGV[8]), tonumber(ARGV[9])
if most == 0 or redis.call('ZCARD', KEYS[4]) <= keep then return surplus end
local beyond = redis.call('ZREVRANGE', KEYS[4], keep, keep + most - 1)
local kept = redis.call('ZMSCORE', KEYS[3], unpack(beyond))
for k = #beyond, 1, -1 do
  if kept[k] and tonumber(kept[k]) > now then surplus[#surplus + 1] = beyond[k] end
end
return surplus`,
);

/**
 * How many scans of a user are there: those that are booked and have not expired, and those that a claim names as its
 * own or as the one before, until FINISH books them.
 * KEYS 1 ended, 2 active, 3 scans. Returns the number.
 */
export const COUNT_RETAINED = script(
	3,
	`${NOW}
local retained = redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')
local ids = {}
for _, held in ipairs(redis.call('HVALS', KEYS[2])) do
  local id, old = string.match(held, '^([^|]*)|[^|]*|(.*)$')
  ids[#ids + 1] = id
  if old ~= '' then ids[#ids + 1] = old end
end
for i = 1, #ids, 1000 do
  local last = math.min(i + 999, #ids)
  local listed = redis.call('ZMSCORE', KEYS[3], unpack(ids, i, last))
  local booked = redis.call('ZMSCORE', KEYS[1], unpack(ids, i, last))
  for k = 1, #listed do
    if listed[k] and not booked[k] then retained = retained + 1 end
  end
end
return retained`,
);

/** Two hashes as one moment has them. KEYS 1 and 2. Returns the flat pairs of each. */
export const READ_BOTH = script(2, `return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}`);

export { COMMIT } from "./commit-scripts.ts";
export * from "./count-scripts.ts";
export { runScript, type Script } from "./script-runner.ts";
