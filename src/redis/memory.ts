/** The embedded fallback: an in-memory server in a worker thread, so that its work never blocks ours. */
import { unlink } from "node:fs/promises";
import type { Logger } from "../log.ts";
import { startWorker } from "../worker-thread.ts";
import { RedisSetupError } from "./connection.ts";
import type { OwnServer } from "./private.ts";
import { probe } from "./probe.ts";
import type { RedisPlace } from "./socket-directory.ts";

const START_WAIT_MS = 20_000;

/**
 * @param place whose data directory this process has claimed; only its socket is used, nothing is kept.
 * @throws RedisSetupError when the worker does not come up.
 */
export async function openMemory(place: RedisPlace, logger: Logger): Promise<OwnServer> {
	await removeSocket(place.socket);
	const worker = startWorker("./memory-worker", import.meta.url, {
		workerData: { socket: place.socket },
		name: "lookout-redis",
	});
	let running = true;
	let closing = false;
	worker.on("error", (error) => logger.error({ err: error }, "the embedded Redis server has failed"));
	worker.on("exit", () => {
		running = false;
		if (!closing) logger.error("the embedded Redis server has ended");
	});
	worker.unref();
	const close = async () => {
		closing = true;
		await worker.terminate();
		await removeSocket(place.socket);
	};
	try {
		await probe(
			{ path: place.socket },
			START_WAIT_MS,
			async () => undefined,
			() => running,
		);
	} catch (error) {
		await close();
		throw new RedisSetupError("the embedded Redis server did not start", { cause: error });
	}
	return { kind: "memory", close };
}

const removeSocket = (socket: string): Promise<void> =>
	unlink(socket).catch((error: unknown) => {
		if ((error as { code?: string }).code !== "ENOENT") throw error;
	});
