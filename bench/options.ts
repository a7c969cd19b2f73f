import { type ParseArgsConfig, parseArgs } from "node:util";

/** Options of the benchmarks' commands: what cannot be used is said in one line, and nothing is begun. */

export function fail(message: string): never {
	process.stderr.write(`${message}\n`);
	process.exit(2);
}

export function readOptions<T extends NonNullable<ParseArgsConfig["options"]>>(options: T) {
	try {
		return parseArgs({ options }).values;
	} catch (error) {
		return fail(error instanceof Error ? error.message : String(error));
	}
}

/** A whole number from `least` on. */
export function wholeNumber(name: string, text: string, least = 1): number {
	const value = Number(text);
	if (!Number.isInteger(value) || value < least) fail(`--${name} takes a whole number from ${least}`);
	return value;
}
