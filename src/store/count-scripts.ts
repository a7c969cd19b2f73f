import { urgent } from "./script-runner.ts";

/** Scripts that count ended scans, each once however often it is asked for. */

/** Adds whole amounts to fields of a hash, in two commands however many fields there are. */
const ADD = `local function add(key, fields, amounts)
  local held = redis.call('HMGET', key, unpack(fields))
  local pairs = {}
  for k = 1, #fields do
    pairs[2 * k - 1] = fields[k]
    pairs[2 * k] = string.format('%.0f', (tonumber(held[k]) or 0) + amounts[k])
  end
  redis.call('HSET', key, unpack(pairs))
  return held
end`;

/**
 * Counts ended scans in the statistics of their day, each once.
 * KEYS 1 stats hash, 2 guard set, 3 timeouts counter
 * ARGV 1 ttl_s, 2 ttl_s of the guard, then for each scan: scan_id, success 0|1, opportunities, strategies,
 * execution_time_ms, timeouts
 * Returns the ids of those that were not counted before.
 */
export const COUNT = urgent(
	3,
	`local counted = {}
local sums = {0, 0, 0, 0, 0}
for i = 3, #ARGV, 6 do
  if redis.call('SADD', KEYS[2], ARGV[i]) == 1 then
    counted[#counted + 1] = ARGV[i]
    for k = 1, 5 do sums[k] = sums[k] + tonumber(ARGV[i + k]) end
  end
end
if #counted == 0 then return counted end
local fields = {'total_scans', 'successful_scans', 'total_opportunities', 'total_strategies'}
local amounts = {#counted, sums[1], sums[2], sums[3]}
local held = redis.call('HMGET', KEYS[1], 'avg_execution_time_ms', unpack(fields))
local mean = tonumber(held[1]) or 0
local total = (tonumber(held[2]) or 0) + #counted
local pairs = {'avg_execution_time_ms', tostring(mean + (sums[4] - #counted * mean) / total)}
for k = 1, #fields do
  pairs[#pairs + 1] = fields[k]
  pairs[#pairs + 1] = string.format('%.0f', (tonumber(held[k + 1]) or 0) + amounts[k])
end
redis.call('HSET', KEYS[1], unpack(pairs))
for k = 1, 2 do redis.call('EXPIRE', KEYS[k], ARGV[k]) end
if sums[5] > 0 then
  redis.call('INCRBY', KEYS[3], sums[5])
  redis.call('EXPIRE', KEYS[3], ARGV[1])
end
return counted`,
);

/** The last ended scan, on a full server. KEYS 1 string. ARGV 1 text, 2 ttl_ms. Returns OK. */
export const LATEST = urgent(1, "return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])");

/** The newest ended scans, on a full server. KEYS 1 list. ARGV 1 how many are kept, then texts, oldest end first. Returns OK. */
export const RECENT = urgent(
	1,
	`redis.call('LPUSH', KEYS[1], unpack(ARGV, 2))
return redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)`,
);

/**
 * Counts failed scans, each once.
 * KEYS 1 counter, 2 guard set. ARGV 1 ttl_s, 2 ttl_s of the guard, then scan ids. Returns how many were not counted
 * before.
 */
export const COUNT_ERRORS = urgent(
	2,
	`local fresh = redis.call('SADD', KEYS[2], unpack(ARGV, 3))
if fresh == 0 then return 0 end
redis.call('INCRBY', KEYS[1], fresh)
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return fresh`,
);

/**
 * Adds what ended scans count for together to the running totals, if none of them was counted before.
 * KEYS 1 totals hash, 2 guard set. ARGV 1 ttl_s of the guard, 2 n scans, their ids, then fields with whole amounts as
 *   `frontCoded` writes them
 * Returns the ids that were counted before: none means that all are counted now, otherwise nothing was done.
 */
export const COUNT_TOTALS = urgent(
	2,
	`${ADD}
local known, ids = {}, {}
local n = tonumber(ARGV[2])
for i = 3, 2 + n do
  ids[#ids + 1] = ARGV[i]
  if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1 then known[#known + 1] = ARGV[i] end
end
if #known > 0 then return known end
redis.call('SADD', KEYS[2], unpack(ids))
redis.call('EXPIRE', KEYS[2], ARGV[1])
local fields, amounts, field = {}, {}, ''
for i = 3 + n, #ARGV do
  local shared, amount, rest = string.match(ARGV[i], '^(%d+) (%-?%d+) (.*)$')
  field = string.sub(field, 1, tonumber(shared)) .. rest
  fields[#fields + 1] = field
  amounts[#amounts + 1] = tonumber(amount)
end
if #fields > 0 then add(KEYS[1], fields, amounts) end
return known`,
);
