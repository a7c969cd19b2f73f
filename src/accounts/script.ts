import type { Redis } from "ioredis";

/**
 * A Lua script as a typed function. ioredis sends the hash and repairs a flushed script cache by itself.
 * A lost reply is resent, so every script of this folder must be safe to run twice with equal arguments.
 */
export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

type Invoke = (...args: (string | number)[]) => Promise<unknown>;

/** Registers `lua` on the client under `name`; `keyCount` KEYS come first, ARGV after them. */
export function defineScript(redis: Redis, name: string, keyCount: number, lua: string): Script {
	redis.defineCommand(name, { numberOfKeys: keyCount, lua });
	const invoke = (redis as unknown as Record<string, Invoke>)[name] as Invoke;
	return (keys, args) => {
		if (keys.length !== keyCount) throw new RangeError(`script ${name}: expected ${keyCount} keys, got ${keys.length}`);
		return invoke.call(redis, ...keys, ...args);
	};
}

/**
 * Lua prelude: `now_ms(given)` is the store's clock, or `given` when a test passes a moment of its own.
 * One clock for all processes makes their windows equal.
 */
export const LUA_NOW = `
local function now_ms(given)
	if given ~= '' then return tonumber(given) end
	local time = redis.call('TIME')
	return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;

/** Moment for the scripts' `now` argument: '' lets Redis read its own clock. */
export type StoreNow = () => string;
export const redisTime: StoreNow = () => "";

export const textList = (reply: unknown): string[] =>
	(reply as unknown[]).map((item) => (item === null || item === undefined ? "" : String(item)));
