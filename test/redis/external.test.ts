import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createLogger, silentLogger } from "../../src/log.ts";
import { parseRedisUrl, RedisSetupError } from "../../src/redis/connection.ts";
import { judge } from "../../src/redis/external.ts";
import { provideRedis } from "../../src/redis/provide.ts";
import { within } from "../support/wait.ts";
import { binaries, freePort, startTcpServer, temporaryFolder } from "./support/servers.ts";

const test = suite<{ dir: string }>("external redis", { dir: "" });
test.before.each(async (context) => {
	context.dir = await temporaryFolder();
});
test.after.each(async (context) => {
	await rm(context.dir, { recursive: true, force: true });
});

const provide = (redisUrl: string, dataDir: string, waitMs = 10_000, logger = silentLogger()) =>
	within(provideRedis({ redisUrl, dataDir: join(dataDir, "data"), path: "", logger, waitMs }), "provide");

const refusal = async (promise: Promise<unknown>): Promise<string> => {
	const error = await promise.then(() => null).catch((reason: unknown) => reason);
	assert.instance(error, RedisSetupError);
	return String(error);
};

test("addresses become options", () => {
	assert.equal(parseRedisUrl("redis://h"), { host: "h", port: 6379 });
	assert.equal(parseRedisUrl("rediss://u:p%40x@h:1/2"), {
		host: "h",
		port: 1,
		username: "u",
		password: "p@x",
		db: 2,
		tls: {},
	});
	assert.equal(parseRedisUrl("redis://[::1]:7/"), { host: "::1", port: 7 });
	assert.equal(parseRedisUrl("unix:///run/r.sock?db=3"), { path: "/run/r.sock", db: 3 });
	for (const word of ["x", "http://h", "redis://h/x"]) assert.throws(() => parseRedisUrl(word), /REDIS_URL/);
});

test("a server that evicts is refused, one that does not tell is warned of", () => {
	const good = { version: "7.0.15", maxmemoryPolicy: "noeviction", appendOnly: true };
	assert.equal(judge(good), []);
	assert.throws(() => judge({ ...good, maxmemoryPolicy: "allkeys-lru" }), /allkeys-lru.*noeviction/);
	assert.throws(() => judge({ ...good, version: "6.0.16" }), /6\.2 or newer/);
	assert.equal(judge({ version: null, maxmemoryPolicy: null, appendOnly: null }).length, 1);
	assert.match(judge({ ...good, appendOnly: false })[0] ?? "", /append-only/);
});

test("an unreachable server is named by its setting, without address and password", async ({ dir }) => {
	const port = await freePort();
	const text = await refusal(provide(`redis://joe:hunter2@127.0.0.1:${port}`, dir, 300));
	assert.match(text, /REDIS_URL did not answer within 0.3 s \(ECONNREFUSED\)/);
	assert.not.match(text, /hunter2|joe|127\.0\.0\.1/);
});

test("a server that accepts and never answers is given up in time", async ({ dir }) => {
	const mute: Server = createServer(() => undefined);
	const port = await freePort();
	await new Promise<void>((resolve) => mute.listen(port, "127.0.0.1", resolve));
	const text = await refusal(provide(`redis://127.0.0.1:${port}`, dir, 300));
	assert.match(text, /did not answer/);
	mute.close();
});

/** Tests that need a redis-server are counted as skipped where there is none. */
const withServer = binaries.length > 0 ? test : test.skip;
if (binaries.length === 0) process.stdout.write("skipped: tests of real servers, no redis-server on PATH\n");

withServer("wrong credentials are told apart from silence and never logged", async ({ dir }) => {
	const server = await startTcpServer(dir, ["--requirepass", "right"]);
	const lines: string[] = [];
	const logger = createLogger("trace", { write: (line: string) => void lines.push(line) });
	const wrong = server.url.replace("redis://", "redis://:hunter2@");
	assert.match(await refusal(provide(wrong, dir, 10_000, logger)), /refuses these credentials \(WRONGPASS\)/);
	assert.match(await refusal(provide(server.url, dir)), /refuses these credentials \(NOAUTH\)/);
	assert.not.match(lines.join(""), /hunter2/);
	const provision = await provide(server.url.replace("redis://", "redis://:right@"), dir);
	assert.is(provision.kind, "external");
	await server.stop();
});

withServer("a running server that may evict stops the start, whether or not CONFIG is allowed", async ({ dir }) => {
	for (const extra of [[], ["--rename-command", "CONFIG", ""]]) {
		const server = await startTcpServer(dir, ["--maxmemory-policy", "allkeys-lru", ...extra]);
		assert.match(await refusal(provide(server.url, dir)), /maxmemory-policy allkeys-lru/);
		await server.stop();
	}
});

withServer("a server that comes up later is waited for", async ({ dir }) => {
	const server = await startTcpServer(dir, ["--appendonly", "yes"]);
	const provision = await provide(server.url, dir);
	assert.is(provision.warning, null);
	await server.stop();
});

test.run();
