import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PASSWORD, type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { sampleRow } from "../support/records.ts";
import {
	axeInBothThemes,
	builtDashboard,
	chromiumPath,
	fitsWidth,
	launch,
	openPage,
	type WatchedPage,
} from "../support/web-page.ts";
import { effectsFinding, type Found, fakeBars, manyRows, oneUnproven } from "../support/web-scans.ts";

const trader = suite("Dashboard: a trader's pages in Chromium");

let world: LiveWorld;
let api: TestApi;
let browser: Browser;
let origin: string;
/** Scans that pages have started and no runtime has run yet. */
const started: string[] = [];
const LIMIT_MS = 40_000;

async function before(path: string): Promise<void> {
	world = await startLiveWorld();
	const enqueue = async (scanId: string) => void started.push(scanId);
	api = await world.api({ config: { staticDir: await builtDashboard() }, enqueue, market: fakeBars, streamsMax: 50 });
	origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
	browser = await launch(path);
}

async function after(): Promise<void> {
	await browser?.close();
	await world?.stop();
}

/** A new trader, signed in by the form. */
async function signedIn(
	options: Parameters<typeof openPage>[2] = {},
	hash = "#/",
): Promise<WatchedPage & { token: string }> {
	const { email, token } = await api.userWith("trader");
	const watched = await openPage(browser, origin, options);
	await watched.page.goto(`${origin}/${hash}`);
	await watched.page.getByLabel("E-mail").fill(email);
	await watched.page.getByLabel("Password").fill(PASSWORD);
	await watched.page.getByRole("button", { name: "Sign in" }).click();
	await watched.page.getByRole("navigation", { name: "Pages" }).waitFor();
	return { ...watched, token };
}

const startOf = async (token: string, body: object = {}): Promise<string> =>
	String((await api.call("POST", "/api/v1/opportunities/discover", { token, body })).json["scan_id"]);

/** Starts a scan by the API and runs it to its end. */
async function endedScan(token: string, found: Found, body: object = {}): Promise<string> {
	const scanId = await startOf(token, body);
	await world.runtime(effectsFinding(found)).run(scanId);
	return scanId;
}

trader(
	"from the login to the results and back, as a new user",
	within(LIMIT_MS, async () => {
		const { page, complaints } = await signedIn();
		assert.equal(await axeInBothThemes(page), [], "start");
		started.length = 0;
		await page.getByRole("button", { name: "Start scan" }).click();
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		let go = () => {};
		const until = new Promise<void>((resolve) => {
			go = resolve;
		});
		const scanId = String(started[0]);
		const run = world.runtime(effectsFinding({ rows: manyRows(3), unproven: [oneUnproven()], until })).run(scanId);
		await page.getByText("Looking").first().waitFor();
		const bar = page.getByRole("progressbar");
		const early = Number(await bar.getAttribute("aria-valuenow"));
		assert.ok(early > 0 && early < 100, `progress ${early}`);
		assert.is(await page.locator("table.live tbody tr").count(), 14, "all strategies are shown");
		assert.equal(await axeInBothThemes(page), [], "running");
		go();
		await run;
		await page.getByRole("heading", { name: "Scan complete" }).waitFor();
		await page.getByRole("tab", { name: "Opportunities (3)" }).waitFor();
		assert.equal(await axeInBothThemes(page), [], "results");
		await page.getByRole("link", { name: "BTC/USDT" }).click();
		await page.getByRole("heading", { name: "Evidence: grade B" }).waitFor();
		await page.locator(".chart canvas").first().waitFor();
		assert.match(await page.locator("main").innerText(), /90 bars of 1d up to the moment of the scan/);
		assert.equal(await axeInBothThemes(page), [], "row");
		await page.getByRole("button", { name: "Hit rate" }).click();
		await page.getByText("Share of past trades of this kind").waitFor();
		await page.goBack();
		await page.getByRole("tab", { name: "Why not more" }).click();
		assert.match(await page.getByRole("tabpanel").innerText(), /Nearest misses[\s\S]*ETH\/USDT[\s\S]*0\.42[\s\S]*0\.5/);
		assert.equal(await axeInBothThemes(page), [], "why");
		await page.getByRole("tab", { name: "Unproven (1)" }).click();
		await page.getByRole("link", { name: "DOGE/USDT" }).click();
		await page.getByText("Unproven: not enough evidence.").waitFor();
		assert.equal(complaints, []);
	}),
);

