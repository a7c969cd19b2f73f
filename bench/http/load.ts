import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CLIENT = join(import.meta.dirname, "client.mjs");
/** Beyond its own time a load generator is given this long. */
const LATE_MS_MAX = 15_000;

/** Requests that differ: the sets of headers are taken in turn, `{n}` in headers and body is their number. */
export interface Requests {
	method: string;
	headers: Record<string, string>[];
	body: string;
	/** Number of the first request. */
	first: number;
}

/** One target under load. */
export interface Load {
	url: string;
	headers: Record<string, string>;
	/** Only for the client: other requests than GETs that are all alike. */
	requests?: Requests;
	connections: number;
	seconds: number;
	/** The process that answers: its CPU time is charged to the requests. */
	pid: number;
}

export interface LoadResult {
	requestsPerSecond: number;
	p50Ms: number;
	p99Ms: number;
	/** CPU of the answering process per request, all its threads, µs; null where the system does not tell. */
	cpuUs: number | null;
	requests: number;
	/** Answers of 400 and above, broken connections. */
	errors: number;
}

const works = (command: string, args: string[]): boolean =>
	spawnSync(command, args, { stdio: "ignore" }).error === undefined;

export const generator: "wrk" | "client" = works("wrk", ["-v"]) ? "wrk" : "client";
const pins = works("taskset", ["-V"]) && readFileSync("/proc/cpuinfo", "utf8").match(/^processor/gm)?.length !== 1;

/** Keeps a process and its threads on one core, where the system has taskset and more than one core. */
export function pin(pid: number | undefined, core: number): void {
	if (pins && pid !== undefined) spawnSync("taskset", ["-acp", String(core), String(pid)], { stdio: "ignore" });
}

/** Clock ticks of Linux, 10 ms each on every platform that Node.js runs on. */
const TICK_US = 10_000;

/** CPU that a process has used so far, all threads, µs; null where the system does not tell. */
export function processCpuUs(pid: number): number | null {
	try {
		const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
		return (Number(fields[11]) + Number(fields[12])) * TICK_US;
	} catch {
		return null;
	}
}

const UNITS_MS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** What wrk prints with --latency. */
export function readWrk(text: string): Omit<LoadResult, "cpuUs"> {
	const percentile = (share: string): number => {
		const [, value, unit = "ms"] = new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s|m)$`, "m").exec(text) ?? [];
		return Number(value) * (UNITS_MS[unit] ?? 1);
	};
	const errors = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0;
	const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
	return {
		requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
		requests: Number(/(\d+) requests in/.exec(text)?.[1]),
		p50Ms: percentile("50"),
		p99Ms: percentile("99"),
		errors: sockets.reduce((sum, count) => sum + Number(count), Number(errors)),
	};
}

async function byWrk({ url, headers, connections, seconds }: Load) {
	const lines = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
	const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", ...lines, url];
	const { stdout } = await run(...pinned("wrk", args), { timeout: seconds * 1000 + LATE_MS_MAX });
	return readWrk(stdout);
}

async function byClient({ url, headers, requests: asked, connections, seconds }: Load) {
	const env = { ...process.env, REQUESTS: JSON.stringify(asked ?? { headers: [headers] }) };
	const args = [CLIENT, url, String(connections), String(seconds)];
	const { stdout } = await run(...pinned(process.execPath, args), { env, timeout: seconds * 1000 + LATE_MS_MAX });
	const told = JSON.parse(stdout) as Record<"requests" | "seconds" | "p50_ms" | "p99_ms" | "errors", number>;
	const { requests, p50_ms, p99_ms, errors } = told;
	return { requestsPerSecond: requests / told.seconds, requests, p50Ms: p50_ms, p99Ms: p99_ms, errors };
}

const pinned = (command: string, args: string[]): [string, string[]] =>
	pins ? ["taskset", ["-c", "1", command, ...args]] : [command, args];

/** Loads one target for `seconds`. */
export async function measure(load: Load, by: "wrk" | "client" = generator): Promise<LoadResult> {
	const before = processCpuUs(load.pid);
	const result = await (by === "wrk" && !load.requests ? byWrk(load) : byClient(load));
	const after = processCpuUs(load.pid);
	const { requests } = result;
	return { ...result, cpuUs: before === null || after === null || requests === 0 ? null : (after - before) / requests };
}
