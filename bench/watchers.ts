/**
 * Watchers of event streams on one API process: `npm run bench:watchers [watchers]`.
 *
 * The API is the built program in a process of its own. Scans are committed by a runtime in this process with
 * stand-ins for strategies, paced, so that what is measured is how news travels; the watchers live in a third.
 * A delay runs from the moment at which a commit is handed to Redis to the arrival of its entries at the watcher.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../src/clock.ts";
import type { Effects } from "../src/effects/contract.ts";
import { provideRedis } from "../src/redis/provide.ts";
import { openScanStore } from "../src/store/index.ts";
import type { ScanWriter } from "../src/store/write-contract.ts";
import { Client, type Program, startProgram, stopPrograms } from "../test/support/program.ts";
import { sampleRow } from "../test/support/records.ts";
import { tally } from "../test/support/scan-input.ts";
import { testLogger } from "../test/support/store.ts";
import { quickEffects, runtimeOn } from "../test/support/system.ts";
import type { ClientReport } from "./watchers/clients.ts";
import { bundleText, firstPaintText } from "./watchers/page.ts";

const ROOT = resolve(import.meta.dirname, "..");
const WATCHERS = Number(process.argv[2] ?? 1_000);
const PASSWORD = "bench only, loopback only";
const ROWS_EACH = 5;
const STEP_MS = 250;
const SETTLE_MS = 3_000;
const KIB = 1_024;
/** The program's own: a short lease is lost on a busy machine, and nobody would take the scan over here. */
const LEASE = { lease_ms: 6_000, heartbeat_ms: 2_000 };

/** Strategy after strategy settles, a step apart, each with some rows. */
function pacedEffects(): Effects {
	let turn = 0;
	return quickEffects({
		async evaluateStrategy({ strategy_id, attempt }) {
			await delay(STEP_MS * ++turn);
			const ids = Array.from({ length: ROWS_EACH }, (_, i) => `${strategy_id}-${i}`);
			const rows = new Map(ids.map((id) => [id, sampleRow(id, { strategy_id })]));
			const counts = tally({ candidates_total: ROWS_EACH, evaluated: ROWS_EACH, row_ids: ids });
			return {
				report: { strategy_id, attempt, kind: "finished", degraded: null, tally: counts },
				attachments: { rows },
			};
		},
	});
}

/** Resident memory, KiB, and processor time, ms, of a process; NaN where the system does not tell. */
function usageOf(pid: number): { memory_kib: number; cpu_ms: number } {
	try {
		const memory = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
		const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
			.replace(/^.*\) /, "")
			.split(" ");
		// In ticks of the kernel's interface, a hundred a second.
		return { memory_kib: Number(memory), cpu_ms: 10 * (Number(fields[11]) + Number(fields[12])) };
	} catch {
		return { memory_kib: Number.NaN, cpu_ms: Number.NaN };
	}
}

function reportOf<K extends ClientReport["kind"]>(child: ChildProcess, kind: K) {
	return new Promise<Extract<ClientReport, { kind: K }>>((done, failed) => {
		child.once("exit", (code) => failed(new Error(`the watchers' process ended with ${code}`)));
		child.on("message", (message) => {
			const report = message as ClientReport;
			if (report.kind === kind) done(report as Extract<ClientReport, { kind: K }>);
		});
	});
}

interface Bench {
	api: Program;
	client: Client;
	token: string;
	run(scanId: string): Promise<unknown>;
	/** When the commit that wrote an entry was handed to Redis, epoch ms, by scan and number. */
	committedAt: Map<string, number>;
}

let filters = 0;

