import type { Clock } from "../clock.ts";
import { Client } from "./client.ts";
import { CliError, EXIT } from "./exit.ts";
import type { SessionFile } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** What every command works with. */
export interface CliContext {
	terminal: Terminal;
	sessions: SessionFile;
	env: NodeJS.ProcessEnv;
	clock: Clock;
	/** Aborted by Ctrl-C. */
	signal: AbortSignal;
}

export async function clientOf({ sessions }: CliContext): Promise<Client> {
	const session = await sessions.read();
	if (!session) throw new CliError(EXIT.denied, "You are not signed in. Sign in first: lookout login");
	return new Client(session, sessions);
}

export const pause = ({ clock, signal }: CliContext, ms: number): Promise<void> =>
	new Promise((resolve) => {
		const timer = clock.setTimeout(resolve, ms);
		signal.addEventListener(
			"abort",
			() => {
				clock.clearTimeout(timer);
				resolve();
			},
			{ once: true },
		);
	});

/** JSON for programs, one document on standard output. */
export const printJson = ({ terminal }: CliContext, body: object): void => terminal.out(`${JSON.stringify(body)}\n`);

/** `latest` unless an id is given. */
export const idOf = (word: string | undefined): string => word || "latest";

/** The id behind `latest`, for endpoints that take no alias. */
export async function resolveId(client: Client, word: string | undefined): Promise<string> {
	if (word && word !== "latest") return word;
	const { body } = await client.call("GET", "/opportunities/status/latest");
	return String(body.scan_id);
}