trader(
	"progress never goes backwards, rows appear before the end, cancel keeps them, and again starts anew",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await signedIn({ expected: [409] });
		const scanId = await startOf(token);
		await page.goto(`${origin}/#/scans/${scanId}`);
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		const seen = page.evaluate(`new Promise((resolve) => {
			const values = [];
			const timer = setInterval(() => {
				const bar = document.querySelector('[role=progressbar]');
				if (bar) values.push(Number(bar.getAttribute('aria-valuenow')));
				else { clearInterval(timer); resolve(values); }
			}, 20);
		})`) as Promise<number[]>;
		const never = new Promise<void>(() => {});
		const effects = effectsFinding({ rows: manyRows(2) });
		const run = world
			.runtime({
				...effects,
				async evaluateStrategy(effect, context) {
					if (effect.strategy_id === "ai_spot_breakout_strategy") {
						await Promise.race([never, new Promise((_, reject) => context.signal.addEventListener("abort", reject))]);
					}
					return (effects.evaluateStrategy as NonNullable<typeof effects.evaluateStrategy>)(effect, context);
				},
			})
			.run(scanId);
		await page.getByRole("button", { name: "BTC/USDT" }).waitFor();
		await page.getByRole("button", { name: "Cancel scan" }).click();
		await page.getByRole("button", { name: "Yes, cancel it" }).click();
		await page.getByRole("heading", { name: "Scan cancelled" }).waitFor();
		await run;
		await page.getByRole("tab", { name: "Found before the end (2)" }).waitFor();
		const values = await seen;
		assert.equal(
			values,
			[...values].sort((a, b) => a - b),
		);
		started.length = 0;
		await page.getByText("that did not answer in full again").click();
		await page.getByRole("button", { name: "Run them again" }).click();
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		await world.runtime(effectsFinding({ rows: manyRows(2) })).run(String(started[0]));
		await page.getByRole("heading", { name: "Scan complete" }).waitFor();
		await page.getByRole("button", { name: "Start again" }).click();
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		assert.is(started.length, 2);
		assert.equal(complaints, []);
	}),
);

trader(
	"hostile names stay text",
	within(LIMIT_MS, async () => {
		const evil = '<img src=x onerror="window.hurt=1">';
		const { page, complaints } = await signedIn();
		await page.getByText("Filters (leave empty").click();
		await page.getByLabel("Symbols").fill(`"><script>window.hurt=1</script>, ${evil}`);
		started.length = 0;
		await page.getByRole("button", { name: "Start scan" }).click();
		await page.getByText("SCRIPT").first().waitFor();
		const row = sampleRow("row_0", { symbol: evil, exchange: evil, estimated_timeframe: evil, opportunity_type: evil });
		row.metadata = { ...row.metadata, reasoning: evil, [evil]: evil, indicators: { [evil]: 1 } };
		row.strategy_name = evil;
		await world.runtime(effectsFinding({ rows: [row] })).run(String(started[0]));
		await page.getByRole("link", { name: evil }).click();
		await page.getByRole("heading", { name: evil }).waitFor();
		await page.goto(`${origin}/#/history`);
		await page.getByText("SCRIPT").first().waitFor();
		await page.goto(`${origin}/#/scans/${encodeURIComponent(evil)}?tab=${encodeURIComponent(evil)}`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		assert.is(await page.evaluate("window.hurt"), undefined);
		assert.is(await page.evaluate("document.querySelectorAll('main img, main script').length"), 0);
		assert.equal(
			complaints.filter((line) => !line.includes("404")),
			[],
		);
	}),
);

trader(
	"somebody else's link shows not found, before and after the login",
	within(LIMIT_MS, async () => {
		const owner = await api.userWith("trader");
		const scanId = await endedScan(owner.token, { rows: manyRows(1) });
		const { page, complaints } = await signedIn({ expected: [404] }, `#/scans/${scanId}`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		await page.goto(`${origin}/#/scans/${scanId}/rows/row_0`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		assert.not.match(await page.locator("body").innerText(), /BTC/);
		assert.equal(await axeInBothThemes(page), []);
		assert.equal(complaints, []);
	}),
);

trader(
	"a thousand rows are sorted, filtered and paged at once",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await signedIn();
		const scanId = await endedScan(token, { rows: manyRows(1_000) });
		await page.goto(`${origin}/#/scans/${scanId}`);
		await page.getByRole("tab", { name: "Opportunities (1000)" }).waitFor();
		assert.is(await page.locator("table.rows tbody tr").count(), 50);
		const took = (await page.evaluate(`new Promise((resolve) => {
			const from = performance.now();
			[...document.querySelectorAll('button.sort')].find((button) => button.textContent.startsWith('Profit')).click();
			const look = () => document.querySelector('table.rows td[data-label=Profit]').textContent === '$1,000.00'
				? resolve(performance.now() - from) : requestAnimationFrame(look);
			look();
		})`)) as number;
		assert.ok(took < 1_000, `sorting took ${took} ms`);
		await page.getByRole("searchbox", { name: "Search" }).fill("coin77");
		await page.getByText("11 of 1000").waitFor();
		await page.getByRole("searchbox", { name: "Search" }).fill("");
		await page.getByRole("button", { name: "Next" }).click();
		await page.getByText("Page 2 of 20").waitFor();
		await page.locator("table.rows tbody th a").first().click();
		await page.getByRole("heading", { name: /Evidence/ }).waitFor();
		await page.goBack();
		await page.getByText("Page 2 of 20").waitFor();
		assert.equal(complaints, []);
	}),
);

trader(
	"the portfolio: faults at their fields, a conflict that loses nothing, and it is kept",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await signedIn({ expected: [412, 422] }, "#/portfolio");
		await page.getByText("You have entered nothing yet.").waitFor();
		await page.getByRole("button", { name: "Add a position" }).click();
		await page.getByLabel("Symbol").fill("nonsense");
		await page.getByLabel("Quantity").fill("two");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("expected a unified symbol").waitFor();
		assert.is(await page.locator('[aria-invalid="true"]').count(), 2);
		await page.getByLabel("Symbol").fill("BTC/USDT");
		await page.getByLabel("Quantity").fill("0,5");
		const body = { positions: [{ symbol: "ETH/USDT", quantity: 3 }], cash_usd: 7 };
		await api.call("PUT", "/api/v1/portfolio", { token, body });
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("changed elsewhere in between").waitFor();
		assert.match(await page.getByText("changed elsewhere in between").locator("..").innerText(), /3 ETH\/USDT/);
		assert.is(await page.getByLabel("Symbol").inputValue(), "BTC/USDT", "what was typed is still there");
		assert.equal(await axeInBothThemes(page), []);
		await page.getByRole("button", { name: "Keep mine" }).click();
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved. The next scan uses it.").waitFor();
		const kept = await api.call("GET", "/api/v1/portfolio", { token });
		assert.equal(kept.json["positions"], [{ symbol: "BTC/USDT", quantity: 0.5, entry_price: null }]);
		assert.equal(complaints, []);
	}),
);

