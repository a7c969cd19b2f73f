import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import { type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { sampleRow } from "../support/records.ts";
import { tally } from "../support/scan-input.ts";
import {
	axeInBothThemes,
	builtDashboard,
	chromiumPath,
	fitsWidth,
	launch,
	openPage,
	signIn,
} from "../support/web-page.ts";

/** The pages of developers and operators in a real browser. */

const chromium = chromiumPath();
const HOSTILE = `<img src=x onerror="window.pwned=1">`;
const ROWS = 190;
const DISCOVER = "/api/v1/opportunities/discover";

const operator = suite("Dashboard: inspector and operator pages");

let world: LiveWorld;
let api: TestApi;
let browser: Browser;
let folder: string;
let origin: string;
let scanId: string;
/** A scan of few rows. */
let smallId: string;
let owner: { email: string; token: string };
let last: number;

/** Every strategy finds so many rows, with names that would run if they were not text. */
const finding = (count: number): Partial<Effects> => ({
	async evaluateStrategy({ strategy_id, attempt }) {
		const ids = Array.from({ length: count }, (_, i) => `${strategy_id}-${i}`);
		const rows = Object.fromEntries(
			ids.map((id) => [id, JSON.stringify(sampleRow(id, { strategy_id, symbol: HOSTILE }))]),
		);
		const counts = tally({ candidates_total: count, evaluated: count, row_ids: ids });
		return { report: { strategy_id, attempt, kind: "finished", degraded: null, tally: counts }, attachments: { rows } };
	},
});

async function open(email: string, hash: string, expected: readonly number[] = []) {
	const watched = await openPage(browser, origin, { expected });
	await signIn(watched.page, origin, email, hash);
	return { ...watched, context: watched.page.context() };
}

operator.before(async () => {
	folder = mkdtempSync(join(tmpdir(), "web-"));
	world = await startLiveWorld();
	api = await world.api({ config: { staticDir: await builtDashboard() } });
	origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
	owner = await api.userWith("trader");
	const scanWith = async (effects: Partial<Effects>, symbols: string) => {
		const started = await api.call("POST", DISCOVER, { token: owner.token, body: { symbols } });
		const id = String(started.json["scan_id"]);
		await world.runtime(effects).run(id);
		return id;
	};
	smallId = await scanWith(finding(2), "ETH");
	scanId = await scanWith(finding(ROWS), "BTC");
	const page = await api.call("GET", `/api/v1/scan-diagnostics/scan-journal/${scanId}?limit=1`, { token: owner.token });
	last = Number(page.json["last_seq"]);
	browser = await launch(String(chromium));
});
operator.after(async () => {
	await browser?.close();
	await world?.stop();
	rmSync(folder, { recursive: true, force: true });
});

operator(
	"500 journal entries are paged, filtered and stay text",
	within(60_000, async () => {
		assert.ok(last >= 500, `the journal has ${last} entries`);
		const { page, context, complaints } = await open(owner.email, `#/inspect/${scanId}?tab=journal`);
		await page.getByText(`${last} of ${last} entries`).waitFor();
		assert.is(await page.locator("table.journal tbody tr").count(), 100);
		await page.getByRole("button", { name: "Later" }).click();
		await page.getByText("Page 2 of").waitFor();
		assert.is(await page.locator("table.journal tbody tr td").first().innerText(), "101");
		await page.getByLabel("Event", { exact: true }).selectOption("strategy.row_found");
		await page.getByText(`${ROWS * 3} of ${last} entries`).waitFor();
		await page.getByLabel("Strategy", { exact: true }).selectOption("ai_spot_momentum_strategy");
		await page.getByText(`${ROWS} of ${last} entries`).waitFor();
		const row = page.locator("table.journal tbody tr").first();
		await row.locator("summary").first().click();
		await row.locator("summary", { hasText: "opportunity" }).last().click();
		await row.getByText(JSON.stringify(HOSTILE)).waitFor();
		await page.getByRole("tab", { name: "Sequence" }).click();
		await page.getByRole("button", { name: /Show 150 more of/ }).waitFor();
		await page.getByRole("tab", { name: "Timeline" }).click();
		assert.is(await page.locator("svg.timeline rect.ok_found").count(), 3, "a bar for each strategy");
		assert.is(await page.evaluate("window.pwned"), undefined, "hostile names stay text");
		assert.equal(complaints, []);
		await context.close();
	}),
);

operator(
	"the scrubber goes through the journal by keyboard, shows the state and what changed",
	within(60_000, async () => {
		const { page, context, complaints } = await open(owner.email, `#/inspect/${scanId}?seq=5`);
		const stateOf = (seq: number) => page.locator(`.state[data-seq="${seq}"]`);
		await stateOf(5).waitFor();
		const told = async (seq: number) => {
			const path = `/api/v1/scan-diagnostics/scan-journal/${scanId}/${seq}`;
			return (await api.call("GET", path, { token: owner.token })).json["state"] as {
				value: string;
				context: Record<string, unknown>;
			};
		};
		const headingOf = async (seq: number) =>
			`State after entry ${seq}: ${(await told(seq)).value.replaceAll("_", " ")}`;
		assert.is(await stateOf(5).locator("h2").innerText(), await headingOf(5));
		await page.locator("body").press("ArrowRight");
		await stateOf(6).waitFor();
		assert.is(await stateOf(6).locator("h2").innerText(), await headingOf(6));
		assert.match(page.url(), /seq=6/, "the address is a deep link");
		const [before, now] = [await told(5), await told(6)];
		assert.is(before.context["portfolio"], null);
		const change = page.locator(".changes li").filter({ has: page.getByText("context.portfolio", { exact: true }) });
		assert.match(await change.innerText(), /^changed context\.portfolio\s+was null/);
		assert.ok(now.context["portfolio"]);
		await page.locator("body").press("ArrowRight");
		await stateOf(7).waitFor();
		await page.getByText("None: the same step of the machine wrote both entries.").waitFor();
		await page.locator("body").press("Home");
		await stateOf(1).waitFor();
		assert.is(await stateOf(1).locator("h2").innerText(), "State after entry 1: queued");
		await page.getByRole("slider").press("End");
		await stateOf(last).waitFor();
		assert.is(await stateOf(last).locator("h2").innerText(), `State after entry ${last}: completed`);
		await page.getByRole("slider").press("ArrowLeft");
		await stateOf(last - 1).waitFor();
		assert.equal(complaints, []);
		await context.close();
	}),
);

operator(
	"the statechart is lit where the scan stood and names transitions and guards",
	within(60_000, async () => {
		const { page, context, complaints } = await open(owner.email, `#/inspect/${scanId}?tab=statechart&seq=5`);
		await page.locator('svg.statechart g.lit[data-state="portfolio_fetch"]').waitFor();
		assert.is(await page.locator("svg.statechart").first().locator("g.edge.taken").count(), 2);
		const svgText = await page.locator("svg.statechart").first().textContent();
		assert.match(String(svgText), /always \[allStrategiesSettled\]/);
		assert.match(String(svgText), /after portfolioDeadline/);
		await page.getByRole("button", { name: "back to now" }).click();
		await page.locator('svg.statechart g.lit[data-state="ok_found"]').waitFor();
		assert.equal(complaints, []);
		await context.close();
	}),
);

operator(
	"an exported scan opens from its file, labelled; a broken file says why",
	within(60_000, async () => {
		const { page, context, complaints } = await open(owner.email, `#/inspect/${scanId}`);
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.getByRole("button", { name: "Export as a file" }).click(),
		]);
		const path = join(folder, "scan.json");
		await download.saveAs(path);
		const file = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown> & { journal: { payload: object }[] };
		assert.is(file["scan_id"], scanId);
		assert.is(file.journal.length, last);
		assert.is((file["verdicts"] as object[]).length, 14);
		const choose = async (name: string, text: string) => {
			await page.goto(`${origin}/#/inspect`);
			const input = page.getByLabel("A scan that was exported as a file");
			await input.setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
		};
		await choose("a.json", "{");
		await page.getByRole("alert").getByText("The file is not JSON.").waitFor();
		await choose("b.json", JSON.stringify({ ...file, journal: file.journal.slice(1) }));
		await page.getByText("Entry 1 of the journal has the number 2 instead of 1.").waitFor();
		const hostile = structuredClone(file);
		Object.assign(hostile.journal[1] ?? {}, { type: HOSTILE });
		Object.assign(hostile.journal[1]?.payload ?? {}, { worker_id: HOSTILE });
		await choose(`${HOSTILE}.json`, JSON.stringify(hostile).replace('"payload":{', '"payload":{"__proto__":{"x":1},'));
		await page.getByRole("note").getByText("Imported from a file.").waitFor();
		await page.getByRole("note").getByText(`${HOSTILE}.json`).waitFor();
		await page.getByRole("tab", { name: "Journal" }).click();
		await page.getByText(`${last} of ${last} entries`).waitFor();
		await page.locator("table.journal td").getByText(HOSTILE).waitFor();
		await page.getByRole("tab", { name: "Scrubber" }).click();
		await page.locator("body").press("Home");
		await page.locator('.state[data-seq="1"]').waitFor();
		assert.is(await page.getByRole("button", { name: "Export as a file" }).count(), 0, "read-only");
		for (const name of ["Timeline", "Sequence", "Statechart"]) await page.getByRole("tab", { name }).click();
		assert.is(await page.evaluate("window.pwned"), undefined);
		assert.equal(complaints, []);
		await context.close();
	}),
);

