import type { Users } from "../accounts/users.ts";
import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import type { ApiReply, RateRule, RouteSpec } from "./route.ts";

/** The part of the environment that the API needs. */
export interface ApiConfig {
	version: string;
	registrationOpen: boolean;
	/** Origins that browsers may call from; compared exactly. */
	corsOrigins: readonly string[];
	/** Trusted proxies in front of the server; 0: the socket's address is the client's. */
	trustProxyHops: number;
	rate: { discoverMax: number; onboardMax: number; otherMax: number };
	/** Only the health paths: a worker that listens serves nothing about users or scans. */
	healthOnly?: boolean;
	/** Folder with the dashboard's index.html and assets; null: no dashboard. */
	staticDir: string | null;
}

/** Takes facts as an object and one sentence, as pino does. */
export interface ApiLogger {
	info(facts: Record<string, unknown>, message: string): void;
	warn(facts: Record<string, unknown>, message: string): void;
	error(facts: Record<string, unknown>, message: string): void;
}

/** One dependency of /readyz. `run` is given one second; when it fails, `fallback` is shown with ok false. */
export interface HealthCheck {
	fallback: Record<string, unknown>;
	run(): Promise<{ ok: boolean } & Record<string, unknown>>;
}

export interface HealthChecks {
	/** latency_ms, kind (external, private, memory) */
	redis: HealthCheck;
	market_data: HealthCheck;
	/** count */
	workers: HealthCheck;
	/** age_ms */
	sweeper: HealthCheck;
}

/** Counters of the kernel; bounded label values only. */
export interface ApiMeter {
	/** `route` is the path template, `unmatched` where there is none. */
	request(route: string, method: string, status: number, durationMs: number): void;
	limiterRefused(rule: RateRule | "login"): void;
}

/** A public path outside /api/v1 (GET and HEAD). */
export interface RootRoute {
	path: string;
	/** `other` counts by address. */
	rate: "other" | "none";
	/** Answers while the server is draining too. */
	health?: boolean;
	handler(request: {
		headers: Record<string, string | undefined>;
		address: string;
		request_id: string;
		signal: AbortSignal;
	}): Promise<ApiReply>;
}

export interface ApiDeps {
	users: Users;
	config: ApiConfig;
	clock: Clock;
	entropy: Entropy;
	logger: ApiLogger;
	health: HealthChecks;
	/** Routes of other parts (scans, diagnostics, ...), served like our own. */
	routes?: readonly RouteSpec[];
	/** Paths of other parts outside the prefix (/metrics). */
	rootRoutes?: readonly RootRoute[];
	meter?: ApiMeter;
}
