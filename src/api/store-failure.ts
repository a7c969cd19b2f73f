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
