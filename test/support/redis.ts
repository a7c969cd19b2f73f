import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { Redis, type RedisOptions } from "ioredis";

/** A Redis of its own for one test file, on a unix socket in a temporary folder. */
export interface TestRedis {
	path: string;
	kind: "redis-server" | "embedded";
	client(options?: Pick<RedisOptions, "commandTimeout" | "enableOfflineQueue" | "maxRetriesPerRequest">): Redis;
	/** Kills the server and its clients; the folder goes. */
	stop(): Promise<void>;
	/** Ends the server alone, as an outage. */
	crash(): Promise<void>;
}

const EMBEDDED = `
const { parentPort, workerData } = require("node:worker_threads");
import(workerData.core).then(async ({ Resp2Server, RedisServerState, createRedisCommandExecutor }) => {
	const server = new Resp2Server({ server: new RedisServerState({ databaseCount: 16 }), executor: createRedisCommandExecutor() });
	server.server.listen({ path: workerData.socket }, () => parentPort.postMessage("ready"));
});
`;

const hasServer = (): boolean => spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0;

function spawnServer(dir: string, socket: string): Promise<() => Promise<void>> {
	const args = [
		"--port",
		"0",
		"--unixsocket",
		socket,
		"--unixsocketperm",
		"700",
		"--dir",
		dir,
		"--save",
		"",
		"--appendonly",
		"no",
	];
	const child: ChildProcess = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
	const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.stdout?.on("data", (chunk: Buffer) => {
			if (!chunk.toString().includes("eady to accept")) return;
			resolve(async () => {
				child.kill("SIGKILL");
				await ended;
			});
		});
	});
}

async function startEmbedded(socket: string): Promise<() => Promise<void>> {
	const worker = new Worker(EMBEDDED, {
		eval: true,
		workerData: { core: import.meta.resolve("js-redis-server/core"), socket },
	});
	await new Promise<void>((resolve, reject) => {
		worker.once("message", () => resolve());
		worker.once("error", reject);
	});
	return async () => {
		await worker.terminate();
	};
}

/** A private redis-server where one is on PATH, else the embedded server; TEST_REDIS=embedded forces the latter. */
export async function startRedis(): Promise<TestRedis> {
	const dir = await mkdtemp(path.join(os.tmpdir(), "lookout-redis-"));
	const socket = path.join(dir, "s");
	const kind = process.env["TEST_REDIS"] !== "embedded" && hasServer() ? "redis-server" : "embedded";
	const crash = kind === "redis-server" ? await spawnServer(dir, socket) : await startEmbedded(socket);
	const clients: Redis[] = [];
	return {
		path: socket,
		kind,
		client(options = {}) {
			const settings: RedisOptions & { replyMapping: "legacy" } = {
				path: socket,
				commandTimeout: 1500,
				...options,
				replyMapping: "legacy",
			};
			const redis = new Redis(settings);
			redis.on("error", () => undefined);
			clients.push(redis);
			return redis;
		},
		crash,
		async stop() {
			for (const client of clients) client.disconnect();
			await crash();
			await rm(dir, { recursive: true, force: true });
		},
	};
}
