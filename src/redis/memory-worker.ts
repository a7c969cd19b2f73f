/** Thread of the embedded server. Only the bare server is used: the ready-made ones listen on all interfaces. */
import { chmodSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { createRedisCommandExecutor, RedisServerState, Resp2Server } from "js-redis-server/core";

const { socket } = workerData as { socket: string };
const DATABASES = 16;

const embedded = new Resp2Server({
	server: new RedisServerState({ databaseCount: DATABASES }),
	executor: createRedisCommandExecutor(),
});
embedded.server.listen({ path: socket }, () => chmodSync(socket, 0o600));
