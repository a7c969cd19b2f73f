import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { rollStore, type StoreOdds } from "./faults.ts";
import { RedisError, type Reply } from "./keyspace.ts";
import type { Dice } from "./random.ts";
import type { Process, Task, World } from "./world.ts";

/**
 * The surface of ioredis that the store uses, on the simulated network: a command travels to the server,
 * takes effect there in one step, and its reply travels back; commands of one connection stay in order.
 * Each of the steps may go wrong as the fault plan says.
 */
export interface Network {
	world: World;
	/** Carries a command out at the server, on behalf of a process. */
	perform(from: Process, life: number, command: string, args: readonly string[]): Reply;
	/** Faults of the store as of now; null when the process cannot reach it at all. */
	odds(from: Process): StoreOdds | null;
	/** Chooses the faults; a crash test replaces it. */
	choose?(from: Process, command: string, args: readonly string[]): keyof StoreOdds | "crash" | "crash_after" | null;
	crash?(process: Process): void;
	noteFault(from: Process, kind: string, command: string): void;
}

/** Between the silence and the whole wait that src/redis/clients.ts allows; nothing here answers in between. */
const COMMAND_TIMEOUT_MS = 2_000;

class ConnectionError extends Error {
	constructor() {
		super("Connection is closed.");
	}
}

class CommandTimeout extends Error {
	constructor() {
		super("Command timed out");
	}
}

type Settle = { resolve: (reply: Reply) => void; reject: (error: Error) => void };

export function createSimulatedRedis(network: Network, owner: Process): Redis {
	const { world } = network;
	const { life } = owner;
	const dice = world.dice.fork(`${owner.name}.${life}.network`);
	let arrivesMs = 0;
	let answersMs = 0;

	/** Travel time: mostly below a millisecond, now and then many. */
	const travelMs = (slow: boolean): number =>
		slow ? dice.between(50, 1_500) : dice.chance(0.02) ? dice.between(1, 30) : dice.between(0.05, 0.6);
	const arrival = (slow: boolean): number => {
		arrivesMs = Math.max(arrivesMs + 0.001, world.now() + travelMs(slow));
		return arrivesMs - world.now();
	};
	const answer = (slow: boolean): number => {
		answersMs = Math.max(answersMs + 0.001, world.now() + travelMs(slow));
		return answersMs - world.now();
	};

	function carryOut(command: string, args: string[], settle: Settle | null, slow: boolean): void {
		let reply: Reply = null;
		let failure: Error | null = null;
		try {
			reply = network.perform(owner, life, command, args);
		} catch (error) {
			if (!(error instanceof RedisError)) throw error;
			failure = error;
		}
		if (settle) world.after(answer(slow), owner, () => (failure ? settle.reject(failure) : settle.resolve(reply)));
	}

	function send(command: string, args: string[]): Promise<Reply> {
		return new Promise((resolve, reject) => {
			if (owner.life !== life || !owner.alive) return;
			let limit: Task | null = null;
			const settle: Settle = {
				resolve: (reply) => {
					world.cancel(limit);
					resolve(reply);
				},
				reject: (error) => {
					world.cancel(limit);
					reject(error);
				},
			};
			limit = world.after(COMMAND_TIMEOUT_MS, owner, () => reject(new CommandTimeout()));
			const kind = faultOf(network, owner, dice, command, args);
			if (kind !== null) network.noteFault(owner, kind, command);
			transmit(kind, command, args, settle);
		});
	}

	function transmit(kind: Fault, command: string, args: string[], settle: Settle): void {
		const effect = (withReply: Settle | null) => () => carryOut(command, args, withReply, kind === "slow");
		const breaks = () => settle.reject(new ConnectionError());
		switch (kind) {
			case null:
			case "slow":
				world.after(arrival(kind === "slow"), null, effect(settle));
				return;
			case "error":
				world.after(arrival(false), owner, breaks);
				return;
			case "lost":
			case "unreachable":
				return;
			case "unanswered":
				world.after(arrival(false), null, effect(null));
				world.after(answer(false), owner, breaks);
				return;
			case "twice":
				world.after(arrival(false), null, effect(null));
				world.after(arrival(true), null, effect(settle));
				return;
			case "late":
				world.after(dice.between(500, 8_000), null, effect(null));
				return;
			case "crash":
				network.crash?.(owner);
				return;
			case "crash_after":
				world.after(arrival(false), null, () => {
					carryOut(command, args, null, false);
					network.crash?.(owner);
				});
		}
	}
	return surface(send);
}

