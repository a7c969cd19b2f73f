/**
 * Start to complete of whole scans over HTTP: `npm run bench:scan [runs]`. One cold scan, then warm ones of
 * the same universe, on the recorded data set where it lies beside the project, else on the simulated one.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const RUNS = Number(process.argv[2] ?? 10);
const ROOT = resolve(import.meta.dirname, "..");
const RECORDED = resolve(ROOT, "../shared/market");
const PASSWORD = "bench only, loopback only";

const source = existsSync(join(RECORDED, "MANIFEST.json"))
	? { MARKET: `recorded:${RECORDED}`, MARKET_AS_OF: "2026-03-19T19:00:00Z" }
	: { MARKET: "simulated:42", MARKET_AS_OF: "2026-03-19T19:00:00Z" };

const dataDir = await mkdtemp(join(tmpdir(), "lb-"));
const server = spawn(process.execPath, ["--import", "tsx", "src/main.ts"], {
	cwd: ROOT,
	env: { ...process.env, ...source, DATA_DIR: dataDir, PORT: "0", ADMIN_PASSWORD: PASSWORD, REDIS_URL: "" },
	stdio: ["ignore", "pipe", "inherit"],
});

const url = await new Promise<string>((done, failed) => {
	let text = "";
	server.stdout.setEncoding("utf8").on("data", (chunk: string) => {
		text += chunk;
		const found = /"url":"(http[^"]+)"/.exec(text)?.[1];
		if (found && text.includes("Lookout is up")) done(`${found}/api/v1`);
	});
	server.once("exit", () => failed(new Error(`the program did not start:\n${text}`)));
});

async function call(method: string, path: string, token: string, body?: object): Promise<Record<string, unknown>> {
	const response = await fetch(`${url}${path}`, {
		method,
		headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
		...(body ? { body: JSON.stringify(body) } : {}),
	});
	return (await response.json()) as Record<string, unknown>;
}

try {
	const login = await call("POST", "/auth/login", "", { email: "admin@lookout.local", password: PASSWORD });
	const token = String(login.access_token);
	const times: number[] = [];
	let found: unknown = null;
	for (let run = 0; run <= RUNS; run++) {
		const done = await call("POST", "/opportunities/discover?wait=30", token, { force_refresh: true });
		if (done.status !== "complete") throw new Error(`scan ended as ${done.status}`);
		times.push(Number(done.execution_time_ms));
		found = done.total_opportunities;
	}
	const [cold = 0, ...warm] = times;
	const sorted = [...warm].sort((a, b) => a - b);
	const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
	process.stdout.write(`market ${source.MARKET.split(":")[0]}, ${found} opportunities, start to complete in ms\n`);
	process.stdout.write(
		`cold ${cold}, warm median ${at(0.5)}, p90 ${at(0.9)}, min ${sorted[0]} (${warm.length} runs)\n`,
	);
} finally {
	server.kill("SIGTERM");
	await new Promise((done) => server.once("exit", done));
	await rm(dataDir, { recursive: true, force: true });
}
