/** Asks a starting server until it answers, within a bound. Not used afterwards. */
import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "../log.ts";
import { createRedisClient, type Redis } from "./clients.ts";
import type { RedisConnection } from "./connection.ts";

const RETRY_MS_MAX = 200;

/** A refusal that no waiting mends: wrong password, missing rights, not a Redis. */
const isFinal = (error: unknown): boolean =>
	error instanceof Error && error.name === "ReplyError" && !/^(LOADING|MASTERDOWN|BUSY)\b/.test(error.message);

/**
 * Connects until PING is answered (a server may still be loading its file), then lets `ask` use the client.
 *
 * @param alive checked between tries; false ends the wait at once.
 * @throws the server's last error when it is not ready within `waitMs` or refuses for good.
 */
export async function probe<T>(
	connection: RedisConnection,
	waitMs: number,
	ask: (client: Redis) => Promise<T>,
	alive: () => boolean = () => true,
): Promise<T> {
	const giveUp = AbortSignal.timeout(waitMs);
	for (let round = 0; ; round += 1) {
		try {
			return await probeOnce(connection, giveUp, waitMs, ask);
		} catch (error) {
			if (isFinal(error) || giveUp.aborted || !alive()) throw error;
		}
		await pause(Math.min(RETRY_MS_MAX, 10 * 2 ** round));
	}
}

async function probeOnce<T>(
	connection: RedisConnection,
	giveUp: AbortSignal,
	waitMs: number,
	ask: (client: Redis) => Promise<T>,
): Promise<T> {
	const client = createRedisClient(connection, "commands", silentLogger(), {
		name: "probe",
		overrides: { lazyConnect: true, retryStrategy: () => null, commandTimeout: waitMs, connectTimeout: waitMs },
	});
	let cause: unknown = null;
	client.on("error", (error: unknown) => {
		cause ??= error;
	});
	const onGiveUp = () => client.disconnect();
	giveUp.addEventListener("abort", onGiveUp, { once: true });
	try {
		await client.connect();
		await client.ping();
		return await ask(client);
	} catch (error) {
		// connect() itself says only that the connection is closed; the event before it said why.
		throw cause ?? error;
	} finally {
		giveUp.removeEventListener("abort", onGiveUp);
		client.disconnect();
	}
}
