/**
 * The status path under load: `npm run bench:status [-- --seconds 3 --rounds 3]`. The built API process, everything on
 * but start and rate limits raised, beside Koa alone, with koa-jwt, and with one GET; one table with medians of
 * interleaved rounds.
 */
import { parseArgs } from "node:util";
import { hasRedisServer } from "../test/support/redis-process.ts";
import { generator, type LoadResult, measure } from "./http/load.ts";
import { startRivals } from "./http/rivals.ts";
import { openStage, type Stage } from "./http/stage.ts";
import { medianOf } from "./timing/measure.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
	options: { seconds: { type: "string", default: "3" }, rounds: { type: "string", default: "3" } },
});
const CONNECTIONS = [1, 100] as const;
const MEASURED_AGAINST = "Koa + koa-jwt, constant";

/** One row of the table. */
interface Target {
	name: string;
	url: string;
	headers: Record<string, string>;
	pid: number;
	bytes: number;
}

async function targetsOf(stage: Stage): Promise<Target[]> {
	const authorization = `Bearer ${stage.token}`;
	const { url: base, process: api } = stage.api;
	async function target(name: string, path: string, more: Record<string, string> = {}): Promise<Target> {
		const url = `${base}/api/v1${path}`;
		const response = await fetch(url, { headers: { authorization, ...more, "accept-encoding": "identity" } });
		const bytes = (await response.arrayBuffer()).byteLength;
		return { name, url, headers: { authorization, ...more }, pid: api.pid ?? 0, bytes };
	}
	const status = (id: string) => `/opportunities/status/${id}`;
	const results = (id: string) => `/opportunities/results/${id}`;
	const small = await stage.finished(1);
	const large = await stage.finished(10);
	const running = await stage.running(1);
	const etag =
		(await fetch(`${base}/api/v1${status(small)}`, { headers: { authorization } })).headers.get("etag") ?? "";
	const targets = [
		await target("status, finished, 1 row", status(small)),
		await target("status, running, 1 row", status(running)),
		await target("status, finished, 1 row, gzip", status(small), { "Accept-Encoding": "gzip" }),
		await target("status, finished, ETag hit", status(small), { "If-None-Match": etag }),
		await target("status, finished, 10 rows", status(large)),
		await target("results, 10 rows", results(large)),
		await target("results, 100 rows", results(await stage.finished(100))),
		await target("results, 1,000 rows", results(await stage.finished(1_000))),
	];
	const rivals = await startRivals(targets[0]?.bytes ?? 2_048, stage.redis.port);
	return [...rivals.map((rival) => ({ ...rival, headers: { authorization } })), ...targets];
}

function tell(targets: Target[], results: Map<string, LoadResult[]>): void {
	const figure = (name: string, connections: number, of: (result: LoadResult) => number | null): number =>
		medianOf((results.get(`${name} ${connections}`) ?? []).map((result) => of(result) ?? Number.NaN));
	const width = Math.max(...targets.map(({ name }) => name.length));
	say(`${" ".repeat(width)}            1 connection              100 connections`);
	say(`${"".padEnd(width)}    bytes   req/s p50 ms p99 ms   req/s p50 ms p99 ms CPU us  ratio`);
	const ratioTo = figure(MEASURED_AGAINST, 100, (result) => result.requestsPerSecond);
	for (const { name, bytes } of targets) {
		const cells = CONNECTIONS.flatMap((connections) => [
			figure(name, connections, (result) => result.requestsPerSecond)
				.toFixed(0)
				.padStart(7),
			figure(name, connections, (result) => result.p50Ms)
				.toFixed(2)
				.padStart(6),
			figure(name, connections, (result) => result.p99Ms)
				.toFixed(2)
				.padStart(6),
		]);
		const cpu = figure(name, 100, (result) => result.cpuUs)
			.toFixed(0)
			.padStart(6);
		const ratio = (figure(name, 100, (result) => result.requestsPerSecond) / ratioTo).toFixed(2).padStart(6);
		say(`${name.padEnd(width)} ${String(bytes).padStart(8)} ${cells.join(" ")} ${cpu} ${ratio}`);
	}
	say(`ratio: requests per second at 100 connections against "${MEASURED_AGAINST}"; load by ${generator}`);
}

async function main(): Promise<void> {
	if (!hasRedisServer()) return say("skipped: bench:status, no redis-server on PATH");
	if (generator !== "wrk") say("wrk is not there: load comes from a small client in Node.js, which slows both sides");
	const stage = await openStage();
	try {
		const targets = await targetsOf(stage);
		const results = new Map<string, LoadResult[]>();
		// One unheard round first: both sides compile their code.
		for (let round = 0; round <= Number(values.rounds); round++)
			for (const connections of CONNECTIONS)
				for (const target of targets) {
					const seconds = round === 0 ? 1 : Number(values.seconds);
					const result = await measure({ ...target, connections, seconds });
					if (result.errors > 0) throw new Error(`${target.name}: ${result.errors} requests failed`);
					const key = `${target.name} ${connections}`;
					if (round > 0) results.set(key, [...(results.get(key) ?? []), result]);
				}
		tell(targets, results);
	} finally {
		await stage.close();
	}
}

await main();
