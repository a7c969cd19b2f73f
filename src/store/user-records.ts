/**
 * Saves one JSON text in a hash of a user's records, for scripts that begin with
 * KEYS  1 account, 2 records
 * ARGV  1 id, 2 new text, 3 the text it replaces or '', 4 most records
 * -> 'saved' (also when it was saved before), 'limit', 'no_account' (what is under way while a user is deleted leaves
 *    nothing), 'changed', 'gone'. `then`: Lua that runs after it is written.
 */
export const saveRecord = (then = ""): string => `
if redis.call('EXISTS', KEYS[1]) == 0 then return 'no_account' end
local held = redis.call('HGET', KEYS[2], ARGV[1])
if held == ARGV[2] then return 'saved' end
if ARGV[3] == '' then
	if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4]) then return 'limit' end
elseif not held then return 'gone'
elseif held ~= ARGV[3] then return 'changed' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
${then}
return 'saved'
`;