async function measure(
	{ api, client, token, run, committedAt }: Bench,
	scans: number,
	watchers: number,
): Promise<string> {
	const pid = Number(api.process.pid);
	const scanIds: string[] = [];
	for (let i = 0; i < scans; i++) {
		// A filter of its own, so that nobody's scan is joined or shown again.
		filters += 1;
		const { body } = await client.post("/opportunities/discover", { max_required_capital: filters });
		scanIds.push(body.scan_id);
	}
	const before = usageOf(pid);
	const child = fork(join(import.meta.dirname, "watchers", "clients.ts"), { execArgv: ["--import", "tsx"] });
	try {
		const done = reportOf(child, "done");
		const standing = reportOf(child, "standing");
		child.send({ url: api.url, token, scan_ids: scanIds, watchers });
		await standing;
		await delay(SETTLE_MS);
		const open = usageOf(pid);
		const startedAt = performance.now();
		await Promise.all(scanIds.map(run));
		const report = await done;
		const tookMs = performance.now() - startedAt;
		const after = usageOf(pid);
		const { scan, seq, at_ms } = report.arrivals;
		const sorted = at_ms
			.flatMap((arrivedMs, i) => {
				// What was there before the watchers came is in nobody's delay.
				const sentMs = committedAt.get(`${scanIds[scan[i] ?? 0]} ${seq[i]}`);
				return sentMs === undefined ? [] : [arrivedMs - sentMs];
			})
			.sort((a, b) => a - b);
		const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
		const each = (kib: number) => ((kib - before.memory_kib) / watchers).toFixed(1);
		return [
			`${watchers} watchers of ${scans} scan${scans === 1 ? "" : "s"}: ${sorted.length} entries arrived live in ${(tookMs / 1_000).toFixed(1)} s, ${report.broken} streams broken`,
			`  memory of the API: ${(before.memory_kib / KIB).toFixed(0)} MiB before, each watcher ${each(open.memory_kib)} KiB standing, ${each(after.memory_kib)} KiB after the last event`,
			`  processor: ${((100 * (after.cpu_ms - open.cpu_ms)) / tookMs).toFixed(0)} % of one core while events came`,
			`  delay from commit to watcher: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${sorted.at(-1)} ms`,
		].join("\n");
	} finally {
		child.removeAllListeners("exit");
		child.kill();
	}
}

const dataDir = await mkdtemp(join(tmpdir(), "lb-"));
const provision = await provideRedis({
	redisUrl: null,
	dataDir,
	path: process.env["PATH"] ?? "",
	logger: testLogger(),
});
const store = await openScanStore(provision.connection, testLogger(), {
	retention_ms: 3_600_000,
	tombstone_ms: 3_600_000,
});
try {
	const { path } = provision.connection as { path: string };
	const api = await startProgram({
		ROLE: "api",
		REDIS_URL: `unix://${path}`,
		JWT_SECRET: "0123456789abcdef0123456789abcdef",
		ADMIN_PASSWORD: PASSWORD,
		MARKET: "simulated:1",
		SSE_LIMIT: String(WATCHERS + 100),
		RATE_OTHER_MAX: "1000000",
		RATE_DISCOVER_MAX: "1000000",
	});
	const client = new Client([api.url]);
	const token = String((await client.login("admin@lookout.local", PASSWORD)).body.access_token);
	const committedAt = new Map<string, number>();
	const writer: ScanWriter = {
		...store.writer,
		commit(commit) {
			const nowMs = systemClock.now();
			for (let i = 1; i <= commit.entries.length; i++)
				committedAt.set(`${commit.scan_id} ${commit.base_seq + i}`, nowMs);
			return store.writer.commit(commit);
		},
	};
	const run = (scanId: string) =>
		runtimeOn({ ...store, writer }, pacedEffects(), { capacity: 1_000, settings: LEASE }).run(scanId);
	const bench = { api, client, token, run, committedAt };
	// The first streams compile the code; what they leave is no watcher's.
	await measure(bench, 2, 50);
	process.stdout.write(`${await measure(bench, 1, WATCHERS)}\n`);
	process.stdout.write(`${await measure(bench, 50, WATCHERS)}\n`);
	process.stdout.write(`${bundleText(ROOT)}\n${await firstPaintText(api.url)}\n`);
} finally {
	await stopPrograms();
	await store.close();
	await provision.close();
	await rm(dataDir, { recursive: true, force: true });
}
