import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { within } from "../support/api.ts";
import { HOSTILE, type InspectorWorld, ROWS, startInspectorWorld } from "../support/web-inspector.ts";
import { chromiumPath } from "../support/web-page.ts";

const inspector = suite("Dashboard: the inspector in Chromium");

let our: InspectorWorld;

/** A click on the tab and three keys between two frames: each in a task of its own, and nothing is painted. */
const QUICK_HAND = `(async () => {
	const task = () => new Promise((done) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = done;
		port2.postMessage(null);
	});
	const tab = [...document.querySelectorAll("[role=tab]")].find(({ textContent }) => textContent === "Scrubber");
	tab.focus();
	tab.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
	for (const key of ["Home", "ArrowRight", "ArrowRight"]) {
		await task();
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
	}
})()`;

inspector(
	"500 journal entries are paged, filtered and stay text",
	within(60_000, async () => {
		assert.ok(our.last >= 500, `the journal has ${our.last} entries`);
		const { page, complaints } = await our.open(our.owner.email, `#/inspect/${our.scanId}?tab=journal`);
		await page.getByText(`${our.last} of ${our.last} entries`).waitFor();
		assert.is(await page.locator("table.journal tbody tr").count(), 100);
		await page.getByRole("button", { name: "Later" }).click();
		await page.getByText("Page 2 of").waitFor();
		assert.is(await page.locator("table.journal tbody tr td").first().innerText(), "101");
		await page.getByLabel("Event", { exact: true }).selectOption("strategy.row_found");
		await page.getByText(`${ROWS * 3} of ${our.last} entries`).waitFor();
		await page.getByLabel("Strategy", { exact: true }).selectOption("ai_spot_momentum_strategy");
		await page.getByText(`${ROWS} of ${our.last} entries`).waitFor();
		const row = page.locator("table.journal tbody tr").first();
		await row.locator("summary").first().click();
		// Of the tree within: what it holds is made when it opens, and its own line names the opportunity too.
		await row.locator("details details > summary", { hasText: "opportunity" }).last().click();
		await row.getByText(JSON.stringify(HOSTILE)).waitFor();
		await page.getByRole("tab", { name: "Sequence" }).click();
		await page.getByRole("button", { name: /Show 150 more of/ }).waitFor();
		await page.getByRole("tab", { name: "Timeline" }).click();
		assert.is(await page.locator("svg.timeline rect.ok_found").count(), 3, "a bar for each strategy");
		await page
			.locator("svg.timeline title", { hasText: /^held by / })
			.first()
			.waitFor({ state: "attached" });
		await page.locator("svg.timeline .beat").first().waitFor({ state: "attached" });
		assert.is(await page.evaluate("window.pwned"), undefined, "hostile names stay text");
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

inspector(
	"the scrubber goes through the journal by keyboard, shows the state and what changed",
	within(60_000, async () => {
		const { page, complaints } = await our.open(our.owner.email, `#/inspect/${our.scanId}?seq=5`);
		const stateOf = (seq: number) => page.locator(`.state[data-seq="${seq}"]`);
		await stateOf(5).waitFor();
		const told = async (seq: number) => {
			const path = `/api/v1/scan-diagnostics/scan-journal/${our.scanId}/${seq}`;
			return (await our.api.call("GET", path, { token: our.owner.token })).json["state"] as {
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
		await stateOf(our.last).waitFor();
		assert.is(await stateOf(our.last).locator("h2").innerText(), `State after entry ${our.last}: completed`);
		await page.getByRole("slider").press("ArrowLeft");
		await stateOf(our.last - 1).waitFor();
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

inspector(
	"keys that come before the next paint are not lost and go to the view, not to its tab",
	within(60_000, async () => {
		const { page, complaints } = await our.open(our.owner.email, `#/inspect/${our.scanId}?tab=timeline&seq=5`);
		const tab = page.getByRole("tab", { name: "Scrubber" });
		await tab.waitFor();
		await page.evaluate(QUICK_HAND);
		await page.locator('.state[data-seq="3"]').waitFor();
		assert.is(await tab.getAttribute("aria-selected"), "true");
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

inspector(
	"the statechart is lit where the scan stood and names transitions and guards",
	within(60_000, async () => {
		const { page, complaints } = await our.open(our.owner.email, `#/inspect/${our.scanId}?tab=statechart&seq=5`);
		await page.locator('svg.statechart g.lit[data-state="portfolio_fetch"]').waitFor();
		assert.is(await page.locator("svg.statechart").first().locator("g.edge.taken").count(), 2);
		const svgText = await page.locator("svg.statechart").first().textContent();
		assert.match(String(svgText), /always \[allStrategiesSettled\]/);
		assert.match(String(svgText), /after portfolioDeadline/);
		await page.getByRole("button", { name: "back to now" }).click();
		await page.locator('svg.statechart g.lit[data-state="ok_found"]').waitFor();
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

inspector(
	"an exported scan opens from its file, labelled; a broken file says why",
	within(60_000, async () => {
		const { page, complaints } = await our.open(our.owner.email, `#/inspect/${our.scanId}`);
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.getByRole("button", { name: "Export as a file" }).click(),
		]);
		const path = join(our.folder, "scan.json");
		await download.saveAs(path);
		const file = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown> & { journal: { payload: object }[] };
		assert.is(file["scan_id"], our.scanId);
		assert.is(file.journal.length, our.last);
		assert.is((file["verdicts"] as object[]).length, 14);
		const choose = async (name: string, text: string) => {
			await page.goto(`${our.origin}/#/inspect`);
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
		await page.getByText(`${our.last} of ${our.last} entries`).waitFor();
		await page.locator("table.journal td").getByText(HOSTILE).waitFor();
		await page.getByRole("tab", { name: "Scrubber" }).click();
		await page.locator("body").press("Home");
		await page.locator('.state[data-seq="1"]').waitFor();
		assert.is(await page.getByRole("button", { name: "Export as a file" }).count(), 0, "read-only");
		for (const name of ["Timeline", "Sequence", "Statechart"]) await page.getByRole("tab", { name }).click();
		assert.is(await page.evaluate("window.pwned"), undefined);
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

const chromium = chromiumPath();
if (chromium === null) process.stdout.write("  skipped: no chromium\n");
else {
	inspector.before(async () => {
		our = await startInspectorWorld(chromium);
	});
	inspector.after(() => our?.stop());
	inspector.run();
}
