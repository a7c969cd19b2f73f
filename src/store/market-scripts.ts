import { script } from "./script-runner.ts";

const NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function whole(n) return string.format('%.0f', n) end
`;
/** A lease holds its token and the connection of whoever took it: `<token>|<id>`. */
const TOKEN = `local function tokenOf(held) return held and string.match(held, '^[^|]*') end
`;

/** Whether a moment of the source that an answer names is one of its past, or stands for all times. */
const PLAUSIBLE = `local function plausible(at, most) return tonumber(at) <= tonumber(most) or tonumber(at) >= ${Number.MAX_SAFE_INTEGER} end
`;

/**
 * KEYS  1 answer, 2 lease, 3 failure
 * ARGV  1 what it must cover (source ms), 2 token, 3 lease ms, 4 since the asker began, ms, 5 connection, 6 what it may
 *       cover at most (source ms)
 * -> {hit, bytes, age} | {failed, bytes or '', age, text} | {lease, bytes or '', age} | {wait, lease, ms that it still holds}
 */
export const LOOK = script(
	3,
	`${NOW}${TOKEN}${PLAUSIBLE}
local kept = redis.call('HMGET', KEYS[1], 'c', 'k', 'r', 'a', 'u')
local age = 0
if kept[4] then
	age = now - tonumber(kept[4])
	local need = tonumber(ARGV[1])
	local begun = now - tonumber(ARGV[4])
	local believed = not kept[5] or begun < tonumber(kept[5])
	local covers = tonumber(kept[1]) >= need and plausible(kept[1], ARGV[6])
	local claims = tonumber(kept[2]) >= need and begun < tonumber(kept[3]) and plausible(kept[2], ARGV[6])
	if believed and (covers or claims) then
		return {'hit', redis.call('HGET', KEYS[1], 'b'), whole(age)}
	end
end
local failure = redis.call('GET', KEYS[3])
if failure then return {'failed', redis.call('HGET', KEYS[1], 'b') or '', whole(age), failure} end
local taken = redis.call('SET', KEYS[2], ARGV[2] .. '|' .. ARGV[5], 'NX', 'PX', ARGV[3])
local held = redis.call('GET', KEYS[2])
if taken or tokenOf(held) == ARGV[2] then return {'lease', redis.call('HGET', KEYS[1], 'b') or '', whole(age)} end
return {'wait', held or '', whole(redis.call('PTTL', KEYS[2]))}
`,
);

/**
 * KEYS  1 answer
 * -> {bytes or '', age ms}
 */
export const LAST = script(
	1,
	`${NOW}
local kept = redis.call('HMGET', KEYS[1], 'b', 'a')
return {kept[1] or '', whole(now - tonumber(kept[2] or now))}
`,
);

/**
 * KEYS  1 answer, 2 lease, 3 failure, 4 ages, 5 sizes
 * ARGV  1 token, 2 bytes, 3 covers, 4 claims, 5 recheck ms, 6 kept ms, 7 name, 8 prefix of answers, 9 bytes in all,
 *       10 longest time that any answer is kept, ms, 11 since its fetch began, ms, 12 for how long it is believed at
 *       all, ms, or '', 13 what an answer may cover at most (source ms)
 * -> bytes kept of the source
 * Whoever lost its lease meanwhile writes nothing: another fetches, or has fetched since. Room is made by dropping the
 * oldest answers; those that ended by themselves are the oldest of all.
 */
export const PUT = script(
	5,
	`${NOW}${TOKEN}${PLAUSIBLE}
local total = tonumber(redis.call('HGET', KEYS[5], '') or '0')
local held = redis.call('GET', KEYS[2])
if tokenOf(held) == ARGV[1] then redis.call('DEL', KEYS[2])
elseif held or tonumber(redis.call('HGET', KEYS[1], 'a') or '0') > now - tonumber(ARGV[11]) then return whole(total) end
redis.call('DEL', KEYS[3])
local function drop(name)
	redis.call('DEL', ARGV[8] .. name)
	redis.call('ZREM', KEYS[4], name)
	total = total - tonumber(redis.call('HGET', KEYS[5], name) or '0')
	redis.call('HDEL', KEYS[5], name)
end
local covered = redis.call('HGET', KEYS[1], 'c')
if now >= tonumber(redis.call('HGET', KEYS[1], 'u') or whole(now + 1)) then covered = false end
if covered and not plausible(covered, ARGV[13]) then covered = false end
if covered and tonumber(covered) > tonumber(ARGV[3]) then
	-- A source that has lost what it had is asked again later, like one that is late.
	if tonumber(ARGV[4]) > tonumber(redis.call('HGET', KEYS[1], 'k')) then
		redis.call('HSET', KEYS[1], 'k', ARGV[4], 'r', whole(now + tonumber(ARGV[5])))
	end
	return whole(total)
end
drop(ARGV[7])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', whole(now - tonumber(ARGV[10])), 'LIMIT', 0, 100)) do
	drop(name)
end
local size = #ARGV[2] + 2 * #ARGV[7] + 300
for _ = 1, 1000 do
	if total + size <= tonumber(ARGV[9]) then break end
	local oldest = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
	if not oldest then break end
	drop(oldest)
