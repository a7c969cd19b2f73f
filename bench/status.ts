/**
 * The status path under load: `npm run bench:status [-- --seconds 3 --rounds 3]`. The built API process, everything on
 * but start and rate limits raised, beside Koa alone, with koa-jwt, and with one GET; one table with medians of
 * interleaved rounds. `--only <part of a name>,...` and `--connections 100` make a run smaller, `--profile <dir>` writes
 * a CPU profile of the answering process.
 */
import { parseArgs } from "node:util";
import { hasRedisServer } from "../test/support/redis-process.ts";
import { generator, measure } from "./http/load.ts";
import { startRivals } from "./http/rivals.ts";
import { openStage, type Stage } from "./http/stage.ts";
import { loadTable, type Rounds, roundKey } from "./http/table.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "3" },
		rounds: { type: "string", default: "3" },
		connections: { type: "string", default: "1,100" },
		only: { type: "string", default: "" },
		profile: { type: "string" },
	},
});
const CONNECTIONS = values.connections.split(",").map(Number);
const FIFTY_KILOBYTES_ROWS = 32;
const wanted = (name: string): boolean => values.only.split(",").some((part) => name.includes(part));
const MEASURED_AGAINST = ["Koa, constant", "Koa + koa-jwt, constant"];

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
		await target("results, 50 KB", results(await stage.finished(FIFTY_KILOBYTES_ROWS))),
		await target("results, 100 rows", results(await stage.finished(100))),
		await target("results, 1,000 rows", results(await stage.finished(1_000))),
	];
	const rivals = await startRivals(targets[0]?.bytes ?? 2_048, stage.redis.port);
	return [...rivals.map((rival) => ({ ...rival, headers: { authorization } })), ...targets];
}

async function main(): Promise<void> {
	if (!hasRedisServer()) return say("skipped: bench:status, no redis-server on PATH");
	if (generator !== "wrk") say("wrk is not there: load comes from a small client in Node.js, which slows both sides");
	const stage = await openStage({}, values.profile ? ["--cpu-prof", `--cpu-prof-dir=${values.profile}`] : []);
	try {
		const targets = (await targetsOf(stage)).filter(({ name }) => wanted(name));
		const results: Rounds = new Map();
		// One unheard round first: both sides compile their code.
		for (let round = 0; round <= Number(values.rounds); round++)
			for (const connections of CONNECTIONS)
				for (const target of targets) {
					const seconds = round === 0 ? 1 : Number(values.seconds);
					const result = await measure({ ...target, connections, seconds });
					if (result.errors > 0) throw new Error(`${target.name}: ${result.errors} requests failed`);
					const key = roundKey(target.name, connections);
					if (round > 0) results.set(key, [...(results.get(key) ?? []), result]);
				}
		for (const line of loadTable(targets, results, CONNECTIONS, MEASURED_AGAINST)) say(line);
		say("ratios: requests per second at the most connections (CPU per request of the other by its own)");
		say(`load by ${generator}`);
	} finally {
		await stage.close();
	}
}

await main();
