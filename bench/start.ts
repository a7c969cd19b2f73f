/**
 * The start path under load: `npm run bench:start [-- --seconds 2 --rounds 3]`. POSTs of scans to the built API
 * process with everything on (limits raised): new scans of many users, starts that join a running scan, keyed starts
 * and their repetitions. Nothing runs the scans; what a round has left is cleared away after it.
 */
import { parseArgs } from "node:util";
import { hasRedisServer } from "../test/support/redis-process.ts";
import { type LoadResult, measure } from "./http/load.ts";
import { openStage, type Stage } from "./http/stage.ts";
import { tokensOf } from "./http/users.ts";
import { type Counts, countsOf, difference } from "./orchestration/counts.ts";
import { medianOf } from "./timing/powers.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "2" },
		rounds: { type: "string", default: "3" },
		connections: { type: "string", default: "1,100" },
		only: { type: "string", default: "" },
		profile: { type: "string" },
	},
});
const CONNECTIONS = values.connections.split(",").map(Number);
const USERS = 16;
const JSON_BODY = { "Content-Type": "application/json" };

/** `{n}` is the number of the request. */
const CASES = [
	{ name: "new scan", body: '{"symbols":["S{n}/USDT"]}' },
	{ name: "new scan, keyed", body: '{"symbols":["S{n}/USDT"]}', key: "start-{n}" },
	{ name: "joined", body: "{}" },
	{ name: "repeated under its key", body: "{}", key: "always-the-same" },
].filter(({ name }) => values.only.split(",").some((part) => name.includes(part)));

interface Sample {
	load: LoadResult;
	redis: Counts;
}

let first = 0;

async function sample(stage: Stage, tokens: readonly string[], at: number, one: (typeof CASES)[number]) {
	const { admin } = stage.redis;
	const before = await admin.keys("*");
	const headers = tokens.map((token) => ({
		...JSON_BODY,
		Authorization: `Bearer ${token}`,
		...(one.key ? { "Idempotency-Key": one.key } : {}),
	}));
	const load = {
		url: `${stage.api.url}/api/v1/opportunities/discover`,
		pid: stage.api.process.pid ?? 0,
		headers: {},
		connections: at,
	};
	const requests = { method: "POST", headers, body: one.body, first };
	// The first starts of the users make what others join or repeat, and are not counted.
	const warm = await measure({ ...load, seconds: 1, requests });
	const counted = await countsOf(admin);
	const result = await measure({
		...load,
		seconds: Number(values.seconds),
		requests: { ...requests, first: first + warm.requests + at },
	});
	const redis = difference(counted, await countsOf(admin));
	first += warm.requests + result.requests + 2 * at;
	if (result.errors > 0) throw new Error(`${one.name}: ${result.errors} starts failed`);
	const old = new Set(before);
	const left = (await admin.keys("*")).filter((key) => !old.has(key));
	for (let i = 0; i < left.length; i += 1_000) await admin.unlink(...left.slice(i, i + 1_000));
	return { load: result, redis };
}

function tell(samples: Map<string, Sample[]>): void {
	say("| start | connections | req/s | p50 ms | p99 ms | CPU µs | Redis calls (scripts) | KB in | KB kept |");
	say("|---|---|---|---|---|---|---|---|---|");
	for (const [name, taken] of samples) {
		const median = (of: (one: Sample) => number): number => medianOf(taken.map(of));
		const each = (of: (counts: Counts) => number) => median(({ load, redis }) => of(redis) / load.requests);
		const cells = [
			name,
			median(({ load }) => load.requestsPerSecond).toFixed(0),
			median(({ load }) => load.p50Ms).toFixed(2),
			median(({ load }) => load.p99Ms).toFixed(2),
			median(({ load }) => load.cpuUs ?? Number.NaN).toFixed(0),
			`${each(({ calls }) => calls).toFixed(1)} (${each(({ scripts }) => scripts).toFixed(1)})`,
			each(({ bytes_in }) => bytes_in / 1024).toFixed(1),
			each(({ kept_bytes }) => kept_bytes / 1024).toFixed(1),
		];
		say(`| ${cells.join(" | ")} |`);
	}
}

async function main(): Promise<void> {
	if (!hasRedisServer()) return say("skipped: bench:start, no redis-server on PATH");
	// Nobody takes the scans, so there is nothing that a watchdog could do about them but queue them again.
	const env = { QUEUE_LIMIT: "1000000", WATCHDOG_MS: "86400000" };
	const stage = await openStage(env, values.profile ? ["--cpu-prof", `--cpu-prof-dir=${values.profile}`] : []);
	try {
		const tokens = await tokensOf(USERS, stage.redis.port);
		const samples = new Map<string, Sample[]>();
		// One unheard round first: the server compiles its code.
		for (let round = 0; round <= Number(values.rounds); round++)
			for (const at of CONNECTIONS)
				for (const one of CASES) {
					const taken = await sample(stage, tokens, at, one);
					const row = `${one.name} | ${at}`;
					if (round > 0) samples.set(row, [...(samples.get(row) ?? []), taken]);
				}
		tell(samples);
	} finally {
		await stage.close();
	}
}

await main();
