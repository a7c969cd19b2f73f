import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { Redis } from "ioredis";
import { within } from "./wait.ts";

/** A redis-server on a loopback port that can be killed, frozen and started again with its append-only file. */
export interface RedisProcess {
	readonly port: number;
	/** A connection of its own past every proxy. */
	admin: Redis;
	start(): Promise<void>;
	kill(): Promise<void>;
	signal(signal: "SIGSTOP" | "SIGCONT"): void;
	close(): Promise<void>;
}

export const hasRedisServer = (): boolean => spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0;

/**
 * @param fsync `always` acknowledges only what is on the disk. `everysec` writes before it answers, but not
 *   while a sync of the second before still runs: then a killed process loses what it acknowledged meanwhile.
 */
export async function startRedisProcess(
	dir: string,
	port: number,
	fsync: "always" | "everysec" = "always",
): Promise<RedisProcess> {
	const args = [
		...["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes"],
		...["--appendfsync", fsync, "--maxmemory-policy", "noeviction"],
	];
	let child: ChildProcess | null = null;
	let ended: Promise<void> = Promise.resolve();
	const start = async (): Promise<void> => {
		const started = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
		child = started;
		ended = new Promise((resolve) => started.once("exit", () => resolve()));
		const ready = new Promise<void>((resolve, reject) => {
			started.once("error", reject);
			started.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
			started.stdout?.on("data", (text: Buffer) => {
				if (text.toString().includes("eady to accept")) resolve();
			});
		});
		await within(ready, "the start of redis-server", 20_000);
	};
	const kill = async (): Promise<void> => {
		child?.kill("SIGKILL");
		await ended;
	};
	await start();
	const admin = new Redis({ host: "127.0.0.1", port, commandTimeout: 2_000, retryStrategy: () => 50 });
	admin.on("error", () => undefined);
	return {
		port,
		admin,
		start,
		kill,
		signal: (signal) => void child?.kill(signal),
		async close() {
			admin.disconnect();
			await kill();
		},
	};
}
