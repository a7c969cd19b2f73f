import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../redis/support/servers.ts";
import { type Program, startProgram, stopPrograms } from "../support/program.ts";
import { type RedisProcess, startRedisProcess } from "../support/redis-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** One process of the program behind a link of its own to Redis. */
export interface Member {
	readonly name: string;
	readonly role: "api" | "worker";
	readonly link: TcpProxy;
	/** Null while it is down. */
	program: Program | null;
}

export interface Cluster {
	readonly redis: RedisProcess;
	readonly apis: Member[];
	readonly workers: Member[];
	/** Addresses of the API processes that are up. */
	urls(): string[];
	/** Starts a member that is down; false: it did not come up. */
	start(member: Member): Promise<boolean>;
	/** Adds a worker with settings of its own. */
	addWorker(env?: Record<string, string>): Promise<Member>;
	close(): Promise<void>;
}

export interface ClusterOptions {
	apis: number;
	workers: number;
	env: Record<string, string>;
	fsync?: "always" | "everysec";
	/** Arguments of Node.js that run the program. */
	entry?: readonly string[];
	/** No links between: they run in this process, which is too busy for them while it plays a crowd. */
	direct?: boolean;
	/** Each process in a session of its own; only where nobody ends the whole group of processes at once. */
	ownSessions?: boolean;
}

/** Five processes that start at once on a busy machine take their time. */
const START_MS = 200_000;

/** Signs the logins of every process. */
export const JWT_SECRET = "0123456789abcdef0123456789abcdef";
export const ADMIN = { email: "admin@lookout.local", password: "correct horse" };

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
	const dir = await mkdtemp(join(tmpdir(), "chaos-"));
	const redis = await startRedisProcess(dir, await freePort(), options.fsync);
	const apis: Member[] = [];
	const workers: Member[] = [];
	let lastFailure: unknown = null;
	const settings = new Map<Member, Record<string, string>>();

	const start = async (member: Member): Promise<boolean> => {
		const env = {
			REDIS_URL: `redis://127.0.0.1:${options.direct ? redis.port : member.link.port}`,
			JWT_SECRET,
			ADMIN_PASSWORD: ADMIN.password,
			RATE_DISCOVER_MAX: "1000000",
			RATE_OTHER_MAX: "1000000",
			ROLE: member.role,
			...(member.role === "worker" ? { PORT: "" } : {}),
			...options.env,
			...settings.get(member),
		};
		member.program = await startProgram(env, {
			waitMs: START_MS,
			...(options.entry ? { entry: options.entry } : {}),
		}).catch((error: unknown) => {
			lastFailure = error;
			return null;
		});
		return member.program !== null;
	};
	const add = async (role: Member["role"], env: Record<string, string> = {}): Promise<Member> => {
		const list = role === "api" ? apis : workers;
		const link = await startTcpProxy({ host: "127.0.0.1", port: redis.port });
		const member: Member = { name: `${role} ${list.length}`, role, link, program: null };
		list.push(member);
		settings.set(member, env);
		return member;
	};
	for (let i = 0; i < options.apis; i++) await add("api");
	for (let i = 0; i < options.workers; i++) await add("worker");
	const cluster: Cluster = {
		redis,
		apis,
		workers,
		urls: () => apis.flatMap(({ program }) => program?.url ?? []),
		start,
		async addWorker(env = {}) {
			const member = await add("worker", env);
			await start(member);
			return member;
		},
		async close() {
			redis.signal("SIGCONT");
			await stopPrograms();
			await Promise.all([...apis, ...workers].map(({ link }) => link.close()));
			await redis.close();
			await rm(dir, { recursive: true, force: true });
		},
	};
	const up = await Promise.all([...apis, ...workers].map(start));
	if (up.includes(false)) {
		await cluster.close();
		throw new Error("a process of the cluster did not start", { cause: lastFailure });
	}
	return cluster;
}
