import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { PASSWORD } from "./api.ts";

/** Chromium on pages of the dashboard, for tests of its inspector. */

/** Chromium on PATH, or undefined. */
export const executable = ["chromium", "chromium-browser", "google-chrome"]
	.flatMap((name) => (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name)))
	.find((path) => existsSync(path));

/** The browser, without anything that would call its maker. */
export const launchBrowser = (): Promise<Browser> =>
	chromium.launch({
		...(executable ? { executablePath: executable } : {}),
		args: [
			"--no-sandbox",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
		],
	});

/** Everything a page must not do, noted while it runs. */
export interface Watched {
	page: Page;
	context: BrowserContext;
	faults: string[];
}

/** A page of its own context at `hash`, signed in. */
export async function openPage(browser: Browser, origin: string, email: string, hash: string): Promise<Watched> {
	const context = await browser.newContext({ acceptDownloads: true, colorScheme: "light" });
	const page = await context.newPage();
	page.setDefaultTimeout(15_000);
	const faults: string[] = [];
	page.on(
		"console",
		(message) => message.type() === "error" && faults.push(`${message.text()} ${message.location().url}`),
	);
	page.on("pageerror", (error) => faults.push(error.message));
	page.on("request", (request) => {
		const url = request.url();
		if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) faults.push(`request to ${url}`);
	});
	await page.route("**/api/v1/machines/*", (route) =>
		route.fulfill({ json: machineReply(route.request().url().endsWith("strategy") ? "strategy" : "scan") }),
	);
	await page.goto(`${origin}/${hash}`);
	await page.getByLabel("E-mail").fill(email);
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.getByRole("navigation", { name: "Pages" }).waitFor();
	return { page, context, faults };
}

const STATES = { scan: ["queued", "started", "portfolio_fetch"], strategy: ["queued", "evaluating", "ok_found"] };
const EVENTS = {
	scan: ["scan.claimed", "", "xstate.after.portfolioDeadline.scan.v1.portfolio_fetch"],
	strategy: ["strategy.start", "strategy.reported", "strategy.cancel"],
};

/** A machine of three states in a ring, in the form of the server's answer. */
function machineReply(machine_id: "scan" | "strategy") {
	const names = STATES[machine_id];
	const idOf = (i: number) => `${machine_id}.v1.${names[i % names.length]}`;
	const box = (i: number) => ({ x: 20 + i * 220, y: 40, width: 140, height: 40 });
	return {
		success: true,
		machine_id,
		version: 1,
		initial: "queued",
		mermaid: "",
		graph: {
			nodes: [
				{ id: `${machine_id}.v1`, parent: null, type: "compound", tags: [] },
				...names.map((_, i) => ({ id: idOf(i), parent: `${machine_id}.v1`, type: "atomic", tags: [] })),
			],
			edges: names.map((_, i) => ({
				id: `${machine_id}-${i}`,
				source: idOf(i),
				target: idOf(i + 1),
				event: EVENTS[machine_id][i],
				guard: i === 1 ? "isReady" : null,
				actions: ["note"],
			})),
		},
		layout: {
			width: 700,
			height: 120,
			nodes: {
				[`${machine_id}.v1`]: { x: 0, y: 0, width: 700, height: 120 },
				...Object.fromEntries(names.map((_, i) => [idOf(i), box(i)])),
			},
			edges: Object.fromEntries(
				names.map((_, i) => [
					`${machine_id}-${i}`,
					{
						points: [
							{ x: 160 + i * 220, y: 60 },
							{ x: 240 + i * 220, y: 60 },
						],
						label: { x: 165 + i * 220, y: 40 },
					},
				]),
			),
		},
	};
}

/** Serious findings of axe-core, as text; `rules`: only these. */
export async function findings(page: Page, rules: string[] | null = null): Promise<string[]> {
	await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
	return page.evaluate(async (only) => {
		type Found = { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
		const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<Found> } };
		const { violations } = await axe.run({ resultTypes: ["violations"], ...(only ? { runOnly: only } : {}) });
		return violations
			.filter(({ impact }) => impact === "serious" || impact === "critical")
			.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
	}, rules);
}

/** How far the page can be scrolled sideways, px. */
export const overflow = (page: Page) => page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
