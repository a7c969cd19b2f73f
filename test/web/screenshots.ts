/**
 * Pictures of every page for the README: `npm run screenshots [-- --out <folder>]`.
 *
 * They show the program as it runs: built, on its own Redis and on the simulated market at a fixed instant, with a
 * scan that was started in the browser.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Client, startProgram, stopPrograms } from "../support/program.ts";
import { chromiumPath, launch, signIn } from "../support/web-page.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const ADMIN = { email: "admin@lookout.local", password: "only for these pictures" };
/** A moment at which several strategies of this made-up market find something. */
const MARKET = { MARKET: "simulated:1", MARKET_AS_OF: "2025-06-02T00:00:00Z" };
const SCAN_LIMIT_MS = 150_000;

interface Shot {
	name: string;
	hash: string;
	/** Selector that is there once the page is whole. */
	ready: string;
	/** Height of the window, px. */
	height?: number;
	theme?: "light" | "dark";
	phone?: boolean;
}

const shotsOf = (scanId: string, rowId: string, earlierId: string): Shot[] => {
	const scan = `#/scans/${scanId}`;
	const inspect = `#/inspect/${scanId}`;
	return [
		{ name: "home", hash: "#/", ready: "form" },
		{ name: "results", hash: scan, ready: "table.rows tbody tr" },
		{ name: "results-dark", hash: scan, ready: "table.rows tbody tr", theme: "dark" },
		{ name: "results-phone", hash: scan, ready: "table.rows tbody tr", phone: true },
		{ name: "opportunity", hash: `${scan}/rows/${rowId}`, ready: ".chart canvas", height: 1_300 },
		{ name: "opportunity-dark", hash: `${scan}/rows/${rowId}`, ready: ".chart canvas", theme: "dark" },
		{ name: "opportunity-phone", hash: `${scan}/rows/${rowId}`, ready: ".chart canvas", phone: true },
		{ name: "why", hash: `${scan}?tab=why`, ready: ".whys section" },
		{ name: "changes", hash: `${scan}?tab=changes`, ready: "[role=tabpanel] h3, [role=tabpanel] p" },
		{ name: "history", hash: "#/history", ready: "ul.scans li" },
		{ name: "portfolio", hash: "#/portfolio", ready: "form" },
		{ name: "account", hash: "#/account", ready: "form" },
		{ name: "inspect-timeline", hash: `${inspect}?tab=timeline`, ready: "svg.timeline rect" },
		{ name: "inspect-journal", hash: `${inspect}?tab=journal`, ready: "table.journal tbody tr", height: 700 },
		{ name: "inspect-scrubber", hash: `${inspect}?seq=12`, ready: ".state" },
		{ name: "inspect-sequence", hash: `${inspect}?tab=sequence`, ready: "[role=tabpanel] svg" },
		{ name: "inspect-statechart", hash: `${inspect}?tab=statechart`, ready: "svg.statechart .lit", height: 1_500 },
		{ name: "inspect-statechart-dark", hash: `${inspect}?tab=statechart`, ready: "svg.statechart .lit", theme: "dark" },
		{ name: "compare", hash: `#/compare?a=${earlierId}&b=${scanId}`, ready: "dl.pairs" },
		{ name: "operate", hash: "#/operate", ready: "dl.figures" },
		{ name: "operate-dark", hash: "#/operate", ready: "dl.figures", theme: "dark" },
	];
};

const PORTFOLIO = {
	positions: [
		{ symbol: "BTC/USDT", quantity: 0.25, entry_price: 61_000 },
		{ symbol: "ETH/USDT", quantity: 4, entry_price: null },
	],
	cash_usd: 20_000,
};

/** A row to look at closely: one with prices to draw, proven if there is such a one. */
const rowOf = ({ opportunities, unproven }: { opportunities: Row[]; unproven: Row[] }): string => {
	const rows = [...opportunities, ...unproven];
	const drawn = rows.find((row) => row.entry_price !== null && row.stop_price !== null && row.target_price !== null);
	return String((drawn ?? rows[0])?.opportunity_id);
};

interface Row {
	opportunity_id: string;
	entry_price: number | null;
	stop_price: number | null;
	target_price: number | null;
}

async function takeAll(out: string, executable: string): Promise<void> {
	const program = await startProgram({ ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password, ...MARKET });
	const browser = await launch(executable);
	try {
		const client = new Client([program.url]);
		await client.login(ADMIN.email, ADMIN.password);
		const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, reducedMotion: "reduce" });
		const page = await context.newPage();
		page.setDefaultTimeout(30_000);
		const save = async (name: string) => void (await page.screenshot({ path: join(out, `${name}.png`) }));
		await client.call("PUT", "/api/v1/portfolio", PORTFOLIO);
		await page.goto(program.url);
		await page.getByLabel("E-mail").waitFor();
		await save("login");
		await signIn(page, program.url, ADMIN.email, "#/", ADMIN.password);
		const earlier = await client.post("/opportunities/discover", { strategy_ids: "spot_momentum_strategy" });
		await client.poll(earlier.body.scan_id, ({ status }) => status !== "scanning");
		await page.getByRole("button", { name: "Start scan" }).click();
		await page.locator("table.live tbody tr").first().waitFor();
		await page.locator("table.live .good, table.live .warn, table.live td").nth(3).waitFor();
		await save("live");
		await page.getByRole("tab", { name: /^Opportunities/ }).waitFor({ timeout: SCAN_LIMIT_MS });
		const scanId = /#\/scans\/(\w+)/.exec(page.url())?.[1] ?? "";
		const results = (await client.get(`/opportunities/results/${scanId}`)).body;
		for (const shot of shotsOf(scanId, rowOf(results), String(earlier.body.scan_id))) {
			await page.setViewportSize(
				shot.phone ? { width: 390, height: 844 } : { width: 1200, height: shot.height ?? 800 },
			);
			await page.emulateMedia({ colorScheme: shot.theme ?? "light", reducedMotion: "reduce" });
			await page.goto(`${program.url}/${shot.hash}`);
			await page.locator("main").locator(shot.ready).first().waitFor();
			await page.waitForTimeout(300);
			await save(shot.name);
		}
	} finally {
		await browser.close();
		await stopPrograms();
	}
}

const { values } = parseArgs({ options: { out: { type: "string", default: join(ROOT, "docs", "screenshots") } } });
const executable = chromiumPath();
if (executable === null) process.stdout.write("no chromium on PATH; CHROMIUM may name one\n");
else {
	mkdirSync(values.out, { recursive: true });
	await takeAll(values.out, executable);
	process.stdout.write(`pictures in ${values.out}\n`);
}
process.exitCode = executable === null ? 1 : 0;
