import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SystemSettings } from "../peers/serve.mjs";
import { type Counts, countsOf, difference } from "./counts.ts";
import { cpuMsOf, killAll, stop, track } from "./processes.ts";
import { type Durability, NotRunnable, type RedisServer, startPostgres, startRedis, startRestate } from "./servers.ts";
import { isSlowed } from "./slow-sync.ts";

export const PEERS = fileURLToPath(new URL("../peers", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Made from lookout.ts before the first run: the loader of TypeScript makes code slower than it is when built. */
export const LOOKOUT = join(ROOT, "dist", "bench", "lookout.mjs");

export interface SideKind {
	name: string;
	module: string;
	arguments?: string[];
	server: "redis" | "postgres" | "restate";
}

export const LOOKOUT_DIRECT = "Lookout, direct";
export const LOOKOUT_QUEUED = "Lookout, through BullMQ";
export const BULLMQ_JOB = "BullMQ, one job";

/** As the program's start command has them. */
export const LOOKOUT_FLAGS = [
	"--max-semi-space-size=32",
	"--no-allocation-site-pretenuring",
	"--no-flush-bytecode",
	"--no-memory-reducer",
];

export const SIDES: readonly SideKind[] = [
	{ name: "bare HSET, pipelined (limit)", module: join(PEERS, "bare.mjs"), server: "redis" },
	{ name: LOOKOUT_DIRECT, module: LOOKOUT, arguments: ["direct"], server: "redis" },
	{ name: LOOKOUT_QUEUED, module: LOOKOUT, arguments: ["queue"], server: "redis" },
	{ name: BULLMQ_JOB, module: join(PEERS, "bullmq-job.mjs"), arguments: ["full"], server: "redis" },
	{ name: "BullMQ, one job, lean", module: join(PEERS, "bullmq-job.mjs"), arguments: ["lean"], server: "redis" },
	{ name: "BullMQ, flow 1 + 14", module: join(PEERS, "bullmq-flow.mjs"), server: "redis" },
	{ name: "Restate", module: join(PEERS, "restate.mjs"), server: "restate" },
	{ name: "DBOS on PostgreSQL", module: join(PEERS, "dbos.mjs"), server: "postgres" },
];

/** One run of one system at one concurrency. */
export interface Run {
	scans: number;
	wall_ms: number;
	latencies: number[];
	/** CPU time of the system's Node process, and of its server where the system tells. */
	node_cpu_ms: number;
	server_cpu_ms: number | null;
	/** Null where there is no Redis. */
	redis: Counts | null;
}

export interface Side {
	name: string;
	/** Of the system's Node process and of its server. */
	pids: { node: number; server: number };
	run(concurrency: number, window_ms: number): Promise<Run>;
	stop(): Promise<void>;
}

type Told = { ready?: true; failed?: string; result?: { latencies: number[]; wall_ms: number; cpu_ms: number } };

const ANSWER_MS = 120_000;

/**
 * @param profiles directory for CPU profiles of the system's Node process, null: none
 * @param slowed what slows the syncs of a server in its environment, null: nothing
 */
export async function openSide(
	kind: SideKind,
	durability: Durability,
	directory: string,
	profiles: string | null,
	slowed: object | null,
): Promise<Side> {
	await mkdir(directory, { recursive: true });
	const { settings, pid, redis, stopServer } = await openServer(kind, durability, directory, slowed);
	const profile = profiles === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
	const child = fork(kind.module, kind.arguments ?? [], {
		execArgv: kind.module === LOOKOUT ? [...LOOKOUT_FLAGS, ...profile] : profile,
		env: { ...process.env, NODE_ENV: "production", RESTATE_LOGGING: "ERROR" },
		stdio: ["ignore", "ignore", "inherit", "ipc"],
	});
	track(child);
	const exit = once(child, "exit").then((): never => {
		throw new Error(`${kind.name}: its process ended`);
	});
	exit.catch(() => {});
	const ask = async (message: unknown): Promise<Told> => {
		const waiting = new AbortController();
		const timer = setTimeout(() => waiting.abort(new Error(`${kind.name}: no answer`)), ANSWER_MS);
		const answer = once(child, "message", { signal: waiting.signal }) as Promise<[Told]>;
		child.send(message as object);
		const [told] = await Promise.race([answer, exit]).finally(() => clearTimeout(timer));
		if (told.failed) throw new Error(`${kind.name}: ${told.failed}`);
		return told;
	};
	await ask(settings);
	return {
		name: kind.name,
		pids: { node: Number(child.pid), server: pid },
		async run(concurrency, window_ms) {
			const before = { redis: redis && (await countsOf(redis.client)), cpu: await cpuMsOf(pid) };
			const { result } = await ask({ concurrency, window_ms });
			if (!result) throw new Error(`${kind.name}: no result`);
			const after = { cpu: await cpuMsOf(pid), redis: redis && (await countsOf(redis.client)) };
			const scans = result.latencies.length;
			const server_cpu_ms = before.cpu === null || after.cpu === null ? null : after.cpu - before.cpu;
			const used = before.redis && after.redis ? difference(before.redis, after.redis) : null;
			const { latencies, wall_ms, cpu_ms: node_cpu_ms } = result;
			return { scans, wall_ms, latencies, node_cpu_ms, server_cpu_ms, redis: used };
		},
		async stop() {
			if (child.connected) child.send("close");
			await Promise.race([exit.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 4_000).unref())]);
			await stop(child, "SIGKILL");
			await stopServer();
		},
	};
}

async function openServer(kind: SideKind, durability: Durability, directory: string, slowed: object | null) {
	if (kind.server === "restate" && slowed !== null)
		throw new NotRunnable("its server is linked statically, so its syncs cannot be slowed");
	const settings: SystemSettings = { redis_path: "", directory, postgres_url: "", restate: { ingress: 0, admin: 0 } };
	let redis: RedisServer | null = null;
	const server =
		kind.server === "redis"
			? await startRedis(directory, durability, slowed ?? {}).then((started) => {
					redis = started;
					settings.redis_path = started.path;
					return started;
				})
			: kind.server === "postgres"
				? await startPostgres(directory, durability, slowed ?? {}).then((started) => {
						settings.postgres_url = started.url;
						return started;
					})
				: await startRestate(PEERS, directory, durability).then((started) => {
						settings.restate = started;
						return started;
					});
	const pid = server.child.pid;
	if (pid === undefined) throw new NotRunnable(`${kind.name}: its server did not start`);
	if (slowed !== null && !(await isSlowed(pid))) throw new NotRunnable("the syncs of its server could not be slowed");
	const { ingress, admin } = settings.restate;
	return {
		settings: { ...settings, restate: { ingress, admin } },
		pid,
		redis: redis as RedisServer | null,
		stopServer: () => server.stop(),
	};
}

export { killAll };