end
if total + size <= tonumber(ARGV[9]) then
	redis.call('HSET', KEYS[1], 'c', ARGV[3], 'k', ARGV[4], 'r', whole(now + tonumber(ARGV[5])), 'a', whole(now), 'b', ARGV[2])
	if ARGV[12] ~= '' then redis.call('HSET', KEYS[1], 'u', whole(now + tonumber(ARGV[12]))) end
	redis.call('PEXPIRE', KEYS[1], ARGV[6])
	redis.call('ZADD', KEYS[4], whole(now), ARGV[7])
	redis.call('HSET', KEYS[5], ARGV[7], size)
	total = total + size
end
redis.call('HSET', KEYS[5], '', whole(total))
redis.call('PEXPIRE', KEYS[4], ARGV[10])
redis.call('PEXPIRE', KEYS[5], ARGV[10])
return whole(total)
`,
);

/**
 * KEYS  1 lease, 2 failure
 * ARGV  1 token or the lease itself, 2 text or '', 3 told ms
 * -> 1 when the lease was held
 */
export const RELEASE = script(
	2,
	`${TOKEN}
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] and tokenOf(held) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return 1
`,
);

/**
 * KEYS  1 lease
 * ARGV  1 token, 2 lease ms, 3 connection
 * -> 1 when the lease is held. One that ended and that nobody has taken is held again.
 */
export const RENEW = script(
	1,
	`${TOKEN}
local held = redis.call('GET', KEYS[1])
if held and tokenOf(held) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[3], 'PX', ARGV[2])
return 1
`,
);

/**
 * KEYS  1 weights, 2 waiting, 3 faults
 * ARGV  1 weight max, 2 window ms, 3 part ms, 4 process, 5 weight seen by the exchange, 6.. weight, waited ms, ...
 * -> {granted, wait ms, used weight, blocked ms, endpoint, open ms, ...}
 * The window slides: a part counts until its last instant is older than the window, so that no window of that length
 * ever holds more than the limit, wherever it begins. A call that has waited longer in another process goes first: room
 * is left for it. A reply that is lost and asked for again counts twice, which wastes room and breaks no limit.
 */
export const TAKE = script(
	3,
	`${NOW}
local limit, window, part = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local open, blocked = {}, 0
local faults = redis.call('HGETALL', KEYS[3])
for i = 1, #faults, 2 do
	local left = tonumber(faults[i + 1]) - now
	if left <= 0 then redis.call('HDEL', KEYS[3], faults[i])
	elseif faults[i] == 'blocked' then blocked = left
	else open[#open + 1] = string.sub(faults[i], 6); open[#open + 1] = whole(left) end
end
local current = math.floor(now / part)
local used, parts = 0, {}
local kept = redis.call('HGETALL', KEYS[1])
for i = 1, #kept, 2 do
	local number = tonumber(kept[i])
	if (number + 1) * part + window <= now then redis.call('HDEL', KEYS[1], kept[i])
	else
		used = used + tonumber(kept[i + 1])
		parts[#parts + 1] = {number, tonumber(kept[i + 1])}
	end
end
local added = math.max(0, tonumber(ARGV[5]) - used)
local reserved = 0
local calls = (#ARGV - 5) / 2
if calls > 0 and blocked == 0 then
	local mine = now - tonumber(ARGV[7])
	local others = redis.call('HGETALL', KEYS[2])
	for i = 1, #others, 2 do
		local since, need, seen = string.match(others[i + 1], '^(%d+)|(%d+)|(%d+)$')
		if not since or now - tonumber(seen) > 3000 then redis.call('HDEL', KEYS[2], others[i])
		elseif others[i] ~= ARGV[4] and tonumber(since) < mine then reserved = reserved + tonumber(need) end
	end
end
local granted = 0
while blocked == 0 and granted < calls do
	local weight = tonumber(ARGV[6 + 2 * granted])
	if used + added + reserved + weight > limit then break end
	added = added + weight
	granted = granted + 1
end
if added > 0 then
	redis.call('HINCRBY', KEYS[1], whole(current), whole(added))
	redis.call('PEXPIRE', KEYS[1], whole(window + 2 * part))
	used = used + added
	parts[#parts + 1] = {current, added}
end
local wait = 0
if granted < calls then
	local weight = tonumber(ARGV[6 + 2 * granted])
	local since = now - tonumber(ARGV[7 + 2 * granted])
	redis.call('HSET', KEYS[2], ARGV[4], whole(since) .. '|' .. whole(weight) .. '|' .. whole(now))
	redis.call('PEXPIRE', KEYS[2], 10000)
	table.sort(parts, function(a, b) return a[1] < b[1] end)
	local lack = used + reserved + weight - limit
	wait = blocked > 0 and blocked or window
	for _, each in ipairs(parts) do
		if blocked > 0 or lack <= 0 then break end
		lack = lack - each[2]
		wait = (each[1] + 1) * part + window - now
	end
elseif calls > 0 then redis.call('HDEL', KEYS[2], ARGV[4]) end
local reply = {granted, whole(wait), whole(used), whole(blocked)}
for _, word in ipairs(open) do reply[#reply + 1] = word end
return reply
`,
);

/**
 * KEYS  1 faults
 * ARGV  1 field, 2 ms from now, 3 longest time that a fault is kept, ms
 * -> 1; a later end stays
 */
export const FAULT = script(
	1,
	`${NOW}
local ends = math.max(now + tonumber(ARGV[2]), tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0'))
redis.call('HSET', KEYS[1], ARGV[1], whole(ends))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
);
