/** What a script may rely on. */
export const EXIT = {
	ok: 0,
	/** The server or the network failed. */
	failure: 1,
	/** The command was not understood. */
	usage: 2,
	/** Not signed in, or not allowed. */
	denied: 3,
	/** The scan ended as failed or cancelled. */
	scan_ended_badly: 4,
	/** There is no such scan, or not any more. */
	absent: 5,
	/** The server asks to come again later. */
	later: 6,
} as const;

/** Ends the command with one line on standard error. */
export class CliError extends Error {
	readonly code: number;
	constructor(code: number, message: string) {
		super(message);
		this.name = "CliError";
		this.code = code;
	}
}

/** The exit code that belongs to an HTTP status. */
export function exitOf(status: number): number {
	if (status === 401 || status === 403) return EXIT.denied;
	if (status === 404 || status === 410) return EXIT.absent;
	if (status === 422 || status === 400) return EXIT.usage;
	if (status === 429 || status === 503) return EXIT.later;
	return EXIT.failure;
}
