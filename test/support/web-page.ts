import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
// @ts-expect-error a plain script without types
import { buildWeb } from "../../scripts/build-web.mjs";
import { PASSWORD } from "./api.ts";

/** The dashboard in a real browser: built from the sources, watched for complaints and for requests that leave. */

const ROOT = resolve(import.meta.dirname, "../..");
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Where Chromium lies: CHROMIUM, else on PATH; null: nowhere. */
export function chromiumPath(): string | null {
	const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"].filter(Boolean);
	const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
	return [process.env["CHROMIUM"] ?? "", ...places].find((path) => path !== "" && existsSync(path)) ?? null;
}

/** Bundles web/ into a temporary folder, which the test run throws away. */
export async function builtDashboard(): Promise<string> {
	const out = mkdtempSync(join(tmpdir(), "lookout-web-"));
	await buildWeb(ROOT, out);
	return out;
}

export const launch = (executablePath: string): Promise<Browser> =>
	chromium.launch({
		executablePath,
		args: [
			"--no-sandbox",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
		],
	});

export interface WatchedPage {
	page: Page;
	/** What the page complained about, and requests to other hosts. Empty is well. */
	complaints: string[];
}

/** A page of its own with its own storage. `expected`: statuses that the test provokes. */
export async function openPage(
	browser: Browser,
	origin: string,
	options: { width?: number; expected?: readonly number[] } = {},
): Promise<WatchedPage> {
	const viewport = { width: options.width ?? 1200, height: 900 };
	const context = await browser.newContext({ viewport, colorScheme: "light" });
	const page = await context.newPage();
	page.setDefaultTimeout(15_000);
	const complaints: string[] = [];
	page.on("console", (message) => {
		if (message.type() !== "error" && message.type() !== "warning") return;
		const status = /status of (\d+)/.exec(message.text())?.[1];
		if (status && options.expected?.includes(Number(status))) return;
		complaints.push(`console: ${message.text()} ${message.location().url}`);
	});
	page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => {
		complaints.push(`dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
	page.on("request", (request) => {
		const url = request.url();
		if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) complaints.push(`left the host: ${url}`);
	});
	return { page, complaints };
}

/** Goes to `hash` and signs in by the form that stands before every page. */
export async function signIn(page: Page, origin: string, email: string, hash = "#/", password = PASSWORD) {
	await page.goto(`${origin}/${hash}`);
	await page.getByLabel("E-mail").fill(email);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.getByRole("navigation", { name: "Pages" }).waitFor();
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Serious and critical findings of axe-core on the page as it stands, one line each. */
export async function axeFindings(page: Page, options: object = {}): Promise<string[]> {
	if (!(await page.evaluate("typeof window.axe === 'object'"))) await page.evaluate(axeSource);
	const found = (await page.evaluate(
		`axe.run(document, ${JSON.stringify({ resultTypes: ["violations"], ...options })}).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')) })))`,
	)) as { id: string; impact: string; nodes: string[] }[];
	return found
		.filter(({ impact }) => impact === "serious" || impact === "critical")
		.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).join(" | ")}`);
}

/** All rules in the light theme; in the dark one the rule that depends on colours. */
export async function axeInBothThemes(page: Page): Promise<string[]> {
	await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
	const light = await axeFindings(page, {});
	await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
	const dark = await axeFindings(page, { runOnly: { type: "rule", values: ["color-contrast"] } });
	return [...light.map((line) => `light: ${line}`), ...dark.map((line) => `dark: ${line}`)];
}

/** Whether the page is no wider than the window. */
export const fitsWidth = (page: Page): Promise<boolean> =>
	page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") as Promise<boolean>;

/** Processor time of the page's main thread for `act`, ms: unlike the clock it does not count who else is at work. */
export async function cpuMsOf(page: Page, act: () => Promise<void>): Promise<number> {
	const session = await page.context().newCDPSession(page);
	const taskMs = async () => {
		const { metrics } = await session.send("Performance.getMetrics");
		return 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN);
	};
	await session.send("Performance.enable", { timeDomain: "threadTicks" });
	const before = await taskMs();
	await act();
	const after = await taskMs();
	await session.detach();
	return after - before;
}
