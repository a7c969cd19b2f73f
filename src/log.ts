import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

export type { Logger } from "pino";

/** Members whose value never reaches a log line, at the top and one and two levels down. */
const SECRET_MEMBERS = [
	"authorization",
	"cookie",
	"password",
	"new_password",
	"current_password",
	"token",
	"access_token",
	"refresh_token",
	"secret",
	"api_key",
	"apiKey",
	"jwtSecrets",
	"adminPassword",
	"metricsToken",
	"accountsKeys",
	"credentials",
	"redisUrl",
	"JWT_SECRET",
	"ADMIN_PASSWORD",
	"METRICS_TOKEN",
	"ACCOUNTS_KEY",
	"REDIS_URL",
];

/** Paths of SECRET_MEMBERS in the redaction's own syntax. */
const secretPaths = (): string[] => SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi;

/** Takes the user and password out of every address inside a text. */
export const withoutCredentials = (text: string): string => text.replace(URL_CREDENTIALS, "$1***@");

/** What of an error may be stored or logged. */
export interface ErrorFacts {
	type: string;
	message: string;
	code: string | null;
	stack: string | null;
	cause: ErrorFacts | null;
}

/**
 * Picks the known members only: clients hang the failed command on their errors, and the command of a
 * refused login holds the password.
 */
export function errorFacts(error: unknown, depthMax = 3): ErrorFacts {
	if (!(error instanceof Error)) {
		return { type: typeof error, message: withoutCredentials(String(error)), code: null, stack: null, cause: null };
	}
	const code = (error as { code?: unknown }).code;
	return {
		type: error.name,
		message: withoutCredentials(error.message),
		code: typeof code === "string" || typeof code === "number" ? String(code) : null,
		stack: error.stack ? withoutCredentials(error.stack) : null,
		cause: error.cause !== undefined && depthMax > 0 ? errorFacts(error.cause, depthMax - 1) : null,
	};
}

/**
 * One JSON line per entry: `level` as a word, `time` as an ISO timestamp, secrets replaced.
 *
 * @param level fatal, error, warn, info, debug, trace or silent.
 * @param destination where lines go; standard output when absent.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
	const options: LoggerOptions = {
		level,
		base: { pid: process.pid },
		timestamp: pino.stdTimeFunctions.isoTime,
		formatters: { level: (label) => ({ level: label }) },
		serializers: { err: (error: unknown) => errorFacts(error), error: (error: unknown) => errorFacts(error) },
		redact: { paths: secretPaths(), censor: "[redacted]" },
	};
	return destination ? pino(options, destination) : pino(options);
}

/** For tests and tools that must stay quiet. */
export const silentLogger = (): Logger => createLogger("silent");
