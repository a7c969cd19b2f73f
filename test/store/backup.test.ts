import { execFile, spawn } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { PASSWORD, type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { newDataDir, startTestRedis, testLogger } from "../support/store.ts";
import { listableRows } from "../support/system.ts";

const backup = suite("backup: a copy of the data brings back every account, portfolio and scan");

const PATH = process.env.PATH ?? "";
const run = promisify(execFile);
const API = "/api/v1";

interface Kept {
	email: string;
	user_id: string;
	portfolio: string;
	/** Results and journal as the first server answered, by scan. */
	scans: { scan_id: string; results: string; journal: string }[];
}

const world = await startLiveWorld();
const worlds: LiveWorld[] = [world];
const isPrivate = world.redis.kind === "private";
let api: TestApi;
let client: Redis;
let kept: Kept[];

const open = (of: LiveWorld): Promise<TestApi> =>
	of.api({ commands: { accounts: { byId: (id) => api.users.accounts.byId(id) } } });

const journalPath = (scanId: string): string => `/scan-diagnostics/scan-journal/${scanId}?limit=500`;

/** The API as a user sees it. */
const asking = (of: TestApi, token: string) => (path: string) => of.call("GET", `${API}${path}`, { token });

async function userWithScans(role: "admin" | "trader", number: number): Promise<Kept> {
	const user = await api.userWith(role);
	const positions = [{ symbol: "BTC/USDT", quantity: number, entry_price: 90_000 }];
	await api.call("PUT", `${API}/portfolio`, { token: user.token, body: { positions, cash_usd: number } });
	const ask = asking(api, user.token);
	const scans: Kept["scans"] = [];
	for (const symbols of ["BTC", "ETH"]) {
		const { json } = await api.call("POST", `${API}/opportunities/discover`, { token: user.token, body: { symbols } });
		const scan_id = String(json["scan_id"]);
		await world.runtime(listableRows).run(scan_id);
		const results = (await ask(`/opportunities/results/${scan_id}`)).text;
		const { status, text: journal } = await ask(journalPath(scan_id));
		assert.is(status, 200, journal);
		scans.push({ scan_id, results, journal });
	}
	return { email: user.email, user_id: user.user_id, portfolio: (await ask("/portfolio")).text, scans };
}

backup.before(async () => {
	if (!isPrivate) return;
	api = await open(world);
	client = createRedisClient(world.redis.connection, "commands", testLogger());
	kept = [await userWithScans("admin", 1), await userWithScans("trader", 2), await userWithScans("trader", 3)];
});
backup.after(async () => {
	if (client) await closeRedisClient(client);
	for (const one of worlds) await one.stop();
});

async function expectAll(dataDir: string): Promise<void> {
	const second = await startLiveWorld(await startTestRedis(PATH, dataDir));
	worlds.push(second);
	const restored = await open(second);
	const copy = createRedisClient(second.redis.connection, "commands", testLogger());
	const lasting = async (of: Redis): Promise<string[]> =>
		(await of.keys("*")).filter((key) => /^(account|scan[_:]|scans[_:]|\{accounts\})/.test(key)).sort();
	assert.equal(await lasting(copy), await lasting(client));
	await closeRedisClient(copy);
	for (const { email, user_id, portfolio, scans } of kept) {
		const login = await restored.login(email, PASSWORD);
		assert.is(login["user_id"], user_id);
		const ask = asking(restored, String(login["access_token"]));
		assert.is((await ask("/portfolio")).text, portfolio);
		for (const { scan_id, results, journal } of scans) {
			const status = await ask(`/opportunities/status/${scan_id}`);
			assert.is(status.json["status"], "complete");
			assert.is((await ask(`/opportunities/results/${scan_id}`)).text, results);
			assert.is((await ask(journalPath(scan_id))).text, journal);
		}
		const listed = await ask("/opportunities/scans");
		assert.is(listed.status, 200, JSON.stringify(restored.logs.at(-1)));
		assert.is((listed.json["scans"] as object[]).length, scans.length);
	}
}

if (!isPrivate) process.stdout.write("skipped: backup and restore, no redis-server on PATH\n");
else {
	backup(
		"the append-only files, copied while the server runs",
		within(30_000, async () => {
			const dataDir = await newDataDir();
			const from = join(world.redis.dataDir, "redis", "appendonlydir");
			await cp(from, join(dataDir, "redis", "appendonlydir"), { recursive: true });
			await expectAll(dataDir);
		}),
	);

	const hasCli = await run("redis-cli", ["--version"]).then(
		() => true,
		() => false,
	);
	if (!hasCli) process.stdout.write("skipped: a snapshot by redis-cli --rdb, no redis-cli on PATH\n");
	else
		backup(
			"a snapshot by redis-cli --rdb, turned into append-only files before Lookout starts on it",
			within(40_000, async () => {
				const dataDir = await newDataDir();
				const dir = join(dataDir, "redis");
				await mkdir(dir, { recursive: true, mode: 0o700 });
				const { path } = world.redis.connection as { path: string };
				await run("redis-cli", ["-s", path, "--rdb", join(dir, "dump.rdb")]);
				await convert(dir);
				await expectAll(dataDir);
			}),
		);
}

/** As docs/operations.md says: load the snapshot without an append-only file, then switch it on. */
async function convert(dir: string): Promise<void> {
	const socket = join(dir, "c");
	const args = ["--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "no"];
	const server = spawn("redis-server", args, { stdio: ["ignore", "ignore", "ignore"] });
	const ended = new Promise((resolve) => server.once("exit", resolve));
	const temporary = createRedisClient({ path: socket }, "commands", testLogger());
	try {
		const persistence = async (): Promise<string> => temporary.info("persistence").catch(() => "");
		const signal = AbortSignal.timeout(20_000);
		const until = async (wanted: RegExp): Promise<void> => {
			while (!wanted.test(await persistence())) if (signal.aborted) throw new Error(`never ${wanted}`);
		};
		await until(/^loading:0/m);
		await temporary.config("SET", "appendonly", "yes");
		await until(/^aof_rewrite_in_progress:0[\s\S]*^aof_rewrite_scheduled:0[\s\S]*^aof_last_bgrewrite_status:ok/m);
	} finally {
		await closeRedisClient(temporary);
		server.kill("SIGTERM");
		await ended;
	}
}

backup.run();
