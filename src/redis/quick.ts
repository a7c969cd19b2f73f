import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { Command } from "ioredis";

/**
 * Sends one command and gives its reply as text: what a client's own method does without its detours, which cost more
 * than the command. For the few that are sent at every request.
 */
export type Send = (name: string, args: (string | number)[]) => Promise<unknown>;

/** A command that is told how it is written: the generic way asks and copies each argument several times. */
class WrittenCommand extends Command {
	private readonly text: string;

	constructor(name: string, args: readonly (string | number)[]) {
		super(name, [], { replyEncoding: "utf8" });
		this.text = written(name, args);
	}

	override toWritable(): string {
		return this.text;
	}
}

/**
 * The command as the protocol has it: an array of strings, each with its length in bytes. Nearly always all of it is
 * ASCII, which shows when the text has as many bytes as characters; then the lengths in characters are right.
 */
function written(name: string, args: readonly (string | number)[]): string {
	const text = writtenWith((word) => word.length, name, args);
	return Buffer.byteLength(text) === text.length ? text : writtenWith(Buffer.byteLength, name, args);
}

function writtenWith(lengthOf: (word: string) => number, name: string, args: readonly (string | number)[]): string {
	let text = `*${args.length + 1}\r\n$${name.length}\r\n${name}`;
	for (const arg of args) {
		const word = String(arg);
		const length = lengthOf(word);
		text += HEADS[length] ?? headOf(length);
		text += word;
	}
	return `${text}\r\n`;
}

/** What stands before an argument of that length: the end of the line before, and the length. */
const headOf = (length: number): string => `\r\n$${length}\r\n`;
/** Those of nearly all arguments; making each anew costs as much as all else that is written. */
const HEADS = Array.from({ length: 1_024 }, (_, length) => headOf(length));

/** Limits (COMMAND_TIMEOUT_MS, retries) are those of the client. */
export const quickly =
	(redis: Redis): Send =>
	(name, args) =>
		redis.sendCommand(new WrittenCommand(name, args)) as Promise<unknown>;

/** A Lua script sent that way, by its hash; its whole text goes along once when the server does not know it. */
export function quickScript(send: Send, keys: number, lua: string): (args: (string | number)[]) => Promise<unknown> {
	const sha = createHash("sha1").update(lua).digest("hex");
	return (args) =>
		send("evalsha", [sha, keys, ...args]).catch((error: unknown) => {
			if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
			return send("eval", [lua, keys, ...args]);
		});
}
