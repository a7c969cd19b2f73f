import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Effects } from "../../src/effects/contract.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { openScanStore, type ScanStore } from "../../src/store/index.ts";
import { freePort } from "../../test/redis/support/servers.ts";
import { BUILT, build, type Program, startProgram, stopPrograms } from "../../test/support/program.ts";
import { sampleRow } from "../../test/support/records.ts";
import { type RedisProcess, startRedisProcess } from "../../test/support/redis-process.ts";
import { tally } from "../../test/support/scan-input.ts";
import { testLogger } from "../../test/support/store.ts";
import { never, quickEffects, runtimeOn } from "../../test/support/system.ts";
import { pin } from "./load.ts";
import { JWT_SECRET } from "./users.ts";

const PASSWORD = "bench only, loopback only";
const RETENTION_MS = 3_600_000;

/** The built API process on a Redis of its own; scans are run by a runtime of this process, so their rows are known. */
export interface Stage {
	redis: RedisProcess;
	api: Program;
	store: ScanStore;
	token: string;
	call(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
	/** A finished scan with this many published rows. */
	finished(rows: number): Promise<string>;
	/** A scan whose first strategy is done with this many rows while the others work on; alive until the stage closes. */
	running(rows: number): Promise<string>;
	close(): Promise<void>;
}

/** Effects whose first strategy finds `rows` rows of usual size. */
function effectsWith(rows: number, hang: boolean): Effects {
	let first = true;
	return quickEffects({
		async evaluateStrategy(effect, { signal }) {
			if (!first) {
				if (hang) await never(signal);
				return { report: reportOf(effect, []), attachments: {} };
			}
			first = false;
			const found = Array.from({ length: rows }, (_, n) =>
				sampleRow(`opp_${String(n).padStart(32, "0")}`, { strategy_id: effect.strategy_id }),
			);
			const byId = new Map(found.map((row) => [row.opportunity_id, row]));
			return { report: reportOf(effect, [...byId.keys()]), attachments: { rows: byId } };
		},
	});
}

function reportOf({ strategy_id, attempt }: { strategy_id: string; attempt: number }, row_ids: string[]) {
	const counts = tally({ candidates_total: row_ids.length, evaluated: row_ids.length, row_ids, rejected: {} });
	return { strategy_id, attempt, kind: "finished" as const, degraded: null, tally: counts };
}

/** @param nodeArguments for the API process, as `--cpu-prof`. */
export async function openStage(
	env: Record<string, string> = {},
	nodeArguments: readonly string[] = [],
): Promise<Stage> {
	const dir = await mkdtemp(join(tmpdir(), "lookout-bench-"));
	const redis = await startRedisProcess(dir, await freePort(), "everysec");
	try {
		return await stageOn(redis, dir, env, nodeArguments);
	} catch (error) {
		await clearAway(redis, dir);
		throw error;
	}
}

async function clearAway(redis: RedisProcess, dir: string): Promise<void> {
	await stopPrograms();
	await redis.close();
	await rm(dir, { recursive: true, force: true });
}

async function stageOn(
	redis: RedisProcess,
	dir: string,
	env: Record<string, string>,
	nodeArguments: readonly string[],
): Promise<Stage> {
	// A program that is given its arguments is taken as it is.
	if (nodeArguments.length > 0) await build();
	const api = await startProgram(
		{
			ROLE: "api",
			REDIS_URL: `redis://127.0.0.1:${redis.port}`,
			JWT_SECRET,
			ADMIN_PASSWORD: PASSWORD,
			MARKET: "simulated:42",
			LOG_LEVEL: "info",
			// A scan that is to be read while it runs must not end before the bench does.
			SCAN_BUDGET_MS: "3600000",
			STRATEGY_TIMEOUT_MS: "3600000",
			RATE_DISCOVER_MAX: "1000000",
			RATE_OTHER_MAX: "10000000",
			...env,
		},
		nodeArguments.length > 0 ? { entry: [...nodeArguments, ...BUILT] } : {},
	);
	pin(api.process.pid, 0);
	pin(Number(/^process_id:(\d+)/m.exec(await redis.admin.info("server"))?.[1]), 1);
	const connection = { host: "127.0.0.1", port: redis.port };
	const store = await openScanStore(connection, testLogger(), {
		retention_ms: RETENTION_MS,
		tombstone_ms: RETENTION_MS,
	});
	const runtimes: Runtime[] = [];
	let token = "";

	const call: Stage["call"] = async (method, path, body) => {
		const response = await fetch(`${api.url}/api/v1${path}`, {
			method,
			headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
			...(body ? { body: JSON.stringify(body) } : {}),
			signal: AbortSignal.timeout(20_000),
		});
		const reply = (await response.json()) as Record<string, unknown>;
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(reply)}`);
		return reply;
	};
	const login = await call("POST", "/auth/login", { email: "admin@lookout.local", password: PASSWORD });
	token = String(login["access_token"]);

	async function begin(rows: number, hang: boolean): Promise<{ scanId: string; ended: Promise<unknown> }> {
		const started = await call("POST", "/opportunities/discover", { symbols: [`S${runtimes.length}/USDT`] });
		const scanId = String(started["scan_id"]);
		const runtime = runtimeOn(store, effectsWith(rows, hang), { settings: { lease_ms: 6_000, heartbeat_ms: 2_000 } });
		runtimes.push(runtime);
		return { scanId, ended: runtime.run(scanId) };
	}
	return {
		redis,
		api,
		store,
		token,
		call,
		async finished(rows) {
			const { scanId, ended } = await begin(rows, false);
			const how = await ended;
			if (how !== "ended") throw new Error(`a scan of the bench did not end: ${how}`);
			return scanId;
		},
		async running(rows) {
			const { scanId } = await begin(rows, true);
			for (let tries = 0; tries < 50; tries++) {
				const status = await call("GET", `/opportunities/status/${scanId}?wait=1`);
				if (status["total_opportunities"] === rows) return scanId;
			}
			throw new Error("a scan of the bench does not get on");
		},
		async close() {
			await Promise.all(runtimes.map((runtime) => runtime.handOver()));
			await store.close();
			await clearAway(redis, dir);
		},
	};
}
