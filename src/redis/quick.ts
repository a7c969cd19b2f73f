import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { Command } from "ioredis";

/**
 * Sends one command and gives its reply as text: what a client's own method does without its detours (a closure for
 * each name, a second promise), which cost more than the command. For the few that are sent at every request.
 */
export type Send = (name: string, args: (string | number)[]) => Promise<unknown>;

/**
 * Commands that are sent in one turn of the event loop leave together: a write to the socket for each of them is the
 * dearest part of a small command. Limits (COMMAND_TIMEOUT_MS, retries) are those of the client.
 */
export function quickly(redis: Redis): Send {
	let held: Redis["stream"] | null = null;
	const release = (): void => {
		held?.uncork();
		held = null;
	};
	return (name, args) => {
		if (held === null && redis.stream) {
			held = redis.stream;
			held.cork();
			setImmediate(release);
		}
		return redis.sendCommand(new Command(name, args, { replyEncoding: "utf8" })) as Promise<unknown>;
	};
}

/** A Lua script sent that way, by its hash; its whole text goes along once when the server does not know it. */
export function quickScript(send: Send, keys: number, lua: string): (args: (string | number)[]) => Promise<unknown> {
	const sha = createHash("sha1").update(lua).digest("hex");
	return (args) =>
		send("evalsha", [sha, keys, ...args]).catch((error: unknown) => {
			if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
			return send("eval", [lua, keys, ...args]);
		});
}
