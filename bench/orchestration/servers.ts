import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { type Server, startServer } from "./processes.ts";

/** Private servers on sockets or loopback ports, each with its data in a directory of its own. */

/** What a system's log survives: a power cut, a power cut but for the last second or so, or nothing in particular. */
export type Durability = "always" | "everysec" | "no";

/** Why a peer cannot run on this machine. */
export class NotRunnable extends Error {}

const START_MS = 30_000;
const PORT_TRIES = 3;

async function until(what: string, server: Server, ready: () => Promise<unknown>): Promise<void> {
	for (const began = performance.now(); performance.now() - began < START_MS; await pause(100)) {
		if (server.child.exitCode !== null) throw new NotRunnable(`${what} ended at once: ${server.output().slice(-400)}`);
		if (await ready().catch(() => false)) return;
	}
	throw new NotRunnable(`${what} did not answer within ${START_MS / 1_000} s: ${server.output().slice(-400)}`);
}

const onPath = (name: string): string | null => {
	const found = (process.env.PATH ?? "").split(":").map((folder) => join(folder, name));
	return found.find((file) => existsSync(file)) ?? null;
};

export interface RedisServer extends Server {
	path: string;
	/** For what the server counts; used between runs only. */
	client: Redis;
}

/** @param env what its environment has beside this process's */
export async function startRedis(directory: string, durability: Durability, env: object = {}): Promise<RedisServer> {
	const file = onPath("redis-server");
	if (!file) throw new NotRunnable("no redis-server on PATH");
	await mkdir(directory, { recursive: true });
	const path = join(directory, "s");
	// A rewrite of the file falls into whoever's run it likes, and costs several times as much as the run.
	const kept = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--appendfsync", durability];
	const log = durability === "no" ? ["--appendonly", "no"] : kept;
	const place = ["--port", "0", "--unixsocket", path, "--dir", directory, "--save", "", "--daemonize", "no"];
	const server = startServer(file, [...place, ...log, "--maxmemory-policy", "noeviction"], { env });
	const client = new Redis({ path, lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
	client.on("error", () => {});
	await until("redis-server", server, async () => existsSync(path));
	await client.connect();
	const stop = async () => {
		client.disconnect();
		await server.stop();
	};
	return { ...server, path, client, stop };
}

/** The binaries where Debian puts them, which are not on PATH there. */
async function postgresFolder(): Promise<string | null> {
	const root = "/usr/lib/postgresql";
	const versions = existsSync(root) ? (await readdir(root)).sort((a, b) => Number(b) - Number(a)) : [];
	const folders = [...versions.map((version) => join(root, version, "bin")), ...(process.env.PATH ?? "").split(":")];
	return folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name)))) ?? null;
}

/** `always` commits like a fresh installation; `everysec` does not wait for the disk; `no` never syncs. */
const POSTGRES_SETTINGS: Record<Durability, string[]> = {
	always: ["-c", "synchronous_commit=on", "-c", "fsync=on"],
	everysec: ["-c", "synchronous_commit=off", "-c", "fsync=on"],
	no: ["-c", "synchronous_commit=off", "-c", "fsync=off"],
};

export async function startPostgres(
	directory: string,
	durability: Durability,
	env: object = {},
): Promise<Server & { url: string }> {
	const folder = await postgresFolder();
	if (!folder) throw new NotRunnable("no PostgreSQL here (Debian: apt-get install postgresql)");
	// The server refuses to run as root.
	const owner = process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {};
	await mkdir(directory, { recursive: true });
	if (owner.uid !== undefined && owner.gid !== undefined) await chown(directory, owner.uid, owner.gid);
	const data = join(directory, "data");
	try {
		const options = { ...owner, cwd: "/", stdio: ["ignore", "ignore", "pipe"] as ["ignore", "ignore", "pipe"] };
		execFileSync(join(folder, "initdb"), ["-D", data, "-U", "bench", "-A", "trust", "--no-sync"], options);
	} catch (error) {
		throw new NotRunnable(`initdb: ${error instanceof Error ? error.message : error}`);
	}
	const [port = 0] = await freePorts();
	const args = ["-D", data, "-p", String(port), "-k", directory, "-c", "listen_addresses=127.0.0.1"];
	const server = startServer(join(folder, "postgres"), [...args, ...POSTGRES_SETTINGS[durability]], { ...owner, env });
	await until("postgres", server, async () => server.output().includes("ready to accept connections"));
	return { ...server, url: `postgresql://bench@127.0.0.1:${port}/bench` };
}

function idOf(flag: "-u" | "-g"): number {
	try {
		return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
	} catch {
		throw new NotRunnable("PostgreSQL does not run as root, and there is no user postgres to run it as");
	}
}

export async function startRestate(
	peers: string,
	directory: string,
	durability: Durability,
): Promise<Server & { ingress: number; admin: number }> {
	const name = `restate-server-${process.platform}-${process.arch}`;
	const file = join(peers, "node_modules", "@restatedev", name, "bin", "restate-server");
	if (!existsSync(file)) throw new NotRunnable(`no Restate server for ${process.platform} ${process.arch}`);
	for (let tries = 1; ; tries++) {
		try {
			return await startRestateOn(await freePorts(), file, join(directory, String(tries)), durability);
		} catch (error) {
			// A port that was free may be taken before the server asks for it.
			if (tries === PORT_TRIES || !(error instanceof NotRunnable) || !/in use/i.test(error.message)) throw error;
		}
	}
}

async function startRestateOn(
	[node = 0, ingress = 0, admin = 0]: readonly number[],
	file: string,
	directory: string,
	durability: Durability,
): Promise<Server & { ingress: number; admin: number }> {
	await mkdir(directory, { recursive: true });
	const relaxed = durability === "always" ? {} : RESTATE_RELAXED;
	const server = startServer(file, ["--base-dir", directory, "--no-logo", "--bind-ip", "127.0.0.1"], {
		env: {
			...relaxed,
			RESTATE_LISTEN_MODE: "tcp",
			RESTATE_BIND_PORT: String(node),
			RESTATE_INGRESS__BIND_PORT: String(ingress),
			RESTATE_ADMIN__BIND_PORT: String(admin),
			RESTATE_DISABLE_TELEMETRY: "true",
			RESTATE_LOG_FILTER: "warn",
			RESTATE_LOG_DISABLE_ANSI_CODES: "true",
		},
	});
	const answers = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).ok;
	await until("Restate", server, async () => (await answers(admin, "/health")) && answers(ingress, "/restate/health"));
	return { ...server, ingress, admin };
}

/** The write-ahead log without waiting for the disk. */
const RESTATE_RELAXED = {
	RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: "true",
	RESTATE_BIFROST__LOCAL__ROCKSDB_DISABLE_WAL_FSYNC: "true",
};

/** All held at once before any is given back, so that none is given twice. */
async function freePorts(): Promise<number[]> {
	const servers = Array.from({ length: 3 }, () => createServer());
	await Promise.all(
		servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()))),
	);
	const ports = servers.map((server) => {
		const address = server.address();
		return typeof address === "object" && address ? address.port : 0;
	});
	await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
	return ports;
}
