import { runCli } from "./cli/main.ts";
import { sessionFile } from "./cli/session.ts";
import { systemTerminal } from "./cli/terminal.ts";
import { systemClock } from "./clock.ts";

/** The command line's entry: `lookout <command>`. */
const abort = new AbortController();
process.once("SIGINT", () => abort.abort());
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	// Whoever read our output has seen enough (`lookout list | head`).
	if (error.code === "EPIPE") process.exit(0);
	throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
	terminal: systemTerminal(),
	sessions: sessionFile(process.env),
	env: process.env,
	clock: systemClock,
	signal: abort.signal,
});
