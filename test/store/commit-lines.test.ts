import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { openScanStore } from "../../src/store/index.ts";
import { freePort, temporaryFolder } from "../redis/support/servers.ts";
import { beginner } from "../support/begun.ts";
import { hasRedisServer, type RedisProcess, startRedisProcess } from "../support/redis-process.ts";

/** Commits have connections of their own: two where the server syncs its file before it answers. */
const test = suite("store: connections of commits");
const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: connections of commits, no redis-server on PATH\n");

const LIFETIMES = { retention_ms: 60_000, tombstone_ms: 60_000 };
const SCANS = 24;

let folders: string[] = [];
let servers: RedisProcess[] = [];
async function serverThat(fsync: "always" | "everysec"): Promise<RedisProcess> {
	const folder = await temporaryFolder();
	folders.push(folder);
	const server = await startRedisProcess(folder, await freePort(), fsync);
	servers.push(server);
	return server;
}
test.after.each(async () => {
	await Promise.all(servers.map((server) => server.close()));
	for (const folder of folders) await rm(folder, { recursive: true, force: true });
	[folders, servers] = [[], []];
});

/** Runs scans; the last command of each connection for commits, as the server says. */
async function lastCommands(server: RedisProcess, user: { username?: string; password?: string } = {}) {
	const address = { host: "127.0.0.1", port: server.port, ...user };
	const store = await openScanStore(address, silentLogger(), LIFETIMES);
	try {
		const { runtime, start } = beginner(store);
		for (let i = 0; i < SCANS; i++) assert.is(await runtime.run(await start()), "ended");
		const connections = String(await server.admin.client("LIST")).split("\n");
		const commits = connections.filter((line) => line.includes(" name=lookout-commits "));
		return commits.map((line) => / cmd=(\S+)/.exec(line)?.[1]);
	} finally {
		await store.close();
	}
}

withServer("are two on a server that syncs before it answers, and both are used", async () => {
	assert.equal(await lastCommands(await serverThat("always")), ["evalsha", "evalsha"]);
});

withServer("are one on a server that syncs each second", async () => {
	assert.equal(await lastCommands(await serverThat("everysec")), ["evalsha"]);
});

withServer("are one where the server keeps its settings to itself", async () => {
	const server = await serverThat("always");
	await server.admin.call("ACL", "SETUSER", "guest", "on", ">secret", "~*", "&*", "+@all", "-config");
	assert.equal(await lastCommands(server, { username: "guest", password: "secret" }), ["evalsha"]);
});

withServer("end with the store", async () => {
	const server = await serverThat("always");
	await lastCommands(server);
	const left = String(await server.admin.client("LIST"));
	assert.not.ok(left.includes("lookout-commits"), left);
});

test.run();
