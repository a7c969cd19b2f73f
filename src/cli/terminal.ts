import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";

/** Where the command line reads and writes. */
export interface Terminal {
	out(text: string): void;
	err(text: string): void;
	/** A person looks at it: lines may be drawn over, colours shown. */
	readonly isLive: boolean;
	readonly columns: number;
	/** Asks a person; `hidden`: what is typed is not shown. Empty when nobody is there to answer. */
	ask(question: string, hidden?: boolean): Promise<string>;
	/** Everything on standard input, without its last line break. */
	input(): Promise<string>;
}

export function systemTerminal(): Terminal {
	const output = process.stdout as WriteStream;
	const input = process.stdin as ReadStream;
	return {
		out: (text) => void output.write(text),
		err: (text) => void process.stderr.write(text),
		isLive: output.isTTY === true && process.env.TERM !== "dumb" && process.env.CI === undefined,
		get columns() {
			return output.columns ?? 100;
		},
		ask: (question, hidden = false) => (input.isTTY ? askPerson(question, hidden) : Promise.resolve("")),
		async input() {
			let text = "";
			for await (const chunk of input.setEncoding("utf8")) text += chunk;
			return text.replace(/\r?\n$/, "");
		},
	};
}

function askPerson(question: string, hidden: boolean): Promise<string> {
	let muted = false;
	const output = new Writable({
		write(chunk, _encoding, done) {
			if (!muted) process.stderr.write(chunk as Buffer);
			done();
		},
	});
	const reader = createInterface({ input: process.stdin, output, terminal: true });
	return new Promise((resolve) => {
		reader.question(question, (answer) => {
			reader.close();
			if (hidden) process.stderr.write("\n");
			resolve(answer);
		});
		reader.once("close", () => resolve(""));
		muted = hidden;
	});
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours only where a person looks and has not said otherwise. */
export const painter =
	(terminal: Pick<Terminal, "isLive">) =>
	(colour: keyof typeof CODES, text: string): string =>
		terminal.isLive && process.env.NO_COLOR === undefined ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;

/** Control characters of foreign text would drive the terminal: they are shown as what they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be taken out
export const harmless = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
