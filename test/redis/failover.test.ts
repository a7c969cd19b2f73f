/** After a failover the demoted server keeps its connections and refuses their writes: every client leaves it by itself. */
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { createScanQueue, createScanWorker } from "../../src/queue/scan-queue.ts";
import { bullmqConnection, closeRedisClient, createRedisClient, leavesDemoted } from "../../src/redis/clients.ts";
import { openScanStore } from "../../src/store/index.ts";
import { channels } from "../../src/store/keys.ts";
import { hasRedisServer, type RedisProcess, startRedisProcess } from "../support/redis-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { within } from "../support/wait.ts";
import { freePort, temporaryFolder } from "./support/servers.ts";

const test = suite("failover");
const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: failover, no redis-server on PATH\n");

let folders: string[];
let servers: RedisProcess[] = [];
let link: TcpProxy;
/** Where new connections are led, as by the name of a managed server. */
const target = { host: "127.0.0.1", port: 0 };

test.before(async () => {
	folders = [await temporaryFolder(), await temporaryFolder()];
	if (hasRedisServer())
		servers = await Promise.all(folders.map(async (folder) => startRedisProcess(folder, await freePort())));
	target.port = servers[0]?.port ?? 0;
	link = await startTcpProxy(target);
});
test.after(async () => {
	await link.close();
	await Promise.all(servers.map((server) => server.close()));
	for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The first server becomes a replica that hears of nothing more, the second one takes its place. */
async function failOver(): Promise<void> {
	target.port = servers[1]?.port ?? 0;
	await servers[0]?.admin.replicaof("127.0.0.1", await freePort());
}

async function untilDone(ask: () => Promise<unknown>): Promise<void> {
	const done = () =>
		ask().then(
			() => true,
			() => false,
		);
	while (!(await done())) await pause(20);
}

withServer("commands, subscriptions, the queue and its workers go on with the server that took over", async () => {
	const address = { host: "127.0.0.1", port: link.port };
	const log = silentLogger();
	const store = await openScanStore(address, log, { retention_ms: 60_000, tombstone_ms: 60_000 });
	const redis = createRedisClient(address, "commands", log);
	const queue = createScanQueue({ connection: bullmqConnection(address, "queue"), events_max: 100, redis, log });
	await queue.ready();
	const served: string[] = [];
	let woken = (): void => {};
	const worker = createScanWorker({ connection: bullmqConnection(address), redis, log }, 1, async (scanId) => {
		served.push(scanId);
		woken();
	});
	const serving = (scanId: string): Promise<void> =>
		new Promise((resolve) => {
			woken = () => (served.includes(scanId) ? resolve() : undefined);
			woken();
		});
	await queue.add("scan_1", "a");
	await within(serving("scan_1"), "a job before the failover");

	await failOver();
	assert.match(String(await store.probe().catch(String)), "READONLY");
	await within(
		Promise.all([untilDone(() => store.probe()), untilDone(() => redis.set("key", "1"))]),
		"writes after the failover",
		3_000,
	);
	await within(
		untilDone(() => queue.add("scan_2", "a")),
		"a job after the failover",
		5_000,
	);
	await within(serving("scan_2"), "a worker after the failover", 10_000);
	const heard = new Promise<string>((resolve) => store.writer.onInbox(resolve));
	const telling = setInterval(() => void redis.publish(channels.inbox, "scan_3").catch(() => undefined), 50);
	assert.is(await within(heard, "news after the failover", 3_000), "scan_3");
	clearInterval(telling);
	await worker.close(1_000);
	await queue.close();
	await closeRedisClient(redis);
	await store.close();
});

test("a client looks for another server when its own takes no writes, once a second at most", () => {
	let nowMs = 0;
	const leaves = leavesDemoted(() => nowMs);
	const refusal = new Error("READONLY You can't write against a read only replica.");
	assert.not.ok(leaves(new Error("OOM command not allowed when used memory > 'maxmemory'.")));
	assert.ok(leaves(refusal));
	nowMs = 999;
	assert.not.ok(leaves(refusal), "one that is led to the same server again may still read from it");
	nowMs = 1_000;
	assert.ok(leaves(new Error("ERR Error running script: @user_script:1: -READONLY You can't write")));
});

test.run();
