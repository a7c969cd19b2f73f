/**
 * What scans cost a live exchange: `npm run bench:market -- [--seeded] [scans ...]` (default 1 100 1000). Real ccxt over
 * real HTTP against the replay exchange with 50 ms latency and Binance's published weights; two worker processes with
 * caches and Redis connections of their own. A scan here is its discovery and all reads of all strategies, of as many
 * candidates as their policies allow; nothing is evaluated. Each row begins with an empty Redis and empty caches; its
 * requests beyond those of the first row are listed one by one. The recorded set where it lies beside the project, else
 * (or with `--seeded`) a small one from a seed, which fits into a minute's budget.
 */
import { fork, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { delay, systemClock } from "../src/clock.ts";
import { SECOND_LOOK_MS } from "../src/market/ccxt/server-clock.ts";
import { createMarketAnswers } from "../src/store/market-answers.ts";
import { writeRecordedFixture } from "../test/support/recorded-fixture.ts";
import { startRedis } from "../test/support/redis.ts";
import { replaySet } from "../test/support/replay-set.ts";
import { recordedFolder } from "./scene.ts";

const LATENCY_MS = 50;
const WORKERS = 2;
/** Five hundred scans in a process hold all that they have read. */
const HEAP = ["--max-old-space-size=6144", "--max-semi-space-size=128"];
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const ROOT = resolve(import.meta.dirname, "..");
const wanted = process.argv
	.slice(2)
	.map(Number)
	.filter((count) => count > 0);
const COUNTS = wanted.length > 0 ? wanted : [1, 100, 1000];

const recorded = process.argv.includes("--seeded") ? null : recordedFolder(ROOT);
const fixture = recorded ? null : await writeRecordedFixture(replaySet());
const data = recorded ?? fixture?.dir ?? "";

interface Exchange {
	baseUrl: string;
	stop(): void;
}

/** A new one for each row: its budgets of five minutes must not remember the row before. */
async function startExchange(): Promise<Exchange> {
	const exchange = spawn(
		process.execPath,
		["--import", "tsx", "test/support/replay-exchange/command.ts", "--data", data, "--latency-ms", String(LATENCY_MS)],
		{ cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] },
	);
	const baseUrl = await new Promise<string>((done, failed) => {
		exchange.stdout.setEncoding("utf8").on("data", (text: string) => {
			const found = /replay exchange on (\S+)/.exec(text)?.[1];
			if (found) done(found);
		});
		exchange.once("exit", () => failed(new Error("the replay exchange did not start")));
	});
	return { baseUrl, stop: () => exchange.kill() };
}

/** Processes look at each venue's time once a minute whether anybody scans or not: that is counted apart. */
const isLook = (endpoint: string): boolean => endpoint.endsWith("/time");

interface Counts {
	requests: number;
	looks: number;
	weight: number;
	refused: number;
	/** How often each request was made, by endpoint and what was asked. */
	asked: Map<string, number>;
}
const counts = async (baseUrl: string): Promise<Counts> => {
	const { weight, by_endpoint, log } = (await (await fetch(`${baseUrl}/__stats`)).json()) as {
		weight: number;
		by_endpoint: Record<string, { requests: number; statuses: Record<string, number> }>;
		log: { endpoint: string; query: string }[];
	};
	const total = { requests: 0, looks: 0, refused: 0 };
	for (const [endpoint, { requests, statuses }] of Object.entries(by_endpoint)) {
		total[isLook(endpoint) ? "looks" : "requests"] += requests;
		total.refused += (statuses["429"] ?? 0) + (statuses["418"] ?? 0);
	}
	const asked = new Map<string, number>();
	for (const { endpoint, query } of log) {
		if (isLook(endpoint)) continue;
		const request = `${endpoint}?${query}`;
		asked.set(request, (asked.get(request) ?? 0) + 1);
	}
	return { ...total, weight, asked };
};

interface BenchWorker {
	source: string;
	/** Reads that failed. */
	scan(scans: number, begunMs: number): Promise<number>;
	stop(): void;
}

