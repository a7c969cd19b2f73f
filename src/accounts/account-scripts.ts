/**
 * Scripts on the keys of one user.
 *
 * CREATE_ACCOUNT
 * KEYS  1 account, 2 password, 3 credits
 * ARGV  1 provisional lifetime ms, 2 password hash, 3 ledger entries {id: json} or '', 4.. field, value, ...
 * -> 1. The keys expire unless CONFIRM_ACCOUNT follows: a creation that dies half-way leaves nothing.
 */
export const CREATE_ACCOUNT = `
local fields = {}
for i = 4, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('SET', KEYS[2], ARGV[2])
if ARGV[3] ~= '' then
	for id, entry in pairs(cjson.decode(ARGV[3])) do redis.call('HSETNX', KEYS[3], id, entry) end
end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
return 1
`;

/**
 * KEYS  1 account, 2 password, 3 credits
 * -> 1 the account is permanent, 0 it is gone
 */
export const CONFIRM_ACCOUNT = `
for i = 1, 3 do redis.call('PERSIST', KEYS[i]) end
return redis.call('EXISTS', KEYS[1])
`;

/**
 * KEYS  1 account, 2 password, 3 logins
 * ARGV  1 access version or '', 2 role, 3 status, 4 strategy ids (JSON list) or '', 5 premium grant '0', '1' or '',
 *       6 new password hash or '', 7 expected password hash or '', 8 login that survives a new password or '',
 *       9 now (ISO)
 * -> 1 done (also when it was done before), 0 no such account, -1 the password changed meanwhile
 * An older access version changes neither role nor status. A user who is not active holds no login.
 */
export const PATCH_ACCOUNT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[6] ~= '' then
	local current = redis.call('GET', KEYS[2])
	if ARGV[7] ~= '' and current ~= ARGV[7] and current ~= ARGV[6] then return -1 end
	redis.call('SET', KEYS[2], ARGV[6])
	local survivor = ARGV[8] ~= '' and redis.call('HGET', KEYS[3], ARGV[8])
	redis.call('DEL', KEYS[3])
	if survivor then redis.call('HSET', KEYS[3], ARGV[8], survivor) end
end
if ARGV[1] ~= '' then
	local known = tonumber(redis.call('HGET', KEYS[1], 'access_version') or '0')
	if tonumber(ARGV[1]) > known then
		redis.call('HSET', KEYS[1], 'access_version', ARGV[1], 'role', ARGV[2], 'status', ARGV[3])
		if ARGV[3] ~= 'active' then redis.call('DEL', KEYS[3]) end
	end
end
if ARGV[4] ~= '' then
	local owned = cjson.decode(redis.call('HGET', KEYS[1], 'strategies') or '{}')
	local kept = {}
	for _, id in ipairs(cjson.decode(ARGV[4])) do kept[id] = owned[id] or ARGV[9] end
	redis.call('HSET', KEYS[1], 'strategies', cjson.encode(kept))
end
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'premium_welcome', ARGV[5]) end
return 1
`;

/**
 * KEYS  1 account, 2 credits
 * ARGV  1 now (ISO), 2 first answer (JSON), 3 ledger entries {id: json}, 4 strategy ids (JSON list),
 *       5 '1' when the premium package is asked for
 * -> {'created', answer}, {'existing', answer}, {'not_allowed'}, {'unknown'}
 * All or nothing; a second run finds the first answer and changes nothing.
 */
export const ONBOARD = `
if redis.call('EXISTS', KEYS[1]) == 0 then return {'unknown'} end
local first = redis.call('HGET', KEYS[1], 'onboarding')
if first and first ~= '' then return {'existing', first} end
if ARGV[5] == '1' and redis.call('HGET', KEYS[1], 'premium_welcome') ~= '1' then return {'not_allowed'} end
local owned = cjson.decode(redis.call('HGET', KEYS[1], 'strategies') or '{}')
for _, id in ipairs(cjson.decode(ARGV[4])) do owned[id] = owned[id] or ARGV[1] end
for id, entry in pairs(cjson.decode(ARGV[3])) do redis.call('HSETNX', KEYS[2], id, entry) end
redis.call('HSET', KEYS[1], 'onboarding', ARGV[2], 'onboarded_at', ARGV[1], 'strategies', cjson.encode(owned))
return {'created', ARGV[2]}
`;
