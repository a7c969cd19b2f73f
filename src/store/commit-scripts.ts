import { urgent } from "./script-runner.ts";

/** The script that every change of a scan goes through, and the parts of scripts that it shares with others. */

export const NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/**
 * Writes n pairs from ARGV, beginning at `i`, which stands behind them afterwards. Many at a time: a call for each
 * field costs the server more than the field, and 500 pairs stay far below what Lua can unpack.
 */
export const PUT = `local function put(key, n)
  local last = i + 2 * n - 1
  while i <= last do
    local stop = math.min(i + 999, last)
    redis.call('HSET', key, unpack(ARGV, i, stop))
    i = stop + 1
  end
end`;

/** Whole numbers as text, made once: Lua would write each again with seventeen digits. `%d` is cut at 32 bits by some servers. */
const TEXT = "local function text(number) return string.format('%.0f', number) end";

/**
 * The one commit: everything that follows from one or more transitions, or nothing.
 * KEYS 1 scan, 2 journal, 3 lifecycle, 4 debug, 5 results, 6 inbox
 * ARGV 1 epoch, 2 seq before, 3 seq after, 4 ended 0|1, 5 retention_ms, 6 lease_ms, 7 channel without
 *   the scan's id, 8 n scan pairs, 9 n lifecycle pairs, 10 n debug pairs, 11 n results pairs, 12 journal batch; 13.. the
 *   pairs, behind them patterns of debug fields to the end (`addPatterns`): prefix, rows, words of each, format, words
 * Returns {'ok'|'duplicate'|'fenced'|'missing', now}. Duplicate = exactly this commit is already there.
 */
export const COMMIT = urgent(
	6,
	`${NOW}
local v = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'end')
if not v[1] then return {'missing', tostring(now)} end
if v[1] ~= ARGV[1] then return {'fenced', tostring(now)} end
if v[2] == ARGV[3] then return {'duplicate', tostring(now)} end
if v[2] ~= ARGV[2] or v[3] == '1' then return {'fenced', tostring(now)} end
local i = 13
${PUT}
${TEXT}
local ended = ARGV[4] == '1'
local at, expires = text(now), text(now + ARGV[5])
local first = math.min(tonumber(ARGV[8]), 400)
local function state(...)
  redis.call('HSET', KEYS[1], 'seq', ARGV[3], 'progress_at', at, 'hb', at, ...)
end
if ended then
  state('lease', '0', 'end', '1', 'expires_at', expires, 'ended_at', at, unpack(ARGV, i, i + 2 * first - 1))
else
  state('lease', text(now + ARGV[6]), unpack(ARGV, i, i + 2 * first - 1))
end
i = i + 2 * first
put(KEYS[1], ARGV[8] - first)
for k = 3, 5 do put(KEYS[k], ARGV[6 + k]) end
local last = #ARGV
while i <= last do
  local prefix, rows, words, form = unpack(ARGV, i, i + 3)
  local made = {}
  i = i + 4
  for row = 1, tonumber(rows) do
    made[2 * row - 1] = prefix .. ARGV[i]
    made[2 * row] = string.format(form, unpack(ARGV, i, i + words - 1))
    i = i + words
  end
  redis.call('HSET', KEYS[4], unpack(made))
end
redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'b', ARGV[12])
if ended then
  for k = 1, 6 do redis.call('PEXPIREAT', KEYS[k], expires) end
end
local id = string.sub(KEYS[1], 7, -2)
redis.call('PUBLISH', ARGV[7] .. '{' .. id .. '}', id .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
return {'ok', at}`,
);