operator(
	"another user's deep link tells nothing, and the operator page is for admins",
	within(60_000, async () => {
		const stranger = await api.userWith("trader");
		const { page, context, complaints } = await open(stranger.email, `#/inspect/${scanId}?seq=5`, [404]);
		const refusal = await api.call("GET", `/api/v1/opportunities/status/${scanId}`, { token: stranger.token });
		assert.is(refusal.status, 404);
		await page.getByRole("alert").getByText(String(refusal.json["detail"])).waitFor();
		assert.is(await page.getByRole("tablist").count(), 0);
		await page.goto(`${origin}/#/operate`);
		await page
			.getByRole("alert")
			.getByText(/^403: this page is for admins/)
			.waitFor();
		assert.equal(complaints, []);
		await context.close();
	}),
);

operator(
	"an admin sees the parts, compares two scans and ends a stuck one",
	within(60_000, async () => {
		const admin = await api.userWith("admin");
		const queued = await api.call("POST", DISCOVER, { token: admin.token });
		const stuckId = String(queued.json["scan_id"]);
		const { page, context, complaints } = await open(admin.email, "#/inspect", [404]);
		await page.getByRole("link", { name: stuckId }).waitFor();
		await page.route("**/scan-diagnostics/stuck-scans", async (route) => {
			const status = await api.call("GET", `/api/v1/opportunities/status/${stuckId}`, { token: admin.token });
			const { accepted_at, deadline_at, state } = status.json;
			const evidence = { heartbeat_age_ms: 130_000, last_seq: 1, last_event_type: "scan.created" };
			const stuck = {
				since: accepted_at,
				waiting_on: { kind: "worker", id: HOSTILE, since: accepted_at },
				evidence: { ...evidence, lease_expires_at: null, deadline_at, strategies_running: [] },
				suggested_action: "redrive",
			};
			const scan = { scan_id: stuckId, user_id: "u", current_phase: "queued", accepted_at, deadline_at, stuck };
			const scans = state === "queued" ? [scan] : [];
			await route.fulfill({ json: { success: true, scans, timestamp: accepted_at } });
		});
		await page.getByRole("link", { name: "Operate" }).click();
		await page
			.getByRole("article", { name: `Stuck scan ${stuckId}` })
			.getByText(HOSTILE)
			.waitFor();
		await page.getByText("Redis memory").waitFor();
		await page.getByText("Scans today").waitFor();
		assert.equal(await axeInBothThemes(page), []);
		await page.getByRole("button", { name: "Cancel the scan" }).click();
		await page.getByText("No scan is stuck.").waitFor();
		await page.getByRole("button", { name: "Redrive" }).waitFor();
		const after = await api.call("GET", `/api/v1/opportunities/status/${stuckId}`, { token: admin.token });
		assert.is(after.json["state"], "cancelled");
		await page.getByLabel("Account").fill(owner.email);
		await page.getByRole("button", { name: "Show scans" }).click();
		await page.getByRole("region", { name: "Scans of the account" }).getByRole("link", { name: smallId }).click();
		await page.getByRole("heading", { name: smallId }).waitFor();
		await page.getByText(/completed, \d+ entries, ended/).waitFor();
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.getByRole("button", { name: "Export as a file" }).click(),
		]);
		const exported = join(folder, "others.json");
		await download.saveAs(exported);
		const file = JSON.parse(readFileSync(exported, "utf8"));
		assert.equal([file.scan_id, file.status.state, file.results.http_status], [smallId, "complete", 404]);
		await page.goto(`${origin}/#/scans/${smallId}`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		await page.getByRole("link", { name: "open it in the inspector" }).click();
		await page.getByRole("heading", { name: smallId }).waitFor();
		await page.goto(`${origin}/#/compare?a=${stuckId}&b=${scanId}`);
		await page.getByRole("heading", { name: /^New opportunities \(\d+\)/ }).waitFor();
		assert.is(await page.evaluate("window.pwned"), undefined);
		assert.equal(complaints, []);
		await context.close();
	}),
);

