import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import { findRedisBinaries } from "../../src/redis/private.ts";
import { provideRedis, RedisSetupError } from "../../src/redis/provide.ts";
import { within } from "../support/wait.ts";
import { bareEnvPath, binaries, ENV_PATH, temporaryFolder } from "./support/servers.ts";

const HOLDER = fileURLToPath(new URL("./support/holder.ts", import.meta.url));
const logger = silentLogger();

interface Holder {
	child: ChildProcess;
	facts: { kind: string; before: string | null; server_pid: number };
	ended: Promise<unknown>;
}

async function startHolder(dataDir: string, value: string): Promise<Holder> {
	const child = spawn(process.execPath, ["--import", "tsx", HOLDER, dataDir, value], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const ended = new Promise((resolve) => child.once("exit", resolve));
	const line = new Promise<string>((resolve, reject) => {
		child.stdout?.setEncoding("utf8").once("data", resolve);
		child.once("exit", (code) => reject(new Error(`holder ended with ${code}`)));
	});
	return { child, facts: JSON.parse(await within(line, "holder")), ended };
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

/** Ends when the process does; the caller bounds it. */
const gone = async (pid: number): Promise<void> => {
	while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
};

const test = suite<{ dir: string }>("private redis", { dir: "" });
test.before.each(async (context) => {
	context.dir = await temporaryFolder();
});
test.after.each(async (context) => {
	await rm(context.dir, { recursive: true, force: true });
});

const provide = (dataDir: string, path = ENV_PATH) => provideRedis({ redisUrl: null, dataDir, path, logger });

/** Tests that need a redis-server are counted as skipped where there is none. */
const withServer = binaries.length > 0 ? test : test.skip;
if (binaries.length === 0) process.stdout.write("skipped: tests of real servers, no redis-server on PATH\n");

withServer("data survive SIGKILL of the program, and its server does not", async ({ dir }) => {
	const dataDir = join(dir, "data");
	const first = await startHolder(dataDir, "one");
	assert.is(first.facts.kind, "private");
	first.child.kill("SIGKILL");
	const second = await startHolder(dataDir, "two");
	assert.is(second.facts.before, "one");
	await within(gone(first.facts.server_pid), "orphan");
	second.child.stdin?.end();
	await within(second.ended, "orderly end");
	assert.not(isAlive(second.facts.server_pid));
});

withServer("a second program on the same DATA_DIR is told so and disturbs nothing", async ({ dir }) => {
	const first = await within(provide(join(dir, "data")), "start");
	const refused = await within(provide(join(dir, "data")), "refusal").catch((error: unknown) => error);
	assert.instance(refused, RedisSetupError);
	assert.match(String(refused), /another running Lookout uses this DATA_DIR/);
	const client = createRedisClient(first.connection, "commands", logger);
	assert.is(await client.ping(), "PONG");
	client.disconnect();
	await within(first.close(), "close");
	const again = await within(provide(join(dir, "data")), "start again");
	await within(again.close(), "close again");
});

withServer("only this user can reach it, it evicts nothing and keeps an append-only file", async ({ dir }) => {
	const provision = await within(provide(join(dir, "data")), "start");
	assert.is((await stat(join(dir, "data", "redis"))).mode & 0o777, 0o700);
	const client = createRedisClient(provision.connection, "commands", logger);
	const setting = async (name: string) => ((await client.config("GET", name)) as string[])[1];
	assert.equal(
		[await setting("port"), await setting("maxmemory-policy"), await setting("appendonly"), await setting("save")],
		["0", "noeviction", "yes", ""],
	);
	client.disconnect();
	await within(provision.close(), "close");
});

withServer("a DATA_DIR too deep for a socket address works", async ({ dir }) => {
	const provision = await within(provide(join(dir, "d".repeat(60), "e".repeat(60))), "start");
	assert.is(provision.kind, "private");
	assert.ok("path" in provision.connection && provision.connection.path.length < 104);
	await within(provision.close(), "close");
});

withServer(
	"a server that cannot start is an error with its own words, not a fallback without durability",
	async ({ dir }) => {
		const dataDir = join(dir, "data");
		await mkdir(join(dataDir, "redis", "appendonlydir"), { recursive: true });
		await writeFile(join(dataDir, "redis", "appendonlydir", "appendonly.aof.manifest"), "rubbish\n");
		const refused = await within(provide(dataDir), "refusal").catch((error: unknown) => error);
		assert.instance(refused, RedisSetupError);
		assert.match(String(refused), /did not start: .*(manifest|AOF)/is);
	},
);

test("an old or broken server on PATH is passed over", async ({ dir }) => {
	const script = async (name: string, text: string) => {
		await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`);
		await chmod(join(dir, name), 0o755);
	};
	await script("redis-server", 'echo "Redis server v=5.0.14 sha=0"');
	await script("valkey-server", "exit 1");
	await script("keydb-server", 'echo "KeyDB server v=6.3.4 sha=0"');
	assert.equal(await findRedisBinaries(`${dir}:${join(dir, "missing")}`, logger), [join(dir, "keydb-server")]);
});

test("with nothing on PATH the embedded server takes over and warns", async ({ dir }) => {
	const bare = await bareEnvPath(dir);
	const provision = await within(provide(join(dir, "data"), bare), "start");
	assert.is(provision.kind, "memory");
	assert.match(provision.warning ?? "", /all data end with this process/);
	assert.is((await stat(join(dir, "data", "redis", "s"))).mode & 0o777, 0o600);
	const refused = await within(provide(join(dir, "data"), bare), "refusal").catch((error: unknown) => error);
	assert.instance(refused, RedisSetupError);
	await within(provision.close(), "close");
});

test.run();
