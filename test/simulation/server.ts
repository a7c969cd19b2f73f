import { createHash } from "node:crypto";
import { createRedisLuaRuntime, type RedisLuaRuntime, RedisValue } from "js-redis-server/core";
import { createKeyspace, type Keyspace, RedisError, type Reply } from "./keyspace.ts";

/**
 * A Redis server in this process: commands from keyspace.ts, and the program's own Lua scripts run by a real
 * Lua interpreter (the one of the embedded server), each command in one step and without any wait.
 */
export interface SimulatedServer {
	keyspace: Keyspace;
	/** Carries out one command with flat arguments, EVALSHA and EVAL included. Throws RedisError. */
	execute(command: string, args: readonly string[]): Reply;
	/** Called for every message published. */
	onPublish(listener: (channel: string, message: string) => void): void;
	/** Does the server know a script by this hash? */
	knows(sha: string): boolean;
	/** Forgets all scripts, as after a restart: clients have to send them again. */
	flushScripts(): void;
}

type LuaContext = Parameters<RedisLuaRuntime["eval"]>[3];
type LuaReply = ReturnType<RedisLuaRuntime["eval"]>;

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

let runtime: Promise<RedisLuaRuntime> | undefined;

/** The interpreter is made once per thread: it keeps no state between scripts. */
export const loadLua = (): Promise<RedisLuaRuntime> => {
	runtime ??= createRedisLuaRuntime();
	return runtime;
};

export function createSimulatedServer(lua: RedisLuaRuntime, nowMs: () => number): SimulatedServer {
	const listeners: ((channel: string, message: string) => void)[] = [];
	const keyspace = createKeyspace(nowMs, (channel, message) => {
		for (const listener of listeners) listener(channel, message);
		return listeners.length;
	});
	const scripts = new Map<string, Buffer>();
	const context = {
		executor: {
			plan: (command: Buffer, args: Buffer[]) => ({ command, args, flags: [] }),
			executePlanSync: ({ command, args }: { command: Buffer; args: Buffer[] }) => {
				return { value: callFromLua(keyspace, command.toString().toUpperCase(), args.map(String)) };
			},
		},
	} as unknown as LuaContext;

	function evaluate(source: Buffer, count: string | undefined, rest: readonly string[]): Reply {
		const keys = Number(count);
		const buffers = rest.map((text) => Buffer.from(text));
		// The first line may carry flags for a server whose memory is full, which this one never is.
		const text = source.toString().replace(/^#!lua[^\n]*\n/, "");
		return fromLua(lua.eval(Buffer.from(text), buffers.slice(0, keys), buffers.slice(keys), context));
	}
	return {
		keyspace,
		execute(command, args) {
			const [script = "", count, ...rest] = args;
			if (command === "EVALSHA") {
				const source = scripts.get(script);
				if (!source) throw new RedisError("NOSCRIPT No matching script. Please use EVAL.");
				return evaluate(source, count, rest);
			}
			if (command !== "EVAL") return keyspace.execute(command, args);
			const source = Buffer.from(script);
			scripts.set(sha1(script), source);
			return evaluate(source, count, rest);
		},
		onPublish: (listener) => listeners.push(listener),
		knows: (sha) => scripts.has(sha),
		flushScripts: () => scripts.clear(),
	};
}

/** An error goes back into the script, whose `redis.call` then aborts it as on a real server. */
function callFromLua(keyspace: Keyspace, command: string, args: string[]): RedisValue {
	try {
		return toRedisValue(keyspace.execute(command, args));
	} catch (error) {
		if (!(error instanceof RedisError)) throw error;
		const [code = "ERR", ...words] = error.message.split(" ");
		return RedisValue.error(words.join(" "), code);
	}
}

function toRedisValue(reply: Reply): RedisValue {
	if (reply === null) return RedisValue.null();
	if (typeof reply === "number") return RedisValue.integer(reply);
	if (typeof reply === "string") return RedisValue.bulkString(Buffer.from(reply));
	if (Array.isArray(reply)) return RedisValue.array(reply.map(toRedisValue));
	return RedisValue.simpleString(reply.ok);
}

function fromLua(reply: LuaReply): Reply {
	if (reply === null || reply === undefined) return null;
	if (typeof reply === "number") return reply;
	if (typeof reply === "bigint") return Number(reply);
	if (Buffer.isBuffer(reply)) return reply.toString();
	if (Array.isArray(reply)) return reply.map(fromLua);
	if (typeof reply === "object" && "err" in reply) {
		const { code } = reply as { code?: Buffer };
		throw new RedisError(`${code ?? "ERR"} ${reply.err}`);
	}
	if (typeof reply === "object" && "ok" in reply) return { ok: String(reply.ok) };
	throw new Error(`a script answered something unforeseen: ${JSON.stringify(reply)}`);
}
