/** Connections whose peer has vanished without a word are found dead and made anew, by every kind of client. */
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Queue } from "bullmq";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { silentLogger } from "../../src/log.ts";
import { bullmqConnection, COMMAND_TIMEOUT_MS, createRedisClient, SILENCE_MS } from "../../src/redis/clients.ts";
import { createCommitHub } from "../../src/store/commit-hub.ts";
import { channels } from "../../src/store/keys.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { within } from "../support/wait.ts";
import { freePort, startTcpServer, type TcpServer, temporaryFolder } from "./support/servers.ts";

const test = suite("dead connections");
const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: dead connections, no redis-server on PATH\n");

let folder: string;
let server: TcpServer;
let link: TcpProxy;
const address = () => ({ host: "127.0.0.1", port: link.port });

test.before(async () => {
	folder = await temporaryFolder();
	if (hasRedisServer()) server = await startTcpServer(folder);
	link = await startTcpProxy({ host: "127.0.0.1", port: server ? Number(new URL(server.url).port) : await freePort() });
});
test.after(async () => {
	await link.close();
	await server?.stop();
	await rm(folder, { recursive: true, force: true });
});

/** Asks until there is an answer. */
async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
	for (;;) {
		const answered = await ask().then(
			() => true,
			() => false,
		);
		if (answered) return;
		// A queue without a connection refuses at once: asking without a pause would keep it from getting one.
		await pause(20);
	}
}

withServer("commands fail in time and soon find a connection that lives; subscriptions too", async () => {
	const client = createRedisClient(address(), "commands", silentLogger());
	const subscriber = createRedisClient(address(), "subscriber", silentLogger());
	const hub = await createCommitHub(subscriber, systemClock);
	const queue = new Queue("dead-link", { connection: bullmqConnection(address(), "queue") });
	queue.on("error", () => undefined);
	await queue.waitUntilReady();
	await client.ping();

	link.set({ kind: "half_open" });
	const askedAt = performance.now();
	const [command, job] = await within(
		Promise.all([client.ping().catch(String), queue.add("job", {}).catch(String)]),
		"the end of what was asked on dead connections",
	);
	assert.match(String(command), "timed out");
	assert.match(String(job), "timed out");
	assert.ok(performance.now() - askedAt >= COMMAND_TIMEOUT_MS - 50);
	link.set({ kind: "pass" });
	await within(
		Promise.all([untilAnswered(() => client.ping()), untilAnswered(() => queue.add("job", {}))]),
		"commands on new connections",
		4 * SILENCE_MS,
	);
	// The subscription asks every few seconds whether it still stands; until then it hears nothing.
	const heard = new Promise<string>((resolve) => hub.onInbox(resolve));
	const telling = setInterval(() => void client.publish(channels.inbox, "scan_1").catch(() => undefined), 200);
	assert.is(await within(heard, "news on a new subscription"), "scan_1");
	clearInterval(telling);
	hub.close();
	client.disconnect();
	subscriber.disconnect();
	await queue.disconnect();
});

test.run();
