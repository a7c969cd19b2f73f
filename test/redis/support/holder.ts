/** A process that holds a private server: writes a value, says so, and waits to be killed. */
import { silentLogger } from "../../../src/log.ts";
import { createRedisClient } from "../../../src/redis/clients.ts";
import { provideRedis } from "../../../src/redis/provide.ts";

const [dataDir = "", value = ""] = process.argv.slice(2);
const logger = silentLogger();
const provision = await provideRedis({ redisUrl: null, dataDir, path: process.env.PATH ?? "", logger });
const client = createRedisClient(provision.connection, "commands", logger);
const before = await client.get("value");
await client.set("value", value);
const info = await client.info("server");
const server_pid = Number(/process_id:(\d+)/.exec(info)?.[1]);
process.stdout.write(`${JSON.stringify({ kind: provision.kind, before, server_pid })}\n`);
process.stdin.resume().on("end", () => {
	client.disconnect();
	void provision.close().then(() => process.exit(0));
});
