/** The three kinds of server for the conformance suite, each in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../src/log.ts";
import { findRedisBinaries } from "../../../src/redis/private.ts";
import { provideRedis, type RedisKind, type RedisProvision } from "../../../src/redis/provide.ts";

export const ENV_PATH = process.env.PATH ?? "";

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "redis-"));

/** Server binaries of this machine; empty where there is only Node. */
export const binaries = await findRedisBinaries(ENV_PATH, silentLogger());

/** The kinds that can run here. Tells what is left out. */
export function availableKinds(): RedisKind[] {
	if (binaries.length > 0) return ["external", "private", "memory"];
	process.stdout.write("skipped: external and private Redis, no redis-server on PATH\n");
	return ["memory"];
}

/** A PATH on which nothing but node can be found. */
export async function bareEnvPath(folder: string): Promise<string> {
	const bin = join(folder, "bin");
	await mkdir(bin, { recursive: true });
	await symlink(process.execPath, join(bin, "node")).catch(() => undefined);
	return bin;
}

export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

export interface TcpServer {
	url: string;
	stop(): Promise<void>;
}

/** A server as an operator would run it, reached through an address. */
export async function startTcpServer(folder: string, extra: string[] = []): Promise<TcpServer> {
	const port = await freePort();
	const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...extra];
	const child: ChildProcess = spawn(binaries[0] ?? "redis-server", options, { stdio: "ignore" });
	const ended = new Promise((resolve) => child.once("exit", resolve));
	return {
		url: `redis://127.0.0.1:${port}`,
		async stop() {
			child.kill("SIGKILL");
			await ended;
		},
	};
}

export interface TestServer {
	provision: RedisProvision;
	stop(): Promise<void>;
}

export async function startKind(kind: RedisKind): Promise<TestServer> {
	const folder = await temporaryFolder();
	const tcp = kind === "external" ? await startTcpServer(folder) : null;
	const provision = await provideRedis({
		redisUrl: tcp?.url ?? null,
		dataDir: join(folder, "data"),
		path: kind === "memory" ? await bareEnvPath(folder) : ENV_PATH,
		logger: silentLogger(),
	});
	return {
		provision,
		async stop() {
			await provision.close();
			await tcp?.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
