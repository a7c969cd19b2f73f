import { type Clock, delay } from "./clock.ts";

/**
 * Is this error the store being unreachable or refusing writes (503), and not a defect of ours (500)?
 * Redis and its client tell these apart only by the first word of a reply and by fixed texts.
 */
const CLIENT_ERRORS = new Set(["MaxRetriesPerRequestError", "ClusterAllFailedError", "AbortError"]);
const CLIENT_TEXTS = [
	"Command timed out",
	"Connection is closed.",
	"Stream isn't writeable",
	"Connection in subscriber mode",
];
const SOCKET_CODES = new Set([
	"ECONNREFUSED",
	"ECONNRESET",
	"EPIPE",
	"ENOENT",
	"ETIMEDOUT",
	"EHOSTUNREACH",
	"ENETUNREACH",
	"ENOTFOUND",
	"EAI_AGAIN",
]);
const REFUSALS =
	/(^|[-\s])(OOM|READONLY|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|BUSY|NOAUTH|WRONGPASS|NOPERM)\b/;

export function isStoreFailure(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	if (error.name === "ReplyError") return REFUSALS.test(error.message);
	if (CLIENT_ERRORS.has(error.name) && error.name !== "AbortError") return true;
	// redis-errors' AbortError carries the command it belonged to; the DOM's does not.
	if (error.name === "AbortError") return "command" in error;
	const { code, syscall } = error as NodeJS.ErrnoException;
	if (code && SOCKET_CODES.has(code)) return code !== "ENOENT" || syscall === "connect";
	return CLIENT_TEXTS.some((text) => error.message.startsWith(text));
}

/** A full server refuses what needs memory; nothing of it has been done then. */
export const isFull = (error: unknown): boolean => error instanceof Error && error.message.startsWith("OOM");

const RETRY_MS = 100;
const RETRY_MS_MAX = 1_000;
/** Longer than any effect may take: whoever waits has left before. */
const PATIENCE_MS = 60_000;

/**
 * Asks again for as long as the store is away or refuses, so that its hiccup is not taken for a failure of
 * what needed it. Rejects with any other error at once, with the signal's reason when it aborts, and with the
 * store's own error after a minute. `ask` must be safe to repeat.
 */
export async function untilStoreAnswers<T>(ask: () => Promise<T>, clock: Clock, signal?: AbortSignal): Promise<T> {
	const giveUpAtMs = clock.now() + PATIENCE_MS;
	for (let pauseMs = RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
		try {
			return await ask();
		} catch (error) {
			if (!isStoreFailure(error) || clock.now() >= giveUpAtMs) throw error;
		}
		await delay(clock, pauseMs, signal);
	}
}
