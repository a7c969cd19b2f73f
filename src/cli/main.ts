import { stripVTControlCharacters } from "node:util";
import { type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import { VERSION } from "../version.ts";
import { loginCommand, logoutCommand } from "./commands/account.ts";
import { machinesCommand, resultsCommand, whyCommand } from "./commands/answers.ts";
import {
	cancelCommand,
	type Ended,
	listCommand,
	redriveCommand,
	scanCommand,
	statusCommand,
	watchCommand,
} from "./commands/scans.ts";
import type { CliContext } from "./context.ts";
import { CliError, EXIT } from "./exit.ts";

const rootCommand = (context: CliContext, ended: Ended) =>
	defineCommand({
		meta: { name: "lookout", version: VERSION, description: "Start, watch and read opportunity scans" },
		subCommands: {
			login: loginCommand(context),
			logout: logoutCommand(context),
			scan: scanCommand(context, ended),
			watch: watchCommand(context, ended),
			status: statusCommand(context),
			results: resultsCommand(context, ended),
			why: whyCommand(context),
			cancel: cancelCommand(context),
			redrive: redriveCommand(context, ended),
			list: listCommand(context),
			machines: machinesCommand(context),
		},
	});

const isHelp = (word: string | undefined): boolean =>
	word === undefined || word === "--help" || word === "-h" || word === "help";

/** Runs one command line; the exit code is the answer, nothing is thrown. */
export async function runCli(rawArgs: readonly string[], context: CliContext): Promise<number> {
	const ended: Ended = { code: EXIT.ok };
	const root = rootCommand(context, ended);
	const commands = root.subCommands as Record<string, CommandDef>;
	const usage = async (command: CommandDef, parent?: CommandDef) => {
		const text = await renderUsage(command, parent);
		context.terminal.out(`${context.terminal.isLive ? text : stripVTControlCharacters(text)}\n`);
	};
	const [first, ...rest] = rawArgs;
	if (first === "--version" || first === "-v") {
		context.terminal.out(`${VERSION}\n`);
		return EXIT.ok;
	}
	if (isHelp(first)) {
		await usage(root as CommandDef);
		return first === undefined ? EXIT.usage : EXIT.ok;
	}
	const command = Object.hasOwn(commands, first ?? "") ? commands[first ?? ""] : undefined;
	if (!command) {
		context.terminal.err(`lookout: there is no command ${first}. See: lookout --help\n`);
		return EXIT.usage;
	}
	if (rest.some((word) => word === "--help" || word === "-h")) {
		await usage(command, root as CommandDef);
		return EXIT.ok;
	}
	try {
		await runCommand(command, { rawArgs: rest });
		return ended.code;
	} catch (error) {
		return told(error, context);
	}
}

function told(error: unknown, { terminal, signal }: CliContext): number {
	if (signal.aborted) return 130;
	const usage = error instanceof Error && error.constructor.name === "CLIError";
	terminal.err(`lookout: ${error instanceof Error ? error.message : String(error)}\n`);
	if (error instanceof CliError) return error.code;
	return usage ? EXIT.usage : EXIT.failure;
}