trader(
	"history, changes since the last scan and the account, on a phone",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await signedIn({ width: 375, expected: [401] });
		await endedScan(token, { rows: manyRows(3) });
		const body = { force_refresh: true };
		const scanId = await endedScan(token, { rows: [...manyRows(2), sampleRow("fresh", { symbol: "NEW/USDT" })] }, body);
		for (const [hash, ready] of [
			["#/history", "Show all|3 found"],
			["#/portfolio", "You have entered nothing yet"],
			["#/account", "trader"],
			["#/", "Your newest scan"],
			[`#/scans/${scanId}`, "Start again"],
			[`#/scans/${scanId}?tab=why`, "Each candidate is counted once"],
			[`#/scans/${scanId}?tab=about`, "Coins looked at"],
			[`#/scans/${scanId}/rows/row_0`, "Method and inputs"],
			[`#/scans/${scanId}?tab=changes`, "Compared with"],
		] as const) {
			await page.goto(`${origin}/${hash}`);
			await page.locator("main").getByText(new RegExp(ready)).first().waitFor();
			assert.ok(await fitsWidth(page), `${hash} is wider than the phone`);
			assert.equal(await axeInBothThemes(page), [], hash);
		}
		await page.getByText("New (1)").waitFor();
		await page.getByText("Gone (1)").waitFor();
		await page.goto(`${origin}/#/history`);
		await page.getByLabel("Symbol").fill("NEW");
		await page.getByRole("button", { name: "Search" }).click();
		await page.waitForFunction("document.querySelectorAll('ul.scans > li').length === 1");
		await page.goto(`${origin}/#/account`);
		await page.getByLabel("Present password").fill("not the password");
		await page.getByLabel("New password, at least 8 characters").fill("a new password");
		await page.getByLabel("New password again").fill("a new password");
		await page.getByRole("button", { name: "Change password" }).click();
		await page.getByRole("alert").waitFor();
		await page.getByLabel("Present password").fill(PASSWORD);
		await page.getByRole("button", { name: "Change password" }).click();
		await page.getByText("Changed. Your other logins have ended.").waitFor();
		assert.equal(complaints, []);
	}),
);

const found = chromiumPath();
if (found === null) process.stdout.write("  skipped: no chromium\n");
else {
	trader.before(() => before(found));
	trader.after(after);
	trader.run();
}