type Fault = ReturnType<typeof faultOf>;

function faultOf(
	network: Network,
	owner: Process,
	dice: Dice,
	command: string,
	args: readonly string[],
): keyof StoreOdds | "unreachable" | "crash" | "crash_after" | null {
	if (network.choose) return network.choose(owner, command, args);
	const odds = network.odds(owner);
	return odds === null ? "unreachable" : rollStore(dice, odds);
}

type Send = (command: string, args: string[]) => Promise<Reply>;

const plain = (reply: Reply): unknown => {
	if (Array.isArray(reply)) return reply.map(plain);
	return typeof reply === "object" && reply !== null ? reply.ok : reply;
};

function asObject(reply: Reply): Record<string, string> {
	const fields: Record<string, string> = {};
	const flat = reply as string[];
	for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] as string] = flat[i + 1] as string;
	return fields;
}

async function call(send: Send, method: string, args: readonly unknown[]): Promise<unknown> {
	const reply = await send(method.toUpperCase(), args.flat().map(String));
	return method === "hgetall" ? asObject(reply) : plain(reply);
}

/** A script under a name of its own: by its hash, and whole when the server does not know it. */
function scriptCall(send: Send, lua: string, keys: number): (...args: unknown[]) => Promise<unknown> {
	const sha = createHash("sha1").update(lua).digest("hex");
	return (...args) =>
		call(send, "evalsha", [sha, keys, ...args]).catch((error: unknown) => {
			if (error instanceof RedisError && error.message.startsWith("NOSCRIPT"))
				return call(send, "eval", [lua, keys, ...args]);
			throw error;
		});
}

/** Methods are commands, as in ioredis; a pipeline sends its commands one after the other. */
function surface(send: Send): Redis {
	const named = new Map<string, (...args: unknown[]) => Promise<unknown>>();
	const defineCommand = (name: string, { lua, numberOfKeys }: { lua: string; numberOfKeys: number }) =>
		void named.set(name, scriptCall(send, lua, numberOfKeys));
	const pipeline = () => {
		const sent: Promise<[Error | null, unknown]>[] = [];
		const chain: Record<string, unknown> = new Proxy(
			{},
			{
				get: (_, method: string) =>
					method === "exec"
						? () => Promise.all(sent)
						: (...args: unknown[]) => {
								sent.push(
									call(send, method, args).then(
										(reply): [null, unknown] => [null, reply],
										(error: Error): [Error, null] => [error, null],
									),
								);
								return chain;
							},
			},
		);
		return chain;
	};
	return new Proxy(
		{},
		{
			get: (_, method: string | symbol) => {
				if (typeof method !== "string" || method === "then") return undefined;
				if (method === "pipeline" || method === "multi") return pipeline;
				if (method === "defineCommand") return defineCommand;
				const script = named.get(method);
				if (script) return script;
				return (...args: unknown[]) => call(send, method, args);
			},
		},
	) as unknown as Redis;
}

/** The subscriber's half: messages arrive as tasks of the process that listens. */
export function createSimulatedSubscriber(): { redis: Redis; deliver(channel: string, message: string): void } {
	const channels = new Set<string>();
	const listeners = new Set<(channel: string, message: string) => void>();
	const redis = {
		on: (event: string, listener: (channel: string, message: string) => void) =>
			event === "message" && listeners.add(listener),
		off: (_: string, listener: (channel: string, message: string) => void) => listeners.delete(listener),
		subscribe: async (...names: string[]) => {
			for (const name of names) channels.add(name);
		},
		unsubscribe: async (...names: string[]) => {
			for (const name of names) channels.delete(name);
		},
		/** News that are lost or late are the world's business; the connection itself is always there. */
		ping: async () => "PONG",
	};
	return {
		redis: redis as unknown as Redis,
		deliver(channel, message) {
			if (channels.has(channel)) for (const listener of listeners) listener(channel, message);
		},
	};
}
