import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Redis } from "ioredis";
import { firstAdmin } from "../../src/accounts/admin.ts";
import { createUsers, type Users, type UsersOptions } from "../../src/accounts/users.ts";
import { type ApiApp, createApp } from "../../src/api/app.ts";
import type { ApiConfig, ApiDeps, ApiLogger, HealthChecks } from "../../src/api/deps.ts";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { startRedis, type TestRedis } from "./redis.ts";

export const ADMIN = { email: "admin@lookout.local", password: "correct horse battery" };
export const SECRET = "a test secret of thirty-two bytes or more";
export const PASSWORD = "a long enough password";

/** Hashes that cost next to nothing: their strength is not what these tests look at. */
const CHEAP = { cost: { n_log2: 4, r: 8, p: 1 }, concurrency: 4, queueMax: 200 };

export interface Answer {
	status: number;
	headers: Record<string, string | undefined>;
	text: string;
	/** Parsed JSON, or null. */
	json: Record<string, unknown>;
}

export interface CallOptions {
	token?: string | undefined;
	body?: unknown;
	/** Sent as it is instead of `body`. */
	raw?: string | Buffer;
	headers?: Record<string, string>;
}

export interface LogLine {
	level: string;
	facts: Record<string, unknown>;
	message: string;
}

export interface TestApi {
	app: ApiApp;
	users: Users;
	deps: ApiDeps;
	logs: LogLine[];
	server: http.Server;
	call(method: string, path: string, options?: CallOptions): Promise<Answer>;
	/** Logs in and returns the whole answer's body. */
	login(email?: string, password?: string): Promise<Record<string, string>>;
	/** Creates an active user directly in the store and logs it in. */
	userWith(
		role: "admin" | "trader" | "viewer" | "api_only",
		email?: string,
	): Promise<{ user_id: string; email: string; token: string; refresh: string }>;
	close(): Promise<void>;
}

const healthy: HealthChecks = {
	redis: { fallback: { latency_ms: null, kind: "private" }, run: async () => ({ ok: true, latency_ms: 1 }) },
	market_data: { fallback: {}, run: async () => ({ ok: true }) },
	workers: { fallback: { count: 0 }, run: async () => ({ ok: true, count: 1 }) },
	sweeper: { fallback: { age_ms: null }, run: async () => ({ ok: true, age_ms: 10 }) },
};

function recordingLogger(lines: LogLine[]): ApiLogger {
	const at = (level: string) => (facts: Record<string, unknown>, message: string) =>
		void lines.push({ level, facts, message });
	return { info: at("info"), warn: at("warn"), error: at("error") };
}

export interface ApiOptions {
	redis: Redis;
	config?: Partial<ApiConfig>;
	users?: Partial<Omit<UsersOptions, "redis">>;
	deps?: Partial<ApiDeps>;
}

/** What replies are observed by (schema checks of a whole test file). */
export type Observer = (method: string, path: string, answer: Answer) => void;
export const observers: Observer[] = [];

export function request(port: number, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
	const payload = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
	const headers: Record<string, string> = { ...options.headers };
	if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
	if (payload !== undefined) {
		headers["content-type"] ??= "application/json";
		headers["content-length"] ??= String(Buffer.byteLength(payload));
	}
	return new Promise((resolve, reject) => {
		const sent = http.request(
			{ host: "127.0.0.1", port, method, path, headers, agent: false, timeout: 10_000 },
			(response) => {
				const chunks: Buffer[] = [];
				response.on("data", (chunk: Buffer) => chunks.push(chunk));
				response.on("error", reject);
				response.on("end", () => {
					const text = Buffer.concat(chunks).toString("utf8");
					const isJson =
						(response.headers["content-type"] ?? "").includes("json") && !response.headers["content-encoding"];
					const json = isJson && text ? (JSON.parse(text) as Record<string, unknown>) : {};
					const answer = {
						status: response.statusCode ?? 0,
						headers: response.headers as Answer["headers"],
						text,
						json,
					};
					for (const observe of observers) observe(method, path, answer);
					resolve(answer);
				});
			},
		);
		sent.on("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path} in 10 s`)));
		sent.on("error", reject);
		sent.end(payload);
	});
}

/** One process of the API on the Redis given, listening on an ephemeral loopback port. */
export async function startApi(options: ApiOptions): Promise<TestApi> {
	const logs: LogLine[] = [];
	const clock = options.users?.clock ?? systemClock;
	const entropy = options.users?.entropy ?? systemEntropy;
	const users = createUsers({
		redis: options.redis,
		clock,
		entropy,
		jwtSecrets: [SECRET],
		refreshGraceMs: 10_000,
		hasher: CHEAP,
		...options.users,
	});
	const rate = { discoverMax: 30, onboardMax: 5, otherMax: 100_000 };
	const base = {
		version: "0.0.0-test",
		registrationOpen: true,
		corsOrigins: ["https://app.example"],
		trustProxyHops: 0,
		staticDir: null,
	};
	const config: ApiConfig = { ...base, rate, ...options.config };
	const deps: ApiDeps = {
		users,
		config,
		clock,
		entropy,
		logger: recordingLogger(logs),
		health: healthy,
		...options.deps,
	};
	const app = createApp(deps);
	const server = http.createServer(app.callback());
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const call: TestApi["call"] = (method, path, callOptions) => request(port, method, path, callOptions);
	let made = 0;
	const login: TestApi["login"] = async (email = ADMIN.email, password = ADMIN.password) => {
		const answer = await call("POST", "/api/v1/auth/login", { body: { email, password } });
		if (answer.status !== 200) throw new Error(`login of ${email}: ${answer.status} ${answer.text}`);
		return answer.json as Record<string, string>;
	};
	return {
		app,
		users,
		deps,
		logs,
		server,
		call,
		login,
		async userWith(role, email) {
			made += 1;
			const address =
				email ??
				`${role.replace("_", "-")}-${made}-${entropy
					.token(4)
					.toLowerCase()
					.replace(/[^a-z0-9]/g, "x")}@example.com`;
			const password_hash = await users.passwords.hash(PASSWORD);
			const account = await users.accounts.create({ email: address, password_hash, full_name: null, role });
			const pair = await users.logins.open(account, password_hash);
			return { user_id: account.user_id, email: account.email, token: pair.access_token, refresh: pair.refresh_token };
		},
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** A private Redis with the first admin, and one API process on it. */
export async function startWorld(options: Omit<ApiOptions, "redis"> = {}): Promise<{
	redis: TestRedis;
	api: TestApi;
	second(more?: Omit<ApiOptions, "redis">): Promise<TestApi>;
	stop(): Promise<void>;
}> {
	const redis = await startRedis();
	const apis: TestApi[] = [];
	const start = async (own: Omit<ApiOptions, "redis">) => {
		const api = await startApi({ ...own, redis: redis.client() });
		apis.push(api);
		return api;
	};
	const api = await start(options);
	await firstAdmin(api.users).createFirstAdmin(ADMIN.email, ADMIN.password);
	return {
		redis,
		api,
		second: (more) => start({ ...options, ...more }),
		async stop() {
			for (const one of apis) await one.close();
			await redis.stop();
		},
	};
}

/** A test that ends after `limitMs` whatever hangs: the runner has no limit of its own. */
export const within =
	(limitMs: number, run: () => Promise<void>): (() => Promise<void>) =>
	async () => {
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<never>((_, reject) => {
			timer = setTimeout(() => reject(new Error(`the test took longer than ${limitMs} ms`)), limitMs);
		});
		try {
			await Promise.race([run(), late]);
		} finally {
			clearTimeout(timer);
		}
	};
