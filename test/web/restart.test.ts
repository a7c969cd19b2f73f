import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { provideRedis, type RedisProvision } from "../../src/redis/provide.ts";
import { within } from "../support/api.ts";
import { Client, type Program, startProgram, stopPrograms } from "../support/program.ts";
import { testLogger } from "../support/store.ts";
import { chromiumPath, launch, openPage, signIn } from "../support/web-page.ts";

/** The API dies while a browser watches a scan, and comes back at the same address. */
const restart = suite("Dashboard: the API restarts under a watching browser");

const ADMIN_PASSWORD = "correct horse";
const EMAIL = "admin@lookout.local";
/** Holds the scan for seconds, so that the API can die and come back in its middle. */
const LATENCY_MS = "1000";

const chromium = chromiumPath();
let dataDir: string;
let provision: RedisProvision;
let shared: Record<string, string>;
let api: Program;
let browser: Browser;

const freePort = (): Promise<number> =>
	new Promise((resolve) => {
		const server = createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address() as { port: number };
			server.close(() => resolve(port));
		});
	});

const startApi = (): Promise<Program> => startProgram({ ...shared, ROLE: "api" });

restart.before(async () => {
	dataDir = await mkdtemp(join(tmpdir(), "lp-"));
	provision = await provideRedis({ redisUrl: null, dataDir, path: process.env["PATH"] ?? "", logger: testLogger() });
	const { path } = provision.connection as { path: string };
	shared = {
		REDIS_URL: `unix://${path}`,
		JWT_SECRET: "0123456789abcdef0123456789abcdef",
		ADMIN_PASSWORD,
		MARKET: "simulated:1",
		MARKET_AS_OF: "2025-06-02T00:00:00Z",
		MARKET_LATENCY_MS: LATENCY_MS,
		PORT: String(await freePort()),
	};
	[api] = await Promise.all([startApi(), startProgram({ ...shared, ROLE: "worker", PORT: "" })]);
	browser = await launch(String(chromium));
});
restart.after(async () => {
	await browser?.close();
	await stopPrograms();
	await provision?.close();
	await rm(dataDir, { recursive: true, force: true });
});

/** Every value that the progress bar shows from now until it goes, in order. */
const watchProgress = (page: Page): Promise<number[]> =>
	page.evaluate(`new Promise((resolve) => {
		const values = [];
		let seen = false;
		const timer = setInterval(() => {
			const bar = document.querySelector('[role=progressbar]');
			seen ||= bar !== null;
			const value = bar ? Number(bar.getAttribute('aria-valuenow')) : null;
			if (value !== null && value !== values.at(-1)) values.push(value);
			if (seen && document.querySelector('[role=tablist]')) { clearInterval(timer); resolve(values); }
		}, 10);
	})`) as Promise<number[]>;

restart(
	"the page says that it lost the server, catches up, never goes back and ends at the results",
	within(120_000, async () => {
		const { page, complaints } = await openPage(browser, api.url);
		await signIn(page, api.url, EMAIL, "#/", ADMIN_PASSWORD);
		await page.getByRole("button", { name: "Start scan" }).click();
		await page.getByRole("heading", { name: "Scan running" }).waitFor();
		const progress = watchProgress(page);
		// Should the page close first, the test fails by what it waits for.
		progress.catch(() => undefined);
		await page.locator('[role=progressbar]:not([aria-valuenow="0"])').waitFor();
		const shown = Number(await page.getByRole("progressbar").getAttribute("aria-valuenow"));
		assert.ok(shown < 100, `${shown} % before the API dies`);
		api.kill("SIGKILL");
		await api.ended();
		await page.getByText(/connection was lost|does not answer/).waitFor();
		assert.is(await page.locator("table.live tbody tr").count(), 14, "what was known stays on the page");
		api = await startApi();
		await page.getByRole("tab", { name: /^(Opportunities|Found before)/ }).waitFor({ timeout: 60_000 });
		const values = await progress;
		assert.equal(
			values,
			[...values].sort((a, b) => a - b),
			"progress goes one way",
		);
		assert.ok(values.length > 1, `progress was seen to move: ${values}`);
		const scanId = /#\/scans\/(\w+)/.exec(page.url())?.[1] ?? "";
		const client = new Client([api.url]);
		await client.login(EMAIL, ADMIN_PASSWORD);
		const { body } = await client.get(`/opportunities/results/${scanId}`);
		assert.is(
			await page.getByRole("tab", { name: `Opportunities (${body.opportunities.length})` }).count(),
			1,
			"the page shows what the server holds",
		);
		// The browser itself notes each call that met no server; nothing else may stand there.
		assert.equal(
			complaints.filter(
				(line) =>
					!/net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/.test(line),
			),
			[],
		);
	}),
);

if (chromium === null) process.stdout.write("  skipped: no chromium\n");
else restart.run();
