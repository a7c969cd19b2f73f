/** The one maker of Redis clients: every kind, its limits, and an error handler on each. */
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../log.ts";
import type { RedisConnection } from "./connection.ts";
import { limitByLoopTime } from "./deadlines.ts";
import { quicken } from "./quick.ts";
import { sendTogether } from "./turns.ts";

export type { Redis } from "ioredis";

/**
 * - `commands`: store and API calls; when the server has answered nothing for COMMAND_TIMEOUT_MS, in which the event loop
 *   ran, commands fail instead of waiting for a dead one; those of one turn of the loop leave in one packet.
 * - `patient`: for callers who bound their waits themselves, by time in which their event loop ran.
 * - `pipelined`: as `commands`, but with auto-pipelining, for many small replies; large parsed reads get slower by it.
 * - `blocking`: XREAD BLOCK and its like; one per reader, never shared, waits as long as it is told.
 * - `subscriber`: pub/sub only, because a server may fall back to RESP2, where nothing else is allowed.
 * - `bullmq`: as BullMQ demands (no retry limit per request).
 */
export type ClientKind = "commands" | "patient" | "pipelined" | "blocking" | "subscriber" | "bullmq";

export const COMMAND_TIMEOUT_MS = 1500;
/** As long as a server that works through a queue, answer by answer, is waited for. */
export const COMMAND_TIMEOUT_MS_MAX = 4 * COMMAND_TIMEOUT_MS;
/**
 * A connection on which a command has been waiting this long for any byte is dead, and is made anew. A peer that
 * vanished without a word (a lost route, a forgotten entry of a firewall) is noticed by nothing else for minutes.
 */
export const SILENCE_MS = 3000;
/** The same for BullMQ's workers, whose longest wait for a job is 10 s. */
const WORKER_SILENCE_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_DELAY_MS_MAX = 2000;

/** 50, 100, 200 ... 2000 ms; never gives up, since the outage of a server must not need a restart of ours. */
export const reconnectDelayMs = (times: number): number =>
	Math.min(RECONNECT_DELAY_MS_MAX, 25 * 2 ** Math.min(times, 10));

const DEMOTED = /(^|[-\s])READONLY\b/;
/** Who was led to a server that takes no writes, and is led there again, looks for another one this often at most. */
const LEAVE_AGAIN_MS = 1000;

/**
 * A server that was demoted by a failover keeps its connections and refuses their writes for ever, while its name leads
 * elsewhere: only a new connection finds the successor. The command that met it fails (it has changed nothing, nor has a
 * script, whose first write is what was refused) and is not sent again here: one of a transaction would then be sent
 * outside of it, and every caller knows what to do when the store refuses.
 *
 * @returns what ioredis asks at each error of a server: shall it connect anew?
 */
export function leavesDemoted(nowMs: () => number = () => performance.now()): (error: Error) => boolean {
	let leftAtMs = Number.NEGATIVE_INFINITY;
	return ({ message }) => {
		if (!DEMOTED.test(message) || nowMs() - leftAtMs < LEAVE_AGAIN_MS) return false;
		leftAtMs = nowMs();
		return true;
	};
}

/** What only listens is refused nothing: it looks for its server anew whenever the one that writes has to. */
export function moveTogether(writing: Redis, listening: Redis): void {
	writing.on("close", () => {
		if (listening.status === "ready") listening.disconnect(true);
	});
}

const BASE: RedisOptions = {
	connectTimeout: CONNECT_TIMEOUT_MS,
	retryStrategy: reconnectDelayMs,
};

const OPTIONS_BY_KIND: Record<ClientKind, RedisOptions> = {
	commands: { socketTimeout: SILENCE_MS, maxRetriesPerRequest: 1 },
	patient: { socketTimeout: SILENCE_MS, maxRetriesPerRequest: 1 },
	pipelined: { socketTimeout: SILENCE_MS, maxRetriesPerRequest: 1, enableAutoPipelining: true },
	blocking: { maxRetriesPerRequest: null },
	subscriber: { socketTimeout: SILENCE_MS, maxRetriesPerRequest: null, autoResubscribe: true },
	bullmq: { maxRetriesPerRequest: null },
};

/**
 * The options alone, for BullMQ, which opens its connections itself.
 *
 * @param part a `worker` waits for a lost server; a `queue` that serves a request fails soon instead.
 */
export const bullmqConnection = (connection: RedisConnection, part: "worker" | "queue" = "worker") => ({
	...connection,
	connectTimeout: CONNECT_TIMEOUT_MS,
	retryStrategy: reconnectDelayMs,
	reconnectOnError: leavesDemoted(),
	maxRetriesPerRequest: null,
	enableOfflineQueue: part === "worker",
	socketTimeout: part === "worker" ? WORKER_SILENCE_MS : SILENCE_MS,
	...(part === "queue" ? { commandTimeout: COMMAND_TIMEOUT_MS } : {}),
});

/**
 * Opens a client. It connects in the background and reconnects for ever; an outage is logged once when it
 * begins and once when it ends.
 *
 * @param name appears in CLIENT LIST and in log lines.
 */
export function createRedisClient(
	connection: RedisConnection,
	kind: ClientKind,
	logger: Logger,
	options: { name?: string; overrides?: RedisOptions } = {},
): Redis {
	const name = options.name ?? kind;
	const settings: RedisOptions & { replyMapping: "legacy" } = {
		...BASE,
		reconnectOnError: leavesDemoted(),
		...OPTIONS_BY_KIND[kind],
		...connection,
		connectionName: `lookout-${name}`,
		...options.overrides,
		// One shape of replies whether the server speaks RESP2 or RESP3.
		replyMapping: "legacy",
	};
	const client = new Redis(settings);
	if (kind === "commands" || kind === "pipelined") {
		limitByLoopTime(client, COMMAND_TIMEOUT_MS, COMMAND_TIMEOUT_MS_MAX);
	}
	if (kind === "commands") {
		sendTogether(client);
		quicken(client);
	}
	let down = false;
	client.on("error", (error: unknown) => {
		if (down) return;
		down = true;
		logger.warn({ err: error, client: name }, "Redis connection lost, reconnecting");
	});
	client.on("ready", () => {
		if (down) logger.info({ client: name }, "Redis connection is back");
		down = false;
	});
	return client;
}

/** Ends a client: politely within `waitMs`, at once after that. Never throws. */
export async function closeRedisClient(client: Redis, waitMs = 500): Promise<void> {
	if (client.status === "end") return;
	if (client.status !== "ready") return client.disconnect();
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, waitMs);
	});
	await Promise.race([
		client.quit().then(
			() => undefined,
			() => undefined,
		),
		limit,
	]);
	clearTimeout(timer);
	client.disconnect();
}
