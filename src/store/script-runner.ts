import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Send } from "../redis/quick.ts";

export interface Script {
	readonly lua: string;
	readonly sha: string;
	readonly keys: number;
	/** The same script, allowed to write to a server whose memory is full; absent: refused there. */
	readonly urgent?: { lua: string; sha: string };
}

const sha1 = (lua: string): string => createHash("sha1").update(lua).digest("hex");

export const script = (keys: number, lua: string): Script => ({ lua, keys, sha: sha1(lua) });

/**
 * A script about scans that run already: what they still write is bounded, and refusing it would leave them
 * without an end. So a full server (OOM) refuses new scans and lets those in hand be carried on, cancelled
 * and ended. Servers before 7.0 do not know the flag and get the plain script.
 */
export const urgent = (keys: number, lua: string): Script => {
	const flagged = `#!lua flags=allow-oom\n${lua}`;
	return { ...script(keys, lua), urgent: { lua: flagged, sha: sha1(flagged) } };
};

/** Clients of servers that refused the flag. */
const plainOnly = new WeakSet<Redis>();

/**
 * Runs a script by its hash, loading it once when the server does not know it (yet or any more).
 * @param send a quicker way for many arguments; default: the client's own method
 */
export function runScript(redis: Redis, script: Script, args: (string | number)[], send?: Send): Promise<unknown> {
	if (!script.urgent || plainOnly.has(redis)) return runText(redis, script, script.keys, args, send);
	return runText(redis, script.urgent, script.keys, args, send).catch((error: unknown) => {
		if (!(error instanceof Error) || !/compiling|shebang|unexpected symbol near '#'/i.test(error.message)) throw error;
		plainOnly.add(redis);
		return runText(redis, script, script.keys, args, send);
	});
}

function runText(
	redis: Redis,
	{ lua, sha }: { lua: string; sha: string },
	keys: number,
	args: (string | number)[],
	send?: Send,
): Promise<unknown> {
	const answer = send ? send("evalsha", args, [sha, keys]) : redis.evalsha(sha, keys, ...args);
	return answer.catch((error: unknown) => {
		if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
		return redis.eval(lua, keys, ...args);
	});
}

/** The same for scripts that take or answer bytes: replies are Buffers instead of text. */
export async function runBinaryScript(
	redis: Redis,
	{ lua, sha, keys }: Script,
	args: (string | number | Buffer)[],
): Promise<unknown> {
	try {
		return await redis.callBuffer("EVALSHA", sha, keys, ...args);
	} catch (error) {
		if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
		return await redis.callBuffer("EVAL", lua, keys, ...args);
	}
}
