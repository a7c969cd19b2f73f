import type { Redis } from "ioredis";
import type { Viewer } from "../../src/store/contract.ts";
import { startProgram } from "../../test/support/program.ts";
import { createTokens, JWT_SECRET } from "../http/users.ts";
import { threadsCpuUs } from "../scale/scheduled.ts";

/** The built API process on the stage's Redis, asked over HTTP by the stage's users. */
export interface Api {
	url: string;
	/** Sends a request and reads its answer to the end. Throws on an answer of 400 and above. */
	ask(user: Viewer, method: "GET" | "POST", path: string, body?: object): Promise<string>;
	/** The account of a user is made when it is first asked for. */
	tokenOf(user: Viewer): Promise<string>;
	/** Processor time of all its threads so far, µs. */
	cpuUs(): number;
}

const LIMIT_MS = 20_000;

/** Nobody takes the scans that are started, and no watchdog looks at them. */
const SETTINGS = {
	ROLE: "api",
	JWT_SECRET,
	ADMIN_PASSWORD: "bench only, loopback only",
	MARKET: "simulated:42",
	WATCHDOG_MS: "86400000",
	QUEUE_LIMIT: "1000000",
	RATE_DISCOVER_MAX: "1000000",
	RATE_OTHER_MAX: "10000000",
	SSE_LIMIT: "10000",
};

export async function openApi(path: string, client: Redis): Promise<Api> {
	const program = await startProgram({ ...SETTINGS, REDIS_URL: `unix://${path}` });
	const pid = Number(program.process.pid);
	const tokenFor = createTokens(client);
	const tokens = new Map<string, Promise<string>>();
	const tokenOf = ({ user_id }: Viewer): Promise<string> => {
		const held = tokens.get(user_id) ?? tokenFor({ user_id, email: `${user_id}@example.com`, role: "admin" });
		tokens.set(user_id, held);
		return held;
	};
	return {
		url: program.url,
		async ask(user, method, path, body) {
			const response = await fetch(`${program.url}/api/v1${path}`, {
				method,
				headers: {
					authorization: `Bearer ${await tokenOf(user)}`,
					"accept-encoding": "identity",
					...(body ? { "content-type": "application/json" } : {}),
				},
				...(body ? { body: JSON.stringify(body) } : {}),
				signal: AbortSignal.timeout(LIMIT_MS),
			});
			const text = await response.text();
			if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`);
			return text;
		},
		tokenOf,
		cpuUs: () => threadsCpuUs(pid),
	};
}