operator(
	"no serious accessibility findings in either theme, no sideways scroll on a phone",
	within(120_000, async () => {
		const admin = await api.userWith("admin");
		const login = await openPage(browser, origin);
		await login.page.goto(origin);
		await login.page.getByLabel("E-mail").waitFor();
		assert.equal(await axeInBothThemes(login.page), [], "login");
		await login.page.setViewportSize({ width: 375, height: 700 });
		assert.equal(await axeInBothThemes(login.page), [], "login on a phone");
		assert.ok(await fitsWidth(login.page));
		await login.page.context().close();
		const { page, context, complaints } = await open(admin.email, "#/");
		const pages = [
			...["timeline", "journal", "sequence"].map(
				(tab) => [`#/inspect/${smallId}?tab=${tab}`, "[role=tabpanel]"] as const,
			),
			[`#/inspect/${smallId}?tab=statechart`, "svg.statechart"],
			[`#/inspect/${smallId}?seq=9`, ".state"],
			["#/inspect", "h2"],
			[`#/compare?a=${smallId}&b=${scanId}`, "dl.pairs"],
			["#/operate", "dl.figures"],
			["#/nowhere", "h1"],
		] as const;
		for (const [width, where] of [
			[1200, "wide"],
			[375, "phone"],
		] as const) {
			await page.setViewportSize({ width, height: 800 });
			for (const [hash, ready] of pages) {
				await page.goto(`${origin}/${hash}`);
				await page.locator(ready).first().waitFor();
				assert.equal(await axeInBothThemes(page), [], `${hash}, ${where}`);
				assert.ok(await fitsWidth(page), `${hash} is wider than ${width} px`);
			}
		}
		await page.goto(`${origin}/#/inspect/${scanId}?tab=journal`);
		await page.locator("table.journal tbody tr").first().waitFor();
		assert.ok(await fitsWidth(page), "a long journal");
		assert.equal(complaints, []);
		await context.close();
	}),
);

if (chromium !== null) operator.run();
else process.stdout.write("  skipped: no chromium\n");