async function startWorker(baseUrl: string, redisPath: string): Promise<BenchWorker> {
	const child = fork(join(import.meta.dirname, "market/worker.ts"), [baseUrl, redisPath], {
		execArgv: ["--import", "tsx", ...HEAP],
		cwd: ROOT,
	});
	const next = <T>(): Promise<T> =>
		new Promise((done, failed) => {
			const died = () => failed(new Error("a worker has ended"));
			child.once("exit", died);
			child.once("message", (message) => {
				child.off("exit", died);
				done(message as T);
			});
		});
	const { source } = await next<{ source: string }>();
	return {
		source,
		async scan(scans, begun_ms) {
			const ended = next<{ failed_reads: number }>();
			child.send({ scans, begun_ms });
			return (await ended).failed_reads;
		},
		stop: () => child.disconnect(),
	};
}

const redis = await startRedis();
say(
	`data ${recorded ? "recorded set" : "seeded set"}, Redis ${redis.kind}, latency ${LATENCY_MS} ms, ${WORKERS} workers\n`,
);
say(
	"| scans at once | requests | per scan | of one scan's | looks at the time | weight | refused | failed reads | s | scans/min |",
);
say("|---|---|---|---|---|---|---|---|---|---|");
let ofOne: Counts["asked"] | null = null;
let source = "";
let exchange: Exchange | null = null;
try {
	for (const scans of COUNTS) {
		await redis.client().flushall();
		exchange?.stop();
		exchange = await startExchange();
		const { baseUrl } = exchange;
		const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker(baseUrl, redis.path)));
		source = workers[0]?.source ?? "";
		// Until the workers know how the exchange's clock moves: they ask for its time as they start, for no scan.
		await delay(systemClock, 2 * SECOND_LOOK_MS);
		const before = await counts(baseUrl);
		const begun = performance.now();
		const begunMs = systemClock.now();
		const failed = await Promise.all(
			workers.map((worker, i) => worker.scan(Math.floor((scans + WORKERS - 1 - i) / WORKERS), begunMs)),
		);
		const seconds = (performance.now() - begun) / 1000;
		const after = await counts(baseUrl);
		const requests = after.requests - before.requests;
		// One scan, or as many as were asked for first.
		ofOne ??= after.asked;
		const first = [...ofOne.values()].reduce((sum, each) => sum + each, 0);
		const failures = failed.reduce((sum, each) => sum + each, 0);
		const cells = [
			scans,
			requests,
			(requests / scans).toFixed(2),
			`${(requests / first).toFixed(3)}x`,
			after.looks - before.looks,
			after.weight - before.weight,
			after.refused - before.refused,
			failures,
			seconds.toFixed(1),
			((scans * 60) / seconds).toFixed(0),
		];
		say(`| ${cells.join(" | ")} |`);
		for (const [request, times] of after.asked) {
			const usual = ofOne.get(request) ?? 0;
			if (times > usual) say(`  ${times} times instead of ${usual}: ${request}`);
		}
		for (const worker of workers) worker.stop();
	}
	const client = redis.client();
	const { bytes, answers } = await createMarketAnswers(client).size(source);
	const sizes = await client.hgetall(`market_sizes:{${source}}`);
	const symbols = new Set(Object.keys(sizes).flatMap((name) => /^candles:(.+):[^:]+$/.exec(name)?.[1] ?? []));
	say(
		`\ncache: ${bytes} bytes in ${answers} answers, ${Math.round(bytes / Math.max(1, symbols.size))} bytes a symbol (${symbols.size} symbols)`,
	);
	for (const kind of ["candles", "funding", "book", "interest", "markets"]) {
		const own = Object.entries(sizes).filter(([name]) => name.startsWith(`${kind}:`));
		const sum = own.reduce((total, [, size]) => total + Number(size), 0);
		if (own.length > 0) say(`  ${kind}: ${own.length} answers, ${Math.round(sum / own.length)} bytes each`);
	}
} finally {
	exchange?.stop();
	await redis.stop();
	await fixture?.remove();
}
process.exit(0);
