import { saveRecord } from "../store/user-records.ts";

/**
 * Scripts on the schedules of one user. Fields of a schedule's runs in the hash of runs, `<id>:` before each:
 * done (time of the newest run dealt with), run (`tick|token|until` of the run in hand), waiting, scan, bases, error.
 *
 * SAVE
 * KEYS  1 account, 2 schedules, 3 runs
 * ARGV  1 to 4 as saveRecord, 5 '1' when no run waits any more
 * -> as saveRecord
 */
export const SAVE = saveRecord(
	"if ARGV[5] == '1' then redis.call('HDEL', KEYS[3], ARGV[1] .. ':waiting', ARGV[1] .. ':run') end",
);

/** KEYS 1 schedules, 2 runs. ARGV 1 id -> 1 removed, 0 there was none */
export const REMOVE = `
for _, field in ipairs({'done', 'run', 'waiting', 'scan', 'bases', 'error'}) do
	redis.call('HDEL', KEYS[2], ARGV[1] .. ':' .. field)
end
return redis.call('HDEL', KEYS[1], ARGV[1])
`;

/**
 * KEYS  1 schedules, 2 runs
 * ARGV  1 id, 2 time of the run, 3 token, 4 now ms, 5 lease ms
 * -> {'granted'}, {'gone'}, {'paused'}, {'done'}, {'busy', ms left}
 * A run whose holder died is given to the next one when its lease is over.
 */
export const CLAIM_RUN = `
local spec = redis.call('HGET', KEYS[1], ARGV[1])
if not spec then return {'gone'} end
if cjson.decode(spec).paused then return {'paused'} end
local done = tonumber(redis.call('HGET', KEYS[2], ARGV[1] .. ':done') or '0')
local waiting = redis.call('HGET', KEYS[2], ARGV[1] .. ':waiting')
if tonumber(ARGV[2]) <= done and waiting ~= ARGV[2] then return {'done'} end
local run = redis.call('HGET', KEYS[2], ARGV[1] .. ':run')
if run then
	local token, before = string.match(run, '^%d+|([^|]*)|(%d+)$')
	local left = tonumber(before) - tonumber(ARGV[4])
	if token ~= ARGV[3] and left > 0 then return {'busy', string.format('%.0f', left)} end
end
redis.call('HSET', KEYS[2], ARGV[1] .. ':run', ARGV[2] .. '|' .. ARGV[3] .. '|' .. string.format('%.0f', tonumber(ARGV[4]) + tonumber(ARGV[5])))
return {'granted'}
`;

/**
 * KEYS  1 schedules, 2 runs
 * ARGV  1 id, 2 time of the run, 3 token, 4 outcome, 5 scan id or '', 6 error or '', 7 '1' to pause
 * -> 1 concluded, 0 another process holds the run
 */
export const CONCLUDE_RUN = `
local run = redis.call('HGET', KEYS[2], ARGV[1] .. ':run')
if not run or string.match(run, '^%d+|([^|]*)|') ~= ARGV[3] then return 0 end
local spec = redis.call('HGET', KEYS[1], ARGV[1])
if not spec then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1] .. ':run')
local done = tonumber(redis.call('HGET', KEYS[2], ARGV[1] .. ':done') or '0')
if tonumber(ARGV[2]) > done then redis.call('HSET', KEYS[2], ARGV[1] .. ':done', ARGV[2]) end
if ARGV[4] == 'queued' then redis.call('HSET', KEYS[2], ARGV[1] .. ':waiting', ARGV[2])
elseif ARGV[4] ~= 'skipped' then redis.call('HDEL', KEYS[2], ARGV[1] .. ':waiting') end
if ARGV[5] ~= '' then redis.call('HSET', KEYS[2], ARGV[1] .. ':scan', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[2], ARGV[1] .. ':error', ARGV[6])
elseif ARGV[5] ~= '' then redis.call('HDEL', KEYS[2], ARGV[1] .. ':error') end
if ARGV[7] == '1' then
	local text, changed = string.gsub(spec, '"paused":false', '"paused":true', 1)
	redis.call('HSET', KEYS[1], ARGV[1], text)
end
return 1
`;

/**
 * KEYS  1 schedules, 2 runs
 * ARGV  1 id, 2 bases as they were read or '', 3 bases
 * -> 1 noted, 0 somebody else has noted another scan, -1 there is no such schedule
 */
export const NOTE_BASES = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
local field = ARGV[1] .. ':bases'
if (redis.call('HGET', KEYS[2], field) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], field, ARGV[3])
return 1
`;
