import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { Command } from "ioredis";

/**
 * Sends one command and gives its reply as text: what a client's own method does without its detours, which cost more
 * than the command. For the few that are sent at every request. `head` stands before the arguments, so that whoever has
 * many need not copy them.
 */
export type Send = (
	name: string,
	args: readonly (string | number)[],
	head?: readonly (string | number)[],
) => Promise<unknown>;

type Words = readonly (string | number)[];
const NONE: Words = [];

/** A command that is told how it is written: the generic way asks and copies each argument several times. */
class WrittenCommand extends Command {
	private readonly text: string;

	constructor(name: string, args: Words, head: Words) {
		super(name, [], { replyEncoding: "utf8" });
		this.text = written(name, args, head);
	}

	override toWritable(): string {
		return this.text;
	}
}

/**
 * The command as the protocol has it: an array of strings, each with its length in bytes. Nearly always all of it is
 * ASCII, which shows when the text has as many bytes as characters; then the lengths in characters are right.
 */
function written(name: string, args: Words, head: Words): string {
	const text = writtenWith((word) => word.length, name, args, head);
	return Buffer.byteLength(text) === text.length ? text : writtenWith(Buffer.byteLength, name, args, head);
}

/** Joined at the end: a text that grows by parts is a tree of them, which has to be walked to be sent. */
function writtenWith(lengthOf: (word: string) => number, name: string, args: Words, head: Words): string {
	const count = head.length + args.length;
	const parts: string[] = Array(2 * count + 2);
	parts[0] = `*${count + 1}\r\n$${name.length}\r\n${name}`;
	for (let i = 0; i < count; i++) {
		const word = String(i < head.length ? head[i] : args[i - head.length]);
		const length = lengthOf(word);
		parts[2 * i + 1] = HEADS[length] ?? headOf(length);
		parts[2 * i + 2] = word;
	}
	parts[2 * count + 1] = "\r\n";
	return parts.join("");
}

/** What stands before an argument of that length: the end of the line before, and the length. */
const headOf = (length: number): string => `\r\n$${length}\r\n`;
/** Those of nearly all arguments; making each anew costs as much as all else that is written. */
const HEADS = Array.from({ length: 1_024 }, (_, length) => headOf(length));

/** Limits (COMMAND_TIMEOUT_MS, retries) are those of the client. */
export const quickly =
	(redis: Redis): Send =>
	(name, args, head = NONE) =>
		redis.sendCommand(new WrittenCommand(name, args, head)) as Promise<unknown>;

/** A Lua script sent that way, by its hash; its whole text goes along once when the server does not know it. */
export function quickScript(send: Send, keys: number, lua: string): (args: (string | number)[]) => Promise<unknown> {
	const sha = createHash("sha1").update(lua).digest("hex");
	return (args) =>
		send("evalsha", args, [sha, keys]).catch((error: unknown) => {
			if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
			return send("eval", args, [lua, keys]);
		});
}

/** Methods of a client that are called at every scan or request, with words only. */
const QUICK_METHODS = ["zadd", "zrem", "zrevrange", "hget", "hincrby", "lpush", "ltrim"] as const;

const isWord = (arg: unknown): arg is string | number => typeof arg === "string" || typeof arg === "number";

/** Lets a client's methods of these names go the quicker way, where all arguments are words. */
export function quicken(redis: Redis): void {
	const send = quickly(redis);
	const methods = redis as unknown as Record<string, (...args: unknown[]) => unknown>;
	for (const name of QUICK_METHODS) {
		const usual = methods[name] as (...args: unknown[]) => unknown;
		methods[name] = (...args) => (args.every(isWord) ? send(name, args) : usual.apply(redis, args));
	}
}
